// Package e2e runs the larder program as its users do: real processes, free addresses, a state directory per test.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/testkit"
)

var program string // path of the larder under test

func TestMain(m *testing.M) { os.Exit(testkit.Main(m, &program)) }

// seed is where the seed's configurations lie, as it writes them.
const seed = "../../internal/module/testdata/seed/"

// harness runs larder's commands as a user's shell does, with a state directory and an environment.
type harness struct {
	t    *testing.T
	home string
	env  []string
	cli  string // path of the AWS CLI, where a test asked for a version of it
}

// newHarness makes a harness whose engine listens on an address of its own. The end of the test stops its processes,
// and fails the test when one of them stays.
func newHarness(t *testing.T) *harness {
	t.Helper()
	d := &harness{t: t, home: filepath.Join(t.TempDir(), "state"), env: testkit.Environment()}
	d.env = append(d.env, "LARDER_HOME="+d.home, "LARDER_LISTEN="+testkit.Address(t))
	t.Cleanup(d.clear)
	return d
}

func (d *harness) clear() {
	if _, err := os.Stat(d.home); errors.Is(err, os.ErrNotExist) {
		return
	}
	if r := d.larder("down", "--yes"); r.code != 0 {
		d.t.Errorf("larder down: %s", r.stderr)
	}
	if left := d.processes(); len(left) > 0 {
		d.t.Errorf("processes left: %v", left)
	}
}

// processes are those that run with a working directory under the state directory.
func (d *harness) processes() []testkit.Process {
	d.t.Helper()
	found, err := testkit.ProcessesIn(d.home)
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

const (
	// patience is how long something may take that takes a second on a machine that does nothing else.
	patience = time.Minute
	// commandLimit is for a command that hangs: some do in one go what takes several times a second.
	commandLimit = 3 * time.Minute
)

type result struct {
	stdout, stderr string
	code           int
}

// larder runs a command to its end.
func (d *harness) larder(args ...string) result { return d.run(program, args...) }

func (d *harness) run(name string, args ...string) result {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = d.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && (ctx.Err() != nil || !errors.As(err, &exit)) {
		d.t.Fatalf("%s %v, in %s at most: %v\n%s%s", name, args, commandLimit, err, &stdout, &stderr)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs a larder command that has to succeed and returns what it printed.
func (d *harness) must(args ...string) string {
	d.t.Helper()
	r := d.larder(args...)
	if r.code != 0 {
		d.t.Fatalf("larder %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// refused runs a larder command that has to fail, and to say each of the words.
func (d *harness) refused(args []string, words ...string) {
	d.t.Helper()
	r := d.larder(args...)
	if r.code == 0 {
		d.t.Fatalf("larder %s: succeeded, want a refusal\n%s", strings.Join(args, " "), r.stdout)
	}
	for _, w := range words {
		if !strings.Contains(r.stderr, w) {
			d.t.Errorf("larder %s: %q is not in\n%s", strings.Join(args, " "), w, r.stderr)
		}
	}
}

// clientEnv is what `larder env` gives.
func (d *harness) clientEnv() map[string]string {
	d.t.Helper()
	env := map[string]string{}
	if err := json.Unmarshal([]byte(d.must("env", "--json")), &env); err != nil {
		d.t.Fatal(err)
	}
	return env
}

// api is an SDK client with the engine's credential.
func (d *harness) api() *elasticache.Client {
	return elasticache.NewFromConfig(testkit.Config(d.clientEnv()))
}

// shell runs a command line as one who pasted it after eval "$(larder env)".
func (d *harness) shell(line string) result {
	return d.run("sh", "-c", `eval "$(`+program+` env)"; `+line)
}

// status is what `larder status --json` says of one group.
type status struct {
	ID, Status string
	Primary    string `json:"primary_endpoint"`
	Reader     string `json:"reader_endpoint"`
	Nodes      []struct {
		ID, Zone, Role, Status, Address string
		PID                             int
	}
}

func (d *harness) status(id string) status {
	d.t.Helper()
	var all struct{ Groups []status }
	if err := json.Unmarshal([]byte(d.must("status", id, "--json")), &all); err != nil {
		d.t.Fatal(err)
	}
	return all.Groups[0]
}

// write makes a file in a directory of its own and returns the directory.
func (d *harness) write(name, content string) string {
	d.t.Helper()
	dir := d.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// eventually waits until a condition holds.
func (d *harness) eventually(what string, condition func() bool) {
	d.t.Helper()
	testkit.Within(d.t, patience, what, condition)
}
