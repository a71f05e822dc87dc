// Package cycle takes the examples through Terraform's whole life with the real Terraform, the real AWS provider and a real engine:
// apply, an empty second plan, changes without replacement, an empty plan again, destroy.
package cycle

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // the stacks mostly wait
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
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

// The provider waits whatever the engine does, so the examples run side by side.
func TestExamples(t *testing.T) {
	t.Parallel()
	later := laterServer(t)
	for example, rounds := range matrix {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			s := newStack(t, example, later)
			before := s.census()
			s.skipFinalSnapshot(example)
			s.apply()
			created := s.created()
			write := startLoad(t, s.cloud)
			for i, r := range rounds {
				s.round(t, fmt.Sprintf("round %d", i+1), r)
			}
			if got := s.created(); got != created {
				t.Errorf("the group was created at %s, and is another one of %s now", created, got)
			}
			write.check(t)
			s.destroy()
			s.sameCensus(before)
		})
	}
}

// round applies changes together and looks whether each took effect.
func (s *stack) round(t *testing.T, name string, r round) {
	t.Run(name, func(t *testing.T) {
		s := s.in(t)
		for _, c := range r {
			s.change(c.old, c.new)
		}
		if out := s.apply(); strings.Contains(out, replaced) {
			t.Errorf("the group was replaced:\n%s", out)
		}
		for _, c := range r {
			c.made(t, s)
		}
	})
}

// replaced is what Terraform says of a group that it cannot change in place.
const replaced = "module.redis.aws_elasticache_replication_group.this must be replaced"
