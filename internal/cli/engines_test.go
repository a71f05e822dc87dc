package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/module"
	"larder/internal/services/larder"
)

// withServers gives a command a PATH with programs that say they are these redis-servers.
func (d *harness) withServers(t *testing.T, versions ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, v := range versions {
		script := "#!/bin/sh\necho 'Redis server v=" + v + " sha=00000000:0 malloc=libc bits=64 build=0'\n"
		if err := os.WriteFile(filepath.Join(dir, "redis-server-"+v), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	getenv := d.Getenv
	d.Getenv = func(name string) string {
		if name == "PATH" {
			return dir
		}
		return getenv(name)
	}
	return dir
}

func TestEngines(t *testing.T) {
	for _, c := range []struct {
		servers []string
		want    []string
	}{
		{[]string{"7.0.15"}, []string{"7.0.15 DIR/redis-server-7.0.15 6.0 (as the nearest newer), 6.2 (as the nearest " +
			"newer), 7.0, 7.1"}},
		{[]string{"8.0.3"},
			[]string{"8.0.3 DIR/redis-server-8.0.3 6.0 (as the nearest newer), 6.2 (as the nearest newer), " +
				"7.0 (as the nearest newer), 7.1 (as the nearest newer), 8.0"}},
		{[]string{"7.2.4", "6.2.6", "7.0.5", "7.0.15"}, []string{
			"6.2.6 DIR/redis-server-6.2.6 none: larder needs 7.0.0 or later",
			"7.0.5 DIR/redis-server-7.0.5 none: a later patch is there",
			"7.0.15 DIR/redis-server-7.0.15 6.0 (as the nearest newer), 6.2 (as the nearest newer), 7.0, 7.1",
			"7.2.4 DIR/redis-server-7.2.4 7.2",
		}},
	} {
		d := newHarness(t)
		dir := d.withServers(t, c.servers...)
		if code := Run(t.Context(), []string{"engines"}, d.Environment); code != 0 {
			t.Fatalf("%d: %s", code, d.stderr.String())
		}
		said := strings.ReplaceAll(strings.TrimSpace(d.stdout.String()), dir, "DIR")
		var got []string
		for _, l := range strings.Split(said, "\n")[1:] {
			got = append(got, strings.Join(regexp.MustCompile(`\s+`).Split(strings.TrimSpace(l), -1), " "))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v: -want +got\n%s", c.servers, diff)
		}
	}
}

func TestEnginesAsJSON(t *testing.T) {
	d := newHarness(t)
	dir := d.withServers(t, "7.2.4")
	if code := Run(t.Context(), []string{"engines", "--json"}, d.Environment); code != 0 {
		t.Fatalf("%d: %s", code, d.stderr.String())
	}
	var got []foundServer
	if err := json.Unmarshal(d.stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []foundServer{{"7.2.4", filepath.Join(dir, "redis-server-7.2.4"),
		[]runVersion{{"6.0", false}, {"6.2", false}, {"7.0", false}, {"7.1", false}, {"7.2", true}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEnginesWithoutAny(t *testing.T) {
	d := newHarness(t)
	d.withServers(t)
	if code := Run(t.Context(), []string{"engines"}, d.Environment); code != 1 ||
		!strings.Contains(d.stderr.String(), "no redis-server in PATH") {
		t.Errorf("%d: %s", code, d.stderr.String())
	}
}

func TestRunnable(t *testing.T) {
	const note = "note: redis 7.0 is not installed: redis-server 7.2.4, the nearest newer one, runs it " +
		"(--strict-versions refuses that)\n"
	for _, c := range []struct {
		asked, server string
		strict        bool
		said, refused string
	}{
		{"7.0", "7.0.15", true, "", ""},
		{"7.1", "7.0.15", true, "", ""},
		{"7.0", "7.2.4", false, note, ""},
		{"7.0", "7.2.4", true, "",
			`input "redis_engine_version": Cannot find version 7.0 for redis. Installed on this machine: 7.2`},
		{"6.x", "7.0.15", false, strings.NewReplacer("7.0", "6.x", "7.2.4", "7.0.15").Replace(note), ""},
		{"6.2", "7.2.4", true, "",
			`input "redis_engine_version": Cannot find version 6.2 for redis. Installed on this machine: 7.2`},
		{"5.0.6", "7.2.4", false, "",
			`input "redis_engine_version": Cannot find version 5.0.6 for redis. Installed on this machine: 7.2`},
	} {
		d := newHarness(t)
		call := &module.Call{Inputs: module.Inputs{RedisEngineVersion: c.asked}}
		refused := ""
		if err := d.runnable(call, larder.DescribeEngineOutput{EngineVersions: []string{c.server}},
			c.strict); err != nil {
			refused = err.Error()
		}
		if said := d.stderr.String(); said != c.said || refused != c.refused {
			t.Errorf("%+v: said %q, refused %q", c, said, refused)
		}
	}
}
