package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// masked runs a larder command under a umask.
func (d *harness) masked(umask string, args ...string) result {
	d.t.Helper()
	return d.run("sh", append([]string{"-c", `umask ` + umask + ` && exec "$0" "$@"`, program}, args...)...)
}

// private checks that nobody else may do anything with what is in the state directory, but read the certificates to
// trust.
func (d *harness) private(when string) (names map[string]bool) {
	d.t.Helper()
	names = map[string]bool{}
	d.check(filepath.WalkDir(d.home, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // nodes' files come and go
			return nil
		}
		if err != nil {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		name := e.Name()
		names[strings.Split(strings.TrimPrefix(strings.TrimPrefix(path, d.home), "/"), "/")[0]] = true
		mode, want := info.Mode().Perm(), fs.FileMode(0)
		if name == "ca.pem" || name == "ca-bundle.pem" {
			want = 0o044
		}
		if mode&0o077 != want || mode&0o600 != 0o600 {
			d.t.Errorf("%s: %s has mode %v", when, path, info.Mode())
		}
		return err
	}))
	return names
}

// TestNobodyElseReadsTheState: a whole life of a group under a umask that takes nothing from files' modes, and under
// one that takes all, leaves nothing that another user could read, in the state directory and beside it.
func TestNobodyElseReadsTheState(t *testing.T) {
	t.Parallel()
	for _, umask := range []string{"000", "777"} {
		t.Run(umask, func(t *testing.T) {
			t.Parallel()
			d := newHarness(t)
			home, temporary := t.TempDir(), t.TempDir()
			d.env = append(d.env, "HOME="+home, "TMPDIR="+temporary, "XDG_STATE_HOME="+home+"/state",
				"XDG_CONFIG_HOME="+home+"/config", "XDG_CACHE_HOME="+home+"/cache", "XDG_RUNTIME_DIR="+home+"/run")
			dir := d.write("main.tf", shopCall(line{"num_cache_nodes", "2"}))
			if r := d.masked(umask, "up", dir); r.code != 0 {
				t.Fatal(r.stderr)
			}
			d.live(umask)
			names := d.private("after a life")
			for _, name := range []string{"larder.db", "master.key", "engine.json", "engine.log", "engine.sock",
				"nodes", "snapshots", "logs", "metrics", "mail", "ca.pem"} {
				if !names[name] {
					t.Errorf("the life left no %s", name)
				}
			}
			for _, outside := range []string{home, temporary, filepath.Dir(d.home)} {
				entries, err := os.ReadDir(outside)
				d.check(err)
				for _, e := range entries {
					if filepath.Join(outside, e.Name()) != d.home {
						t.Errorf("%s is in %s", e.Name(), outside)
					}
				}
			}
			for _, p := range d.processes() {
				if line := read(t, fmt.Sprintf("/proc/%d/cmdline", p.PID)); strings.Contains(line, secondToken) {
					t.Errorf("process %d has the token in its command line: %q", p.PID, line)
				}
			}
		})
	}
}

const secondToken = "the-second-token-of-the-shop"

// live goes through what makes files: a mail, a snapshot, another token, a failover, an engine that is killed and
// starts anew.
func (d *harness) live(umask string) {
	t, ctx := d.t, d.t.Context()
	topics := sns.NewFromConfig(d.config())
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: new("critical")})
	d.check(err)
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: new("email"),
		Endpoint: new("ops@example.com")})
	d.check(err)
	d.eventually("the mail is there", func() bool {
		return d.masked(umask, "mail", "--exec", "true").code == 0 && len(files(t, filepath.Join(d.home, "mail"))) > 0
	})
	_, err = d.api().CreateSnapshot(ctx,
		&elasticache.CreateSnapshotInput{SnapshotName: new("noon"), ReplicationGroupId: new(shop)})
	d.check(err)
	d.eventually("the snapshot is made",
		func() bool { return aws.ToString(d.snapshot("noon").SnapshotStatus) == "available" })
	_, err = d.api().ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: new(shop), AuthToken: new(secondToken),
		AuthTokenUpdateStrategy: ectypes.AuthTokenUpdateStrategyTypeRotate, ApplyImmediately: new(true),
	})
	d.check(err)
	d.eventually("the group has its token", func() bool { return d.status(shop).Status == "available" })
	if r := d.masked(umask, "failover"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	d.kill(d.pid())
	if r := d.masked(umask, "status"); r.code == 0 {
		t.Errorf("an engine runs:\n%s", r.stdout)
	}
	if r := d.masked(umask, "up", d.write("main.tf", shopCall(line{"num_cache_nodes", "2"}))); r.code != 0 {
		t.Fatal(r.stderr)
	}
	d.eventually("the group is available", func() bool { return d.status(shop).Status == "available" })
}

// files lists those under a directory.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			paths = append(paths, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestModesThatAreTooWideAreMended: by an engine that runs, within seconds, and by `up` where none does, on the
// terminal and in the log.
func TestModesThatAreTooWideAreMended(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	dir := d.write("main.tf", shopCall(line{"num_cache_nodes", "2"}))
	d.must("up", dir)
	const said = "the directory itself (mode 0777, now 0700)"
	widen := func() {
		for _, name := range []string{"master.key", "larder.db", "nodes", ""} { // what is waited for comes last
			d.check(os.Chmod(filepath.Join(d.home, name), 0o777))
		}
	}
	told := func() int { return strings.Count(read(t, d.home+"/engine.log"), said) }
	widen()
	d.eventually("the engine mends the modes", func() bool { return told() == 1 })
	d.private("by the engine")
	d.end(d.pid(), syscall.SIGKILL)
	widen()
	if r := d.larder("up", dir); r.code != 0 || !strings.Contains(r.stderr, said) || told() != 2 {
		t.Errorf("exit %d, in the log %d times\n%s", r.code, told(), r.stderr)
	}
	d.private("by up")
}

// TestPlantedLinksAreRefused: an engine writes through none of them.
func TestPlantedLinksAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ca.pem", "ca-bundle.pem", "engine.log", "engine.json", "master.key", "larder.db",
		"nodes"} {
		d := newHarness(t)
		outside := filepath.Join(t.TempDir(), "bashrc")
		d.check(os.WriteFile(outside, []byte("mine"), 0o644))
		d.check(os.Mkdir(d.home, 0o700))
		d.check(os.WriteFile(filepath.Join(d.home, "engine.lock"), nil, 0o600)) // it looks like larder's
		d.check(os.Symlink(outside, filepath.Join(d.home, name)))
		for _, args := range [][]string{{"up", d.write("main.tf", shopCall())}, {"serve"}} {
			d.refused(args, name+" is a link to "+outside, "next: ")
		}
		if got := read(t, outside); got != "mine" {
			t.Errorf("%s: outside now has %q", name, got)
		}
	}
}

// TestAnotherDirectoryIsLeftAlone: one that holds other things is named by mistake.
func TestAnotherDirectoryIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.check(os.Mkdir(d.home, 0o755))
	d.check(os.WriteFile(filepath.Join(d.home, "thesis"), nil, 0o644))
	for _, args := range [][]string{{"up", d.write("main.tf", shopCall())}, {"serve"}} {
		d.refused(args, "holds thesis, and nothing of larder",
			"next: choose a directory of its own for larder with LARDER_HOME")
	}
	info, err := os.Stat(d.home)
	d.check(err)
	if entries, err := os.ReadDir(d.home); err != nil || len(entries) != 1 || info.Mode().Perm() != 0o755 {
		t.Errorf("it has %v, mode %v, %v", entries, info.Mode(), err)
	}
}
