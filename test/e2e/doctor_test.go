package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/internal/testkit"
)

// enclosed is a harness whose processes are in a PID namespace of their own: `down --all` reaches no other of this
// machine.
type enclosed struct {
	*harness
	space   *testkit.Namespace
	program string // the path of larder
	user    int    // as which all is run; zero is the test's own
}

func newEnclosed(t *testing.T, space *testkit.Namespace) *enclosed {
	d := &harness{t: t, home: filepath.Join(t.TempDir(), "state"), env: testkit.Environment()}
	d.env = append(d.env, "LARDER_HOME="+d.home, "LARDER_LISTEN="+testkit.Address(t))
	return &enclosed{harness: d, space: space, program: program}
}

func (d *enclosed) larder(args ...string) result { return d.run(d.program, args...) }

func (d *enclosed) run(name string, args ...string) result {
	d.t.Helper()
	if d.user != 0 {
		id := strconv.Itoa(d.user)
		name, args = "setpriv", append([]string{"--reuid=" + id, "--regid=" + id, "--clear-groups", name}, args...)
	}
	name, args = d.space.Command(name, args...)
	return d.harness.run(name, args...)
}

func (d *enclosed) must(name string, args ...string) string {
	d.t.Helper()
	r := d.run(name, args...)
	if r.code != 0 {
		d.t.Fatalf("%s %v: exit %d\n%s%s", name, args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// up brings one of the seed's configurations up. A command in the namespace has another working directory than the
// test.
func (d *enclosed) up(configuration string) {
	d.t.Helper()
	path, err := filepath.Abs(seed + configuration)
	if err != nil {
		d.t.Fatal(err)
	}
	d.must(program, "up", path)
}

// background starts a shell command that goes on, and returns its process id in the namespace.
func (d *enclosed) background(command string) string {
	d.t.Helper()
	file := filepath.Join(d.t.TempDir(), "pid")
	d.must("sh", "-c", "setsid sh -c 'echo $$ >"+file+"; exec "+command+"' >"+file+".log 2>&1 </dev/null &")
	d.eventually("a process writes its id", func() bool {
		raw, err := os.ReadFile(file)
		return err == nil && len(raw) > 1
	})
	return strings.TrimSpace(read(d.t, file))
}

func (d *enclosed) enginePID() string {
	d.t.Helper()
	var info struct{ PID int }
	if err := json.Unmarshal([]byte(read(d.t, filepath.Join(d.home, "engine.json"))), &info); err != nil {
		d.t.Fatal(err)
	}
	return strconv.Itoa(info.PID)
}

// runs tells whether a process of the namespace runs; one that has ended and is not waited for does not.
func (d *enclosed) runs(pid string) bool {
	d.t.Helper()
	r := d.run("cat", "/proc/"+pid+"/stat")
	return r.code == 0 && !strings.Contains(r.stdout, ") Z ")
}

type diagnosis struct {
	Healthy  bool
	Findings []struct {
		Severity, Check, Message, Next, Directory string
		PIDs                                      []int
	}
	Processes []struct {
		PID                       int
		Kind, ID, Directory, Lost string
		Stopped                   bool
	}
}

func (d *enclosed) diagnose(code int) (found diagnosis) {
	d.t.Helper()
	r := d.larder("doctor", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil || r.code != code {
		d.t.Fatalf("exit %d, want %d, %v\n%s%s", r.code, code, err, r.stdout, r.stderr)
	}
	return found
}

// kinds counts a diagnosis's processes of a state directory, by kind.
func (v diagnosis) kinds(dir string) map[string]int {
	n := map[string]int{}
	for _, p := range v.Processes {
		if p.Directory == dir {
			n[p.Kind]++
		}
	}
	return n
}

// about finds a finding of a check on a directory.
func (v diagnosis) about(check, dir string) (pids []int, found bool) {
	for _, f := range v.Findings {
		if f.Check == check && f.Directory == dir {
			return f.PIDs, true
		}
	}
	return nil, false
}

// TestWhatIsLeftIsFoundAndEnded: a stopped engine whose state directory was deleted, with its nodes and relay; the node
// of an engine that was killed; one that is well. What only looks like larder's stays.
func TestWhatIsLeftIsFoundAndEnded(t *testing.T) {
	t.Parallel()
	space := testkit.NewNamespace(t)
	ghost, orphan, well := newEnclosed(t, space), newEnclosed(t, space), newEnclosed(t, space)
	if v := well.diagnose(0); !v.Healthy || len(v.Processes) > 0 {
		t.Errorf("before anything was started: %+v", v)
	}
	ghost.up("production.tf")
	orphan.up("development.tf")
	well.up("development.tf")
	if v := well.diagnose(0); !v.Healthy || v.kinds(ghost.home)["node"] != 3 || v.kinds(ghost.home)["relay"] != 1 {
		t.Errorf("while all is well: %+v", v)
	}
	strangers := imitations(well)

	ghostEngine := ghost.enginePID()
	ghost.must("kill", "-STOP", ghostEngine)
	if err := os.RemoveAll(ghost.home); err != nil {
		t.Fatal(err)
	}
	orphanEngine := orphan.enginePID()
	orphan.must("kill", "-KILL", orphanEngine)
	orphan.eventually("the engine is gone", func() bool { return !orphan.runs(orphanEngine) })

	v := well.diagnose(1)
	if pids, found := v.about("lost-directory", ghost.home); !found || len(pids) != 5 ||
		strconv.Itoa(pids[0]) != ghostEngine {
		t.Errorf("of the deleted directory: %v in %+v", pids, v)
	}
	if pids, found := v.about("node-without-engine", orphan.home); !found || len(pids) != 1 {
		t.Errorf("of the killed engine: %v in %+v", pids, v)
	}
	if v.Findings[0].Check != "lost-directory" || v.kinds(well.home)["engine"] != 1 {
		t.Errorf("the worst comes first, and all are listed: %+v", v)
	}
	if r := well.larder("doctor"); r.code != 1 ||
		!strings.HasPrefix(r.stdout, "error    1 engine, 3 nodes and 1 relay ") ||
		!strings.Contains(r.stdout, "directory gone") {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}

	if r := ghost.larder("down"); r.code != 1 || !strings.Contains(r.stderr, "larder down --all") ||
		!strings.Contains(r.stderr, ghostEngine) {
		t.Errorf("down, without its state directory: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := well.larder("down", "--all"); r.code != 2 || !strings.Contains(r.stderr, "add --yes") ||
		!strings.Contains(r.stderr, ghost.home) {
		t.Errorf("without a terminal: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if after := well.diagnose(1); len(after.Processes) != len(v.Processes) {
		t.Errorf("not confirmed, and processes ended: %+v", after)
	}
	if r := well.larder("down", "--all", "--yes"); r.code != 0 {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	for _, p := range v.Processes {
		if well.runs(strconv.Itoa(p.PID)) {
			t.Errorf("still there: %+v", p)
		}
	}
	if v := well.diagnose(0); !v.Healthy || len(v.Processes) > 0 {
		t.Errorf("when all are ended: %+v", v)
	}
	for what, pid := range strangers {
		if !well.runs(pid) {
			t.Errorf("%s was ended", what)
		}
	}
}

// imitations starts processes that are none of larder's, and have something of them.
func imitations(d *enclosed) map[string]string {
	d.t.Helper()
	nodes := filepath.Join(d.t.TempDir(), "nodes", "a")
	if err := os.MkdirAll(nodes, 0o700); err != nil {
		d.t.Fatal(err)
	}
	mark := func(kind string) string { return "env LARDER_PROCESS=" + kind + " LARDER_PROCESS_DIR=" + d.home + " " }
	const redis = "redis-server --port 0 --unixsocket admin.sock --dir "
	return map[string]string{
		"an engine by its mark":              d.background(mark("engine") + "sleep 600"),
		"an engine by its mark and argument": d.background(mark("engine") + `tail -f /dev/null serve`),
		"a relay by its mark":                d.background(mark("relay") + "sleep 600"),
		"a redis-server in a node's place":   d.background("env --chdir=" + nodes + " " + redis + nodes),
		"a redis-server in larder's own": d.background("env --chdir=" + filepath.Join(d.home, "nodes") + " " +
			redis + nodes),
		"a program in the state directory": d.background("env --chdir=" + d.home + " sleep 600"),
		"one that has the store open":      d.background("tail -f " + filepath.Join(d.home, "larder.db")),
	}
}

// TestAStoppedEngineIsEnded: it has its state directory, answers nobody, and its nodes go with it.
func TestAStoppedEngineIsEnded(t *testing.T) {
	t.Parallel()
	space := testkit.NewNamespace(t)
	d, other := newEnclosed(t, space), newEnclosed(t, space)
	d.up("development.tf")
	engine := d.enginePID()
	d.must("kill", "-STOP", engine)
	v := other.diagnose(1)
	if pids, found := v.about("engine-silent", d.home); !found || !slices.Equal(pids, []int{v.Processes[0].PID}) {
		t.Errorf("%+v", v)
	}
	if r := other.larder("down"); r.code != 0 || !strings.Contains(r.stdout, "larder doctor") ||
		!strings.Contains(r.stdout, "1 engine and 1 node") {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if r := other.larder("down", "--all", "--yes"); r.code != 0 {
		t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	if v := other.diagnose(0); len(v.Processes) > 0 {
		t.Errorf("%+v", v)
	}
}
