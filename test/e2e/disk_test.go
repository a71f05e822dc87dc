package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/internal/app"
	"larder/internal/testkit"
)

// A state directory on a file system that fills up: what was asked for is refused with the reason, the engine goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	if err := os.MkdirAll(d.home, 0o700); err != nil {
		t.Fatal(err)
	}
	testkit.SmallDisk(t, d.home, "3m")
	t.Cleanup(d.clear)
	d.must("up", seed+"development.tf")
	filler := filepath.Join(d.home, "filler")
	testkit.FillDisk(t, filler)
	d.refused([]string{"up", seed + "production.tf"}, "full")
	if s := d.status("uex-payments-dev-redis"); s.Status != "available" {
		t.Errorf("the first group is %s", s.Status)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	d.must("up", seed+"production.tf")
}

// TestAnEngineStartsOnAFullDisk: it ends, the disk fills, the primary dies, and the next engine fails over without room
// for a byte, or for a file. What it could not write is there when there is room.
func TestAnEngineStartsOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signal syscall.Signal
		fill   func(t *testing.T, dir string)
		lost   []string // files that are not there when the disk is full
	}{
		"bytes":                      {syscall.SIGKILL, fillBytes, nil},
		"bytes, and files are lost":  {syscall.SIGKILL, fillBytes, []string{"ca.pem", "engine.json"}},
		"inodes, after a clean end":  {syscall.SIGTERM, fillInodes, nil},
		"inodes, and files are lost": {syscall.SIGKILL, fillInodes, []string{"ca-bundle.pem"}},
		"inodes, without a socket":   {syscall.SIGTERM, fillInodes, []string{"engine.sock"}},
		"both":                       {syscall.SIGTERM, fillBoth, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			startOnAFullDisk(t, c.signal, c.fill, c.lost)
		})
	}
}

func startOnAFullDisk(t *testing.T, signal syscall.Signal, fill func(t *testing.T, dir string), lost []string) {
	const id = "uex-payments-prod-redis"
	d := newHarness(t)
	if err := os.MkdirAll(d.home, 0o700); err != nil {
		t.Fatal(err)
	}
	testkit.SmallDisk(t, d.home, "40m,nr_inodes=600")
	t.Cleanup(d.clear)
	d.must("up", seed+"production.tf")
	before, client, first := d.status(id), d.client(d.status(id).Primary), d.pid()
	leftover := filepath.Join(d.home, ".engine.json-123")
	if len(lost) == 0 { // what is removed makes room
		if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust := map[string]string{}
	for _, name := range []string{"ca.pem", "ca-bundle.pem"} {
		trust[name] = read(t, filepath.Join(d.home, name))
	}
	d.end(first, signal)
	for _, name := range lost {
		if err := os.Remove(filepath.Join(d.home, name)); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, filepath.Join(d.home, "filler"))
	for _, n := range before.Nodes {
		if n.Role == "primary" {
			d.kill(n.PID)
		}
	}
	log := filepath.Join(t.TempDir(), "engine.log")
	if r := d.run("sh", "-c", fmt.Sprintf("%q serve --listen 127.0.0.1:0 >>%q 2>&1 &", program, log)); r.code != 0 {
		t.Fatal(r.stderr)
	}
	writable := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return client.Set(ctx, "k", "v", 0).Err() == nil
	}
	d.eventually("another node takes writes", writable)
	for name, was := range trust {
		if now, err := os.ReadFile(filepath.Join(d.home, name)); err == nil && string(now) != was {
			t.Errorf("%s has %d bytes while the disk is full, had %d", name, len(now), len(was))
		}
	}
	if err := os.RemoveAll(filepath.Join(d.home, "filler")); err != nil {
		t.Fatal(err)
	}
	d.eventually("larder's commands reach the engine", func() bool { return d.larder("status", id).code == 0 })
	d.eventually("the group is whole", func() bool { return d.status(id).Status == "available" })
	d.eventually("engine.json is the engine's", func() bool {
		info, err := app.Home(d.home).ReadInfo()
		return err == nil && info.PID != first
	})
	for name, was := range trust {
		d.eventually(name+" is whole", func() bool {
			now, err := os.ReadFile(filepath.Join(d.home, name))
			return err == nil && string(now) == was
		})
	}
	if _, err := os.Stat(leftover); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what a killed engine left: %v", err)
	}
	if t.Failed() {
		t.Log(read(t, log))
	}
}

// end ends an engine by a signal, and waits until it is gone.
func (d *harness) end(pid int, signal syscall.Signal) {
	d.t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		d.t.Fatal(err)
	}
	d.eventually("the engine is gone", func() bool {
		return strings.Contains(d.larder("status").stderr, "no engine is running")
	})
}

func fillBytes(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	testkit.FillDisk(t, filepath.Join(dir, "bytes"))
}

func fillInodes(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(n)))
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}

func fillBoth(t *testing.T, dir string) {
	t.Helper()
	fillBytes(t, dir)
	fillInodes(t, dir)
}

// TestAnyNameOfAStateDirectory has an engine start twice where the directory's name means something to a pattern or a
// shell.
func TestAnyNameOfAStateDirectory(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a[b", "a[x]b", "a*?b", `a\b`, "a b", "a'b", "é%41"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newHarness(t)
			d.home = filepath.Join(t.TempDir(), name)
			d.env = append(d.env, "LARDER_HOME="+d.home)
			t.Cleanup(d.clear)
			d.must("up", seed+"development.tf")
			node := d.status("uex-payments-dev-redis").Nodes[0].PID
			d.end(d.pid(), syscall.SIGKILL)
			leftover := filepath.Join(d.home, ".engine.json-123")
			if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
			d.serve()
			if now := d.status("uex-payments-dev-redis").Nodes[0].PID; now != node {
				t.Errorf("the node has process %d, had %d", now, node)
			}
			if _, err := os.Stat(leftover); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("what a killed engine left: %v", err)
			}
			if strings.Contains(d.must("status"), "damaged") {
				t.Error("something is damaged")
			}
		})
	}
}
