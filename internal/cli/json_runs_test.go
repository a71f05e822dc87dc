package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/internal/app"
	"larder/internal/store"
	"larder/internal/testkit"
)

// jsonRun is a larder with a state directory of its own, whose JSON is checked by its schema.
type jsonRun struct {
	*testing.T
	program, home string
	env           []string
	done, failed  map[string]bool // the commands that succeeded and failed, by their names in jsonValues
}

func newJSONRun(t *testing.T) *jsonRun {
	t.Helper()
	dir := t.TempDir()
	r := &jsonRun{T: t, program: filepath.Join(dir, "larder"), home: filepath.Join(dir, "state"),
		done: map[string]bool{}, failed: map[string]bool{}}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", r.program, "larder/cmd/larder")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build larder: %v\n%s", err, out)
	}
	r.env = append(testkit.Environment(), "LARDER_HOME="+r.home, "LARDER_LISTEN="+testkit.Address(t))
	t.Cleanup(func() {
		down := exec.Command(r.program, "down", "--yes")
		down.Env = r.env
		if out, err := down.CombinedOutput(); err != nil {
			t.Errorf("larder down: %v\n%s", err, out)
		}
	})
	return r
}

func (r *jsonRun) command(line string) *exec.Cmd {
	c := exec.CommandContext(r.Context(), r.program, strings.Fields(line)...)
	c.Env = r.env
	c.Cancel, c.WaitDelay = func() error { return c.Process.Signal(os.Interrupt) }, time.Minute
	return c
}

// fits checks a value by the schema of a command.
func (r *jsonRun) fits(name string, value any) {
	r.Helper()
	if len(jsonValues[name]) == 0 {
		r.Fatalf("there is no schema of %q", name)
	}
	var wrong []string
	for _, v := range jsonValues[name] {
		misfit := misfits("", reflect.TypeOf(v), value)
		if len(misfit) == 0 {
			return
		}
		wrong = append(wrong, strings.Join(misfit, "; "))
	}
	r.Errorf("%s --json prints what is not in its schema: %s", name, strings.Join(wrong, " - or "))
}

// ok runs a command that ends with the code, and checks each value that it prints. At least one is printed.
func (r *jsonRun) ok(name string, code int, more string) (values []any) {
	r.Helper()
	c := r.command(strings.TrimPrefix(name, "larder ") + " --json " + more)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); c.ProcessState.ExitCode() != code {
		r.Fatalf("%s --json %s: %v, want %d\n%s%s", name, more, err, code, &stdout, &stderr)
	}
	for d := json.NewDecoder(&stdout); d.More(); {
		var v any
		if err := d.Decode(&v); err != nil {
			r.Fatalf("%s --json %s: %v", name, more, err)
		}
		r.fits(name, v)
		values = append(values, v)
	}
	if len(values) == 0 {
		r.Fatalf("%s --json %s prints nothing\n%s", name, more, &stderr)
	}
	r.done[name] = true
	return values
}

// refused runs a command that fails: the last line of standard error is the error, and nothing is on standard output.
func (r *jsonRun) refused(name, more string) {
	r.Helper()
	c := r.command(strings.TrimPrefix(name, "larder ") + " --json " + more)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	var said any
	if errJSON := json.Unmarshal([]byte(lines[len(lines)-1]), &said); err == nil || errJSON != nil || stdout.Len() > 0 {
		r.Errorf("%s --json %s: %v, %v\n%s%s", name, more, err, errJSON, &stdout, &stderr)
		return
	}
	r.fits("an error", said)
	if got := said.(map[string]any)["exit_code"]; got != float64(c.ProcessState.ExitCode()) {
		r.Errorf("%s --json %s says exit code %v, and ends with %d", name, more, got, c.ProcessState.ExitCode())
	}
	r.failed[name] = true
}

// until runs a command that goes on, and interrupts it when it has printed a value that is wanted.
func (r *jsonRun) until(name, more string, wanted func(map[string]any) bool) {
	r.Helper()
	c := r.command(strings.TrimPrefix(name, "larder ") + " --json " + more)
	from, err := c.StdoutPipe()
	if name == "larder serve" { // its log is what it prints
		from, err = c.StderrPipe()
	}
	if err := errors.Join(err, c.Start()); err != nil {
		r.Fatal(err)
	}
	late := time.AfterFunc(time.Minute, func() { c.Process.Signal(os.Interrupt) })
	defer late.Stop()
	found := false
	lines := bufio.NewScanner(from)
	for !found && lines.Scan() {
		var v map[string]any
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			r.Errorf("%s --json %s: %v of %s", name, more, err, lines.Text())
		}
		r.fits(name, v)
		found = wanted(v)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.Error(err)
	}
	_, errRest := io.Copy(io.Discard, from)
	if err := errors.Join(errRest, c.Wait()); err != nil || !found {
		r.Fatalf("%s --json %s: found %t, %v", name, more, found, err)
	}
	r.done[name] = true
}

// damage ends the engine, and makes one of its records unreadable.
func (r *jsonRun) damage(table, key string) {
	r.Helper()
	info := checked(app.Home(r.home).ReadInfo())(r.T)
	if err := syscall.Kill(info.PID, syscall.SIGKILL); err != nil {
		r.Fatal(err)
	}
	s := openStore(r.T, filepath.Join(r.home, "larder.db"))
	err := s.Update(func(tx *store.Tx) error {
		return store.Table[json.RawMessage](table).Put(tx, key, json.RawMessage(`"no record"`))
	})
	if err := errors.Join(err, s.Close()); err != nil {
		r.Fatal(err)
	}
}

func has(field string) func(map[string]any) bool {
	return func(v map[string]any) bool { _, there := v[field]; return there }
}

// Whatever a command prints with --json from its first use to its last, on an engine that runs, is as its schema says;
// so is each error.
func TestJSONOfEveryCommand(t *testing.T) {
	t.Parallel()
	r := newJSONRun(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "main.tf"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	shop := write("shop", fill(everything, "EMAILS", `critical_emails = ["a@example.com"]`, "REDIS",
		`num_cache_nodes = 2`))
	const id, vpc = "shop-dev-redis", "vpc-0damaged"
	r.ok("larder version", 0, "")
	r.ok("larder engines", 0, "")
	r.ok("larder plan", 2, shop)
	r.until("larder serve", "", has("msg"))
	r.ok("larder up", 0, shop)
	r.refused("larder serve", "")
	r.ok("larder outputs", 0, "")
	r.ok("larder env", 0, "")
	r.ok("larder top", 0, "--once")
	r.until("larder logs", "--engine --follow", has("message"))
	r.ok("larder failover", 0, id)
	asked := r.ok("larder operations", 0, "--group "+id)[0].(map[string]any)["operations"].([]any)
	if first, last := asked[0].(map[string]any)["kind"], asked[len(asked)-1].(map[string]any)["kind"]; first !=
		"test-failover" || last != "create-group" {
		t.Errorf("the operations are %v", asked)
	}
	r.until("larder status --watch", "", has("event"))
	testkit.Within(t, time.Minute, "the mail is there", func() bool {
		boxes, err := filepath.Glob(filepath.Join(r.home, "mail", "*", "new", "*"))
		return err == nil && len(boxes) > 0
	})
	r.ok("larder mail", 0, "")
	r.ok("larder mail --confirm", 0, "")
	for name, more := range map[string]string{
		"larder up": "/nowhere", "larder plan": "/nowhere", "larder status": "nobody", "larder status --watch": "nobody",
		"larder top": "nobody", "larder logs": "nobody", "larder failover": "nobody", "larder env": "nobody",
		"larder operations": "nobody/1",
		"larder outputs":    "--deployment nobody", "larder mail": "nobody@example.com", "larder destroy": "nobody --yes",
		"larder mail --confirm": "nobody@example.com", "larder forget": "vpcs vpc-nobody --yes", "larder down": "",
	} {
		r.refused(name, more)
	}
	r.damage("vpcs", vpc)
	r.ok("larder up", 0, shop)
	testkit.Within(t, time.Minute, "the damage is met", func() bool {
		values := r.ok("larder status", 0, "")
		return len(values[0].(map[string]any)["damage"].([]any)) > 0
	})
	r.until("larder status --watch", "", has("damage"))
	r.until("larder status --watch", "", has("warning"))
	r.ok("larder forget", 0, "vpcs "+vpc+" --yes")
	gone := r.ok("larder destroy", 0, "--yes")[0].(map[string]any)
	if kept, _ := gone["final_snapshot"].(string); !strings.HasPrefix(kept, id+"-final-") {
		t.Errorf("destroy tells of %v", gone)
	}
	r.ok("larder status", 0, "")
	r.ok("larder top", 0, "--once")
	r.ok("larder down", 0, "--yes")
	if c := r.command("doctor --json"); c.Run() != nil && c.ProcessState.ExitCode() != 1 { // by what else is here
		t.Error(c.ProcessState)
	} else {
		r.ok("larder doctor", c.ProcessState.ExitCode(), "")
	}
	none := write("none", fill(everything, "REDIS", "count = 0"))
	for _, name := range []string{"up", "plan"} {
		if out, err := r.command(name + " --json " + none).Output(); len(out) > 0 || err != nil {
			t.Errorf("without a call %s --json prints %q, %v", name, out, err)
		}
	}
	for name := range jsonValues {
		if name != "an error" {
			r.refused(name, "--nonsense")
		}
		if !r.done[name] && name != "an error" {
			t.Errorf("%s --json was not run", name)
		}
	}
}
