package cycle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"larder/internal/testkit"
)

// firstToken is the token that every stack is applied with.
const firstToken = "first-token-0123456789"

// commandLimit ends a command that hangs; the provider's waits take half a minute at most here.
const commandLimit = 4 * time.Minute

// stack is one example with an engine of its own.
type stack struct {
	t     *testing.T
	id    string // of the replication group
	root  string // holds the copies of modules and examples, and the engine's state
	dir   string // where Terraform runs
	env   []string
	cloud *cloud
}

// newStack copies the modules and an example, starts an engine, whose redis-servers are those in path and then the
// machine's, and has Terraform ready.
func newStack(t *testing.T, example string, path ...string) *stack {
	t.Helper()
	environment := map[string]string{"development": "dev", "staging": "staging", "production": "prod"}[example]
	s := &stack{t: t, id: "uex-payments-" + environment + "-redis", root: t.TempDir()}
	for _, part := range []string{"modules", "examples"} {
		if err := os.CopyFS(filepath.Join(s.root, part), os.DirFS(filepath.Join("..", "..", part))); err != nil {
			t.Fatal(err)
		}
	}
	s.dir = filepath.Join(s.root, "examples", example)
	terraform := testkit.Terraform(t, s.root)
	s.env = append(testkit.Environment(), "LARDER_HOME="+s.home(), "LARDER_LISTEN="+testkit.Address(t),
		"TF_VAR_redis_auth_token="+firstToken,
		"PATH="+strings.Join(append(path, os.Getenv("PATH")), string(filepath.ListSeparator)))
	s.env = append(s.env, terraform...)
	s.serve()
	s.run("terraform", "init", "-no-color", "-input=false")
	return s
}

// in is the stack in a subtest.
func (s *stack) in(t *testing.T) *stack {
	sub := *s
	sub.t = t
	return &sub
}

func (s *stack) home() string { return filepath.Join(s.root, "state") }

// serve starts the engine, points the stack's commands at it, and has it and all that it and Terraform started gone at
// the end.
func (s *stack) serve() {
	s.t.Helper()
	var log bytes.Buffer
	engine := exec.Command(program, "serve")
	engine.Env, engine.Stderr = s.env, &log
	if err := engine.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if out, err := s.try(program, "down", "--yes"); err != nil {
			s.t.Errorf("larder down: %v\n%s", err, out)
		}
		if err := engine.Wait(); err != nil || s.t.Failed() {
			s.t.Logf("the engine ended with %v\n%s", err, log.String())
		}
		if err := noneIn(s.root); err != nil {
			s.t.Error(err)
		}
	})
	var variables map[string]string
	err := eventually(func() error {
		out, err := s.try(program, "env", "--json")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return json.Unmarshal(out, &variables)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range variables {
		s.env = append(s.env, name+"="+value)
	}
	if s.cloud, err = newCloud(s.id, variables); err != nil {
		s.t.Fatal(err)
	}
}

// noneIn complains about processes that work in a directory or below it.
func noneIn(dir string) error {
	left, err := testkit.ProcessesIn(dir)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("processes are left: %v", left)
	}
	return err
}

func (s *stack) try(name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd.CombinedOutput()
}

func (s *stack) run(name string, args ...string) string {
	s.t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// apply applies, and checks that Terraform has nothing left to do afterwards. It returns what apply said.
func (s *stack) apply() string {
	s.t.Helper()
	out := s.run("terraform", "apply", "-auto-approve", "-no-color", "-input=false")
	if plan, err := s.try("terraform", "plan", "-detailed-exitcode", "-no-color", "-input=false"); err != nil {
		s.t.Errorf("the plan after an apply is not empty: %v\n%s", err, plan)
	}
	return out
}

func (s *stack) destroy() {
	s.t.Helper()
	s.run("terraform", "destroy", "-auto-approve", "-no-color", "-input=false")
}

// census names what there is on the stack's engine.
func (s *stack) census() map[string][]string {
	s.t.Helper()
	all, err := s.cloud.census()
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// sameCensus checks that nothing was left of a stack.
func (s *stack) sameCensus(before map[string][]string) {
	s.t.Helper()
	if diff := cmp.Diff(before, s.census()); diff != "" {
		s.t.Errorf("what a destroy leaves (-before +after):\n%s", diff)
	}
}

// created tells when the group was created.
func (s *stack) created() time.Time {
	s.t.Helper()
	g, err := s.cloud.group()
	if err != nil {
		s.t.Fatal(err)
	}
	return *g.ReplicationGroupCreateTime
}

// interruptedApply starts an apply, sends Terraform a signal as soon as there is something to see, and returns what it
// said.
func (s *stack) interruptedApply(signal syscall.Signal, seen func(said string) bool) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "terraform", "apply", "-auto-approve", "-no-color", "-input=false")
	said := &transcript{}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, said, said
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	err := within(commandLimit, func() error {
		if text := said.String(); !seen(text) {
			return fmt.Errorf("there is nothing to interrupt yet in\n%s", text)
		}
		return nil
	})
	switch {
	case err != nil:
	case signal == syscall.SIGKILL:
		err = s.killBetweenWrites(cmd.Process)
	default:
		err = cmd.Process.Signal(signal)
	}
	failed := cmd.Wait()
	if err != nil {
		s.t.Fatal(err)
	}
	if failed == nil {
		s.t.Fatalf("the apply ended well before it got signal %v\n%s", signal, said)
	}
	return said.String()
}

// killBetweenWrites kills Terraform while its state file is whole. Terraform empties the file before it writes the next
// version (statemgr.Filesystem): killed in between it would not remember anything, which is not what these tests are
// about.
func (s *stack) killBetweenWrites(terraform *os.Process) error {
	return eventually(func() error {
		if err := terraform.Signal(syscall.SIGSTOP); err != nil {
			return fmt.Errorf("stop Terraform: %w", err)
		}
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(terraform.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
			return fmt.Errorf("Terraform was to be stopped, its status is %#x (%w)", status, err)
		}
		state, err := os.ReadFile(filepath.Join(s.dir, "terraform.tfstate"))
		if err == nil && json.Valid(state) {
			return terraform.Kill()
		}
		return errors.Join(err, fmt.Errorf("the state file is being written: %d bytes", len(state)),
			terraform.Signal(syscall.SIGCONT))
	})
}

// change edits the example's configuration.
func (s *stack) change(old, new string) {
	s.t.Helper()
	path := filepath.Join(s.dir, "main.tf")
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		s.t.Fatalf("the example has no %q", old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// eventually repeats a check until it passes, and returns its last complaint when it does not within half a minute.
func eventually(check func() error) error { return within(30*time.Second, check) }

func within(limit time.Duration, check func() error) error {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		<-tick.C
	}
}
