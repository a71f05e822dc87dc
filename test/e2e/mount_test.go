package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"larder/internal/testkit"
)

// nobody is a user that is not root, and has no home.
const nobody = 65534

// asNobody makes a harness of another user than root, where the test is root's.
func asNobody(t *testing.T, space *testkit.Namespace) *enclosed {
	t.Helper()
	d := newEnclosed(t, space)
	if os.Getuid() != 0 {
		return d
	}
	text, err := os.ReadFile(program) // which lies in a directory of root's own
	d.check(err)
	d.program = filepath.Join(t.TempDir(), "larder")
	d.check(os.WriteFile(d.program, text, 0o755))
	d.check(os.Chmod(d.program, 0o755))
	dir := t.TempDir()
	d.check(os.Chmod(filepath.Dir(dir), 0o755))
	d.check(os.Chown(dir, nobody, nobody))
	d.home = filepath.Join(dir, "state")
	d.env = append(d.env, "LARDER_HOME="+d.home, "HOME=/nonexistent", "TMPDIR="+dir)
	d.user = nobody
	return d
}

// TestNodesOfAKilledEngineWithoutADirectory, of a user that is not root: the engine is killed before the directory is
// removed, or after it. Nobody but `down --all` finds what is left.
func TestNodesOfAKilledEngineWithoutADirectory(t *testing.T) {
	t.Parallel()
	space := testkit.NewNamespace(t)
	before, after, other := asNobody(t, space), asNobody(t, space), asNobody(t, space)
	configuration, err := os.ReadFile(seed + "development.tf")
	other.check(err)
	for _, d := range []*enclosed{before, after} {
		dir := filepath.Dir(d.home)
		d.check(os.WriteFile(filepath.Join(dir, "main.tf"), configuration, 0o644))
		d.check(os.Chmod(filepath.Join(dir, "main.tf"), 0o644))
		d.must(d.program, "up", dir)
	}
	if v := other.diagnose(0); !v.Healthy || len(v.Processes) != 4 {
		t.Errorf("while all is well: %+v", v)
	}
	killed := before.enginePID()
	before.must("kill", "-KILL", killed)
	before.eventually("the engine is gone", func() bool { return !before.runs(killed) })
	before.check(os.RemoveAll(before.home))

	killed = after.enginePID()
	after.must("kill", "-STOP", killed)
	after.check(os.RemoveAll(after.home))
	after.must("kill", "-KILL", killed)
	after.eventually("the engine is gone", func() bool { return !after.runs(killed) })

	v := other.diagnose(1)
	for _, d := range []*enclosed{before, after} {
		if pids, found := v.about("lost-directory", d.home); !found || len(pids) != 1 {
			t.Errorf("of %s: %v in %+v", d.home, pids, v)
		}
	}
	if r := other.larder("down", "--all", "--yes"); r.code != 0 || !strings.Contains(r.stdout, "2 nodes stopped") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if v := other.diagnose(0); len(v.Processes) > 0 {
		t.Errorf("when all are ended: %+v", v)
	}
}

// TestAMountedStateDirectory: an engine works in a directory that is mounted where it is used, and ends with its nodes
// when that is unmounted.
func TestAMountedStateDirectory(t *testing.T) {
	t.Parallel()
	space := testkit.NewNamespace(t)
	for kind, mount := range map[string]func(dir, home string) []string{
		"bind": func(dir, home string) []string { return []string{"mount", "--bind", dir, home} },
		"overlay": func(dir, home string) []string {
			return []string{"sh", "-c", "mount -t tmpfs none " + dir + " && cd " + dir +
				" && mkdir -m 700 lower upper work && " +
				"mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work " + home}
		},
	} {
		t.Run(kind, func(t *testing.T) {
			d := newEnclosed(t, space)
			source := filepath.Join(t.TempDir(), "source")
			d.check(os.Mkdir(source, 0o700))
			d.check(os.Mkdir(d.home, 0o700))
			command := mount(source, d.home)
			d.must(command[0], command[1:]...)
			d.background("env LARDER_HOME=" + d.home + " " + program + " serve --listen 127.0.0.1:0")
			d.eventually("the engine answers", func() bool { return d.larder("status").code == 0 })
			d.up("development.tf")
			v := d.diagnose(0)
			if !v.Healthy || v.kinds(d.home)["node"] != 1 || v.kinds(d.home)["engine"] != 1 {
				t.Fatalf("while it is mounted: %+v", v)
			}
			engine := strconv.Itoa(v.Processes[0].PID)
			d.must("umount", "-l", d.home)
			d.eventually("the engine has ended", func() bool { return !d.runs(engine) })
			if v := d.diagnose(0); len(v.Processes) > 0 {
				t.Errorf("when it is unmounted: %+v", v)
			}
		})
	}
}

// TestAnUnmountedStateDirectoryIsNamed: nodes of a killed engine whose state directory is unmounted while they work in
// it. The kernel tells of it no more than the path below its mount point.
func TestAnUnmountedStateDirectoryIsNamed(t *testing.T) {
	t.Parallel()
	d := newEnclosed(t, testkit.NewNamespace(t))
	d.check(os.Mkdir(d.home, 0o700))
	d.must("mount", "-t", "tmpfs", "-o", "mode=0700", "larder-test", d.home)
	d.up("development.tf")
	killed := strconv.Itoa(d.diagnose(0).Processes[0].PID)
	d.must("kill", "-KILL", killed)
	d.eventually("the engine is gone", func() bool { return !d.runs(killed) })
	d.must("umount", "-l", d.home)
	v := d.diagnose(1)
	if pids, found := v.about("lost-directory", d.home); !found || len(pids) != 1 {
		t.Errorf("%v in %+v", pids, v)
	}
	if r := d.larder("down", "--all", "--yes"); r.code != 0 || !strings.Contains(r.stderr, d.home) {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if v := d.diagnose(0); len(v.Processes) > 0 {
		t.Errorf("when all are ended: %+v", v)
	}
}

// TestModesThatKeepTheirOwnerOut: a user that is not root reads nothing of mode 000. While the engine is dead commands
// say so, and `up` mends the modes and takes up the node that runs.
func TestModesThatKeepTheirOwnerOut(t *testing.T) {
	t.Parallel()
	d := asNobody(t, testkit.NewNamespace(t))
	dir := filepath.Dir(d.home)
	configuration, err := os.ReadFile(seed + "development.tf")
	d.check(err)
	d.check(os.WriteFile(filepath.Join(dir, "main.tf"), configuration, 0o644))
	d.check(os.Chmod(filepath.Join(dir, "main.tf"), 0o644))
	d.must(d.program, "up", dir)
	killed := d.enginePID()
	nodes := "for p in /proc/[0-9]*; do readlink $p/cwd | grep -q " + d.home + "/nodes/ && echo $p; done; true"
	before := d.must("sh", "-c", nodes)
	d.must("kill", "-KILL", killed)
	d.eventually("the engine is gone", func() bool { return !d.runs(killed) })
	for _, name := range []string{"larder.db", "engine.json", ""} {
		d.check(os.Chmod(filepath.Join(d.home, name), 0))
		if r := d.run(d.program, "status"); r.code == 0 || !strings.Contains(r.stderr, "next: ") ||
			!strings.Contains(r.stderr, "chmod -R u+rwX "+d.home) {
			t.Errorf("%q: exit %d\n%s%s", name, r.code, r.stdout, r.stderr)
		}
	}
	if out := d.must(d.program, "up", dir); !strings.Contains(out, "nothing to change") {
		t.Errorf("up says %s", out)
	}
	if now := d.must("sh", "-c", nodes); now != before || now == "" {
		t.Errorf("the node is %q, was %q", now, before)
	}
}
