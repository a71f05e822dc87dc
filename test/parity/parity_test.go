// Package parity applies the examples in two ways, each to an engine of its own: with `larder up`, and with the real
// Terraform and the real AWS provider. What the APIs describe afterwards has to be the same.
package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"larder/internal/testkit"
)

var program string // path of the larder under test

func TestMain(m *testing.M) { os.Exit(testkit.Main(m, &program)) }

// site is a copy of an example, with more inputs, that has an engine of its own.
type site struct {
	t      *testing.T
	dir    string
	region string
	env    []string
}

func newSite(t *testing.T, example, region, inputs string) *site {
	t.Helper()
	root := t.TempDir()
	for _, part := range []string{"modules", "examples"} {
		if err := os.CopyFS(filepath.Join(root, part), os.DirFS(filepath.Join("..", "..", part))); err != nil {
			t.Fatal(err)
		}
	}
	s := &site{t: t, dir: filepath.Join(root, "examples", example), region: region}
	s.env = append(testkit.Environment(), "AWS_REGION="+region, "LARDER_HOME="+filepath.Join(root, "state"),
		"LARDER_LISTEN="+testkit.Address(t))
	path := filepath.Join(s.dir, "main.tf")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), "  # Redis Configuration\n")
	if !found {
		t.Fatalf("%s has no place for more inputs", path)
	}
	if err := os.WriteFile(path, []byte(before+"  "+inputs+"\n\n"+after), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) try(name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, out, complaints.Bytes())
	}
	return out, err
}

func (s *site) must(name string, args ...string) []byte {
	s.t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// down ends the site's engine with the test.
func (s *site) down() {
	s.t.Cleanup(func() {
		if _, err := s.try(program, "down", "--yes"); err != nil {
			s.t.Error(err)
		}
	})
}

// up applies with larder.
func (s *site) up() {
	s.t.Helper()
	s.down()
	s.must(program, "up", s.dir)
}

// apply applies with Terraform. Every output of the module becomes one of the example, beside the example's own.
func (s *site) apply() {
	s.t.Helper()
	s.env = append(s.env, testkit.Terraform(s.t, s.t.TempDir())...)
	var outputs strings.Builder
	for _, name := range moduleOutputs(s.t) {
		outputs.WriteString("output \"" + name + "\" {\n  value = module.redis." + name + "\n  sensitive = true\n}\n")
	}
	if err := os.WriteFile(filepath.Join(s.dir, "module_outputs.tf"), []byte(outputs.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.serve()
	for name, value := range s.clientEnv() {
		s.env = append(s.env, name+"="+value)
	}
	s.must("terraform", "init", "-no-color", "-input=false")
	s.must("terraform", "apply", "-auto-approve", "-no-color", "-input=false")
}

func (s *site) serve() {
	s.t.Helper()
	engine := exec.Command(program, "serve")
	engine.Env = s.env
	if err := engine.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { engine.Wait() }) // after down, which says whether it ended well
	s.down()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := s.try(program, "env")
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("the engine does not answer: %v", err)
		}
	}
}

func (s *site) clientEnv() map[string]string {
	s.t.Helper()
	env := map[string]string{}
	if err := json.Unmarshal(s.must(program, "env", "--json", "--region", s.region), &env); err != nil {
		s.t.Fatal(err)
	}
	return env
}

// moduleOutputs are the outputs that modules/redis has.
func moduleOutputs(t *testing.T) (names []string) {
	t.Helper()
	text, err := os.ReadFile("../../modules/redis/outputs.tf")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^output "([a-z_]+)"`).FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	return names
}

// The provider waits 30 s at several places whatever the engine does, so the examples run side by side.
func TestExamples(t *testing.T) {
	t.Parallel()
	// Where a node's zone is not named, AWS chooses it: named, it is the same both times. Production names it itself,
	// and gets what the examples leave out.
	for example, c := range map[string]struct{ region, inputs string }{
		"development": {"us-east-1", `preferred_cache_cluster_azs = ["us-east-1b"]`},
		"staging":     {"eu-west-1", `preferred_cache_cluster_azs = ["eu-west-1b", "eu-west-1a"]`},
		"production": {"ap-southeast-2",
			"create_dashboard = true\n  create_security_group = true\n  allowed_cidrs = [\"10.0.0.0/16\"]"},
	} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			terraform, larder := newSite(t, example, c.region, c.inputs), newSite(t, example, c.region, c.inputs)
			terraform.apply()
			larder.up()
			compare(t, "", terraform.describe(), larder.describe())
			compare(t, "output ", terraform.outputs("terraform", "output", "-json"),
				larder.outputs(program, "outputs", "--json"))
		})
	}
}

// compare says of each thing whether both ways make it, and make it alike.
func compare(t *testing.T, kind string, terraform, larder map[string]any) {
	t.Helper()
	if len(terraform) < 10 {
		t.Errorf("there is little to compare: %v", terraform)
	}
	for _, name := range slices.Sorted(maps.Keys(terraform)) {
		made, both := larder[name]
		if !both {
			t.Errorf("larder up does not make %s%s", kind, name)
		} else if diff := cmp.Diff(terraform[name], made); diff != "" {
			t.Errorf("%s%s (-terraform apply +larder up):\n%s", kind, name, diff)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(larder)) {
		if _, both := terraform[name]; !both {
			t.Errorf("only larder up makes %s%s", kind, name)
		}
	}
}
