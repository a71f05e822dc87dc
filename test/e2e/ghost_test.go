package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/testkit"
)

// foreground is an engine that the test runs itself, to see how it ends.
type foreground struct {
	*exec.Cmd
	stderr *bytes.Buffer
	ended  chan error
}

// inForeground runs `larder serve`.
func (d *harness) inForeground() *foreground {
	d.t.Helper()
	f := &foreground{Cmd: exec.Command(program, "serve"), stderr: &bytes.Buffer{}, ended: make(chan error, 1)}
	f.Env, f.Stderr = d.env, f.stderr
	if err := f.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		f.Process.Kill()
		<-f.ended
	})
	go func() {
		f.Wait()
		close(f.ended)
	}()
	d.eventually("the engine answers", func() bool { return d.larder("status").code == 0 })
	return f
}

// awaitEnd waits until the engine has ended in failure, and nothing is left of it, and returns what it said.
func (d *harness) awaitEnd(f *foreground, nodes []int) string {
	d.t.Helper()
	d.eventually("the engine has ended", func() bool {
		select {
		case <-f.ended:
			return true
		default:
			return false
		}
	})
	if code := f.ProcessState.ExitCode(); code != 1 {
		d.t.Errorf("the engine ended with exit code %d, want 1:\n%s", code, f.stderr)
	}
	d.awaitGone(nodes...)
	return f.stderr.String()
}

// awaitGone waits until processes are gone. A test that fails leaves none of them.
func (d *harness) awaitGone(pids ...int) {
	d.t.Helper()
	defer func() {
		for _, pid := range pids {
			if d.t.Failed() && runs(pid) {
				d.t.Errorf("process %d is left", pid)
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}()
	d.eventually("all processes are gone", func() bool { return !slices.ContainsFunc(pids, runs) })
}

func runs(pid int) bool { return syscall.Kill(pid, 0) == nil && !isZombie(pid) }

func isZombie(pid int) bool {
	line, err := os.ReadFile("/proc/" + itoa(pid) + "/cmdline")
	return err != nil || len(line) == 0
}

// remove deletes the state directory, however much is written to it meanwhile.
func (d *harness) remove() {
	d.t.Helper()
	d.eventually("the state directory is removed", func() bool { return os.RemoveAll(d.home) == nil })
}

// TestADeletedStateDirectoryEndsEverything: whatever the engine is doing, it ends itself, its nodes and relays, says
// so, and makes nothing anew.
func TestADeletedStateDirectoryEndsEverything(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-prod-redis"
	for name, before := range map[string]func(t *testing.T, d *harness){
		"at rest": func(*testing.T, *harness) {},
		"while a node starts and a failover runs": func(t *testing.T, d *harness) {
			for _, n := range d.status(id).Nodes {
				if n.Role == "primary" {
					d.kill(n.PID)
				}
			}
		},
		"while a snapshot is taken": func(t *testing.T, d *harness) {
			in := &elasticache.CreateSnapshotInput{ReplicationGroupId: aws.String(id),
				SnapshotName: aws.String("before")}
			if _, err := d.api().CreateSnapshot(context.Background(), in); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newHarness(t)
			engine := d.inForeground()
			d.must("up", seed+"production.tf")
			nodes := d.pids()
			if len(nodes) < 4 {
				t.Fatalf("processes are %v, want three nodes and a relay", nodes)
			}
			before(t, d)
			nodes = append(nodes, d.pids()...)
			d.remove()
			said := d.awaitEnd(engine, nodes)
			line := regexp.MustCompile(`the state directory \S+ was deleted while the engine ran: .* \d+ nodes and relays are ` +
				`ended`)
			if !line.MatchString(said) || !strings.Contains(said, d.home) ||
				!strings.Contains(said, "next: `larder up DIR`") {
				t.Errorf("the engine said\n%s", said)
			}
			if left := d.processes(); len(left) > 0 {
				t.Errorf("processes left: %v", left)
			}
			if _, err := os.Lstat(d.home); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the state directory is there again: %v", err)
			}
		})
	}
}

// TestUpAfterRemovalBeginsAnew at once, at the same path and the same port, with fresh state, while the old engine
// still ends.
func TestUpAfterRemovalBeginsAnew(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	old := append(d.pids(), d.pid())
	authority := read(t, filepath.Join(d.home, "ca.pem"))
	d.remove()
	if out := d.must("up", seed+"development.tf"); !strings.Contains(out, "is up") {
		t.Errorf("up says %s", out)
	}
	d.awaitGone(old...)
	if s := d.status("uex-payments-dev-redis"); s.Status != "available" || slices.Contains(old, s.Nodes[0].PID) {
		t.Errorf("the new group is %+v, the old processes are %v", s, old)
	}
	if read(t, filepath.Join(d.home, "ca.pem")) == authority {
		t.Error("the new installation has the old one's CA")
	}
}

// TestAMovedStateDirectory: a link in its place is enough for the engine to go on; without one it ends, and says where
// the directory is.
func TestAMovedStateDirectory(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	engine := d.inForeground()
	d.must("up", seed+"development.tf")
	nodes := d.pids()
	aside := d.home + "-elsewhere"
	if err := errors.Join(os.Rename(d.home, aside), os.Symlink(aside, d.home)); err != nil {
		t.Fatal(err)
	}
	if s := d.status("uex-payments-dev-redis"); s.Status != "available" {
		t.Errorf("the group is %s", s.Status)
	}
	if err := os.Remove(filepath.Join(d.home,
		"engine.json")); err != nil { // that it comes back shows that the engine looks, and goes on
		t.Fatal(err)
	}
	d.eventually("the engine mends what is missing", func() bool { return d.larder("status").code == 0 })
	if err := os.Remove(d.home); err != nil {
		t.Fatal(err)
	}
	if said := d.awaitEnd(engine, nodes); !strings.Contains(said, "is now "+aside) ||
		!strings.Contains(said, "LARDER_HOME="+aside) {
		t.Errorf("the engine said\n%s", said)
	}
	if err := os.Rename(aside, d.home); err != nil {
		t.Fatal(err)
	}
	if out := d.must("up", seed+"development.tf"); !strings.Contains(out, "began again without data") {
		t.Errorf("up of what was moved back: %s", out)
	}
}

// TestASecondEngineAtTheSamePath: the directory was moved away, and another engine begins at its path. The old one ends
// and leaves all that is the new one's alone.
func TestASecondEngineAtTheSamePath(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	old := d.inForeground()
	d.must("up", seed+"development.tf")
	nodes := d.pids()
	aside := d.home + "-elsewhere"
	if err := os.Rename(d.home, aside); err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "LARDER_LISTEN="+testkit.Address(t))
	d.must("up", seed+"development.tf")
	before := d.status("uex-payments-dev-redis")
	if said := d.awaitEnd(old, nodes); !strings.Contains(said, "is now "+aside) {
		t.Errorf("the engine said\n%s", said)
	}
	if after := d.status("uex-payments-dev-redis"); after.Status != "available" ||
		after.Nodes[0].PID != before.Nodes[0].PID {
		t.Errorf("the new group is %+v, was %+v", after, before)
	}
}

// TestTermOfAGhostEndsItsNodes: nobody could find them afterwards.
func TestTermOfAGhostEndsItsNodes(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	engine := d.inForeground()
	d.must("up", seed+"development.tf")
	nodes := d.pids()
	d.remove()
	if err := engine.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if said := d.awaitEnd(engine, nodes); !strings.Contains(said, "was deleted while the engine ran") {
		t.Errorf("the engine said\n%s", said)
	}
}

// TestAGhostAtThePortIsNamed: one that does not notice, such as a stopped one.
func TestAGhostAtThePortIsNamed(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	old, engine := d.pids(), d.pid()
	if err := syscall.Kill(engine, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(engine, syscall.SIGKILL)
	d.remove()
	d.refused([]string{"up", seed + "development.tf"}, "address already in use", "process "+itoa(engine)+" (larder)",
		d.home+" is gone", "kill "+itoa(engine))
	if err := syscall.Kill(engine, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	d.awaitGone(append(old, engine)...)
	d.must("up", seed+"development.tf")
}

// TestUpSaysThatTheDirectoryWent while it waits for a group.
func TestUpSaysThatTheDirectoryWent(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	ended := make(chan result, 1)
	go func() { ended <- d.larder("up", seed+"production.tf") }()
	d.eventually("nodes are started", func() bool {
		found, err := filepath.Glob(filepath.Join(d.home, "nodes", "*"))
		return err == nil && len(found) > 0
	})
	pids := append(d.pids(), d.pid())
	d.remove()
	r := <-ended
	if r.code == 0 || !strings.Contains(r.stderr,
		"the state directory "+d.home+" was deleted, moved or replaced meanwhile") {
		t.Errorf("up ended with %d:\n%s", r.code, r.stderr)
	}
	d.awaitGone(pids...)
	d.eventually("no process is left", func() bool { return len(d.processes()) == 0 })
	if _, err := os.Lstat(d.home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state directory is there again: %v", err)
	}
}

// TestPartsOfTheStateDirectoryComeBack: what is removed of it while the engine runs is made anew; no key, setting or
// secret is lost, also when the engine is killed afterwards.
func TestPartsOfTheStateDirectoryComeBack(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-prod-redis"
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	ctx := context.Background()
	before := d.status(id)
	client := d.client(before.Primary)
	if err := client.Set(ctx, "kept", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	parts := []string{"larder.db", "master.key", "engine.json", "engine.sock", "ca.pem", "ca-bundle.pem", "logs",
		"metrics", "engine.log"}
	key, authority := read(t, filepath.Join(d.home, "master.key")), read(t, filepath.Join(d.home, "ca.pem"))
	for _, part := range parts {
		path := filepath.Join(d.home, part)
		take := os.RemoveAll
		if part == "engine.log" { // which logrotate does
			take = func(path string) error { return os.Rename(path, path+".1") }
		}
		if err := take(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range parts {
		d.eventually(part+" is there again", func() bool {
			_, err := os.Lstat(filepath.Join(d.home, part))
			return err == nil
		})
		d.eventually(part+" is told of", func() bool {
			said := ""
			for _, log := range []string{"engine.log.1", "engine.log"} {
				if text, err := os.ReadFile(filepath.Join(d.home, log)); err == nil {
					said += string(text)
				}
			}
			return strings.Contains(said, "made it anew\" what="+part)
		})
	}
	if read(t, filepath.Join(d.home, "master.key")) != key || read(t, filepath.Join(d.home, "ca.pem")) != authority {
		t.Error("what came back is not what was")
	}

	// A change that the restored database has to hold.
	if r := d.shell(`aws secretsmanager create-secret --name after --secret-string x`); r.code != 0 {
		t.Fatal(r.stderr)
	}
	// Nodes without directories are replaced one after the other, and their data go on.
	if err := os.RemoveAll(filepath.Join(d.home, "nodes")); err != nil {
		t.Fatal(err)
	}
	d.eventually("all nodes are replaced", func() bool {
		now := d.status(id)
		replaced := now.Status == "available"
		for i, n := range now.Nodes {
			replaced = replaced && n.PID != 0 && n.PID != before.Nodes[i].PID
		}
		return replaced
	})

	d.kill(d.pid())
	d.must("up", seed+"production.tf")
	if r := d.shell(`aws secretsmanager get-secret-value --secret-id after --query SecretString --output ` +
		`text`); strings.TrimSpace(r.stdout) != "x" {
		t.Errorf("the secret is %q: %s", r.stdout, r.stderr)
	}
	if got, err := client.Get(ctx, "kept").Result(); got != "value" {
		t.Errorf("the data are %q: %v", got, err)
	}
	if after := d.status(id); after.Status != "available" || len(after.Nodes) != len(before.Nodes) {
		t.Errorf("the group is %+v", after)
	}
}

// TestAnothersDatabaseIsSetAside: a file that is put in the place of the running engine's is kept under another name.
func TestAnothersDatabaseIsSetAside(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	path := filepath.Join(d.home, "larder.db")
	other := filepath.Join(d.t.TempDir(), "other.db")
	if err := errors.Join(os.WriteFile(other, []byte("a copy"), 0o600), os.Rename(other, path)); err != nil {
		t.Fatal(err)
	}
	var kept []string
	d.eventually("the file is set aside", func() bool {
		kept, _ = filepath.Glob(path + ".replaced-*")
		_, err := os.Lstat(path)
		return len(kept) == 1 && err == nil
	})
	if got := read(t, kept[0]); got != "a copy" {
		t.Errorf("it holds %q", got)
	}
	d.kill(d.pid())
	d.eventually("the node alone is left", func() bool { return len(d.pids()) == 1 })
	if out := d.must("up", seed+"development.tf"); !strings.Contains(out, "nothing to change") {
		t.Errorf("up says %s", out)
	}
}

func itoa(pid int) string { return strconv.Itoa(pid) }
