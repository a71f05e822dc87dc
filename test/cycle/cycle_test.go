// Package cycle takes the examples through Terraform's whole life with the real Terraform, the real AWS provider and a real engine:
// apply, an empty second plan, changes without replacement, an empty plan again, destroy.
package cycle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mirrorVariable names the directory that holds the folder registry.terraform.io, where none of the usual places does.
const mirrorVariable = "LARDER_TERRAFORM_MIRROR"

var program string // path of the larder under test

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "larder-cycle-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "larder")
	if out, err := exec.Command("go", "build", "-o", program, "larder/cmd/larder").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build larder: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// stack is one example with an engine of its own.
type stack struct {
	t   *testing.T
	dir string // where Terraform runs
	env []string
}

func newStack(t *testing.T, example string) *stack {
	t.Helper()
	s := &stack{t: t, env: os.Environ()}
	root := t.TempDir()
	for _, part := range []string{"modules", "examples"} {
		if err := os.CopyFS(filepath.Join(root, part), os.DirFS(filepath.Join("..", "..", part))); err != nil {
			t.Fatal(err)
		}
	}
	s.dir = filepath.Join(root, "examples", example)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s.env = append(s.env, "LARDER_HOME="+filepath.Join(root, "state"), "LARDER_LISTEN="+l.Addr().String(), "TF_CLI_CONFIG_FILE="+cliConfig(t, root),
		"CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "AWS_EC2_METADATA_DISABLED=true")
	s.serve()
	s.run("terraform", "init", "-no-color", "-input=false")
	return s
}

// serve starts the engine, points the stack's commands at it, and has it and its nodes gone at the end.
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
	})
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := s.try(program, "env", "--json")
		if err == nil {
			var env map[string]string
			if err := json.Unmarshal(out, &env); err != nil {
				s.t.Fatal(err)
			}
			for name, value := range env {
				s.env = append(s.env, name+"="+value)
			}
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("the engine does not answer: %s", out)
		}
	}
}

func (s *stack) try(name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
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

// cliConfig makes Terraform find the provider in a mirror on this machine.
func cliConfig(t *testing.T, dir string) string {
	t.Helper()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("terraform"); err != nil {
		missing(t, "there is no terraform in PATH: install Terraform 1.11")
	}
	if given := os.Getenv("TF_CLI_CONFIG_FILE"); given != "" {
		if text, err := os.ReadFile(given); err == nil && strings.Contains(string(text), "provider_installation") {
			return given
		}
	}
	for _, place := range []string{os.Getenv(mirrorVariable), home + "/.terraform.d/plugins", "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt", "/opt/*"} {
		found, err := filepath.Glob(filepath.Join(place, "registry.terraform.io"))
		if place == "" || err != nil || len(found) == 0 {
			continue
		}
		file := filepath.Join(dir, "terraformrc")
		text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", filepath.Dir(found[0]))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	missing(t, "there is no mirror of hashicorp/aws: set "+mirrorVariable+" to the directory that holds the folder registry.terraform.io")
	return ""
}

// missing skips a test for want of a program, and fails it where everything has to be there.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// The provider waits 30 s at several places whatever the engine does, so the examples run side by side.
func TestExamples(t *testing.T) {
	t.Parallel()
	for example, changes := range map[string][][2]string{
		"development": {{`node_type            = "cache.t3.medium"`, `node_type = "cache.t3.small"`}},
		// Backups are not taken yet, and a destroy that asks for a final one is refused: these do without.
		"staging":    {{`snapshot_retention_limit = 3`, "snapshot_retention_limit = 5\n  skip_final_snapshot = true\n  timeout = \"60\""}},
		"production": {{`timeout          = "300"`, `timeout = "600"`}, {`Backup      = "daily"`, `Backup = "hourly"`}, {`skip_final_snapshot      = false`, `skip_final_snapshot = true`}},
	} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, example)
			s.apply()
			if out := s.run(program, "status"); !strings.Contains(out, "available") {
				t.Errorf("after apply:\n%s", out)
			}
			for _, c := range changes {
				s.change(c[0], c[1])
			}
			if out := s.apply(); strings.Contains(out, "must be replaced") || !strings.Contains(out, "Apply complete! Resources: 0 added") {
				t.Errorf("the changes were not made in place:\n%s", out)
			}
			s.run("terraform", "destroy", "-auto-approve", "-no-color", "-input=false")
			if out := s.run(program, "status"); !strings.Contains(out, "No replication groups") {
				t.Errorf("after destroy:\n%s", out)
			}
		})
	}
}
