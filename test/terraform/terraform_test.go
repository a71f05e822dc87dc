// Package terraform runs the Terraform modules with the real Terraform and the real AWS provider, without a network.
package terraform

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/testkit"
)

// workspace is a copy of the modules and examples, with a directory in which Terraform runs.
type workspace struct {
	t    *testing.T
	root string // has modules and examples, as the repository does
	dir  string // where Terraform runs
	env  []string
}

// newWorkspace copies the modules and examples, so that Terraform leaves nothing in the repository. The directory is
// relative to the repository.
func newWorkspace(t *testing.T, dir string) *workspace {
	t.Helper()
	w := &workspace{t: t, root: t.TempDir()}
	for _, part := range []string{"modules", "examples"} {
		if err := os.CopyFS(filepath.Join(w.root, part), os.DirFS(filepath.Join("..", "..", part))); err != nil {
			t.Fatal(err)
		}
	}
	w.dir = filepath.Join(w.root, dir)
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.env = append(append(testkit.Environment(), testkit.Terraform(t, w.root)...), "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
	return w
}

// write adds a file to the directory Terraform runs in.
func (w *workspace) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// try runs Terraform and returns what it prints.
func (w *workspace) try(args ...string) (stdout []byte, err error) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return out.Bytes(), fmt.Errorf("terraform %s: %w\n%s", strings.Join(args, " "), err, complaints.String())
	}
	return out.Bytes(), nil
}

// must runs Terraform, which has to succeed.
func (w *workspace) must(args ...string) []byte {
	w.t.Helper()
	out, err := w.try(args...)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// init makes the directory ready.
func (w *workspace) init() *workspace {
	w.t.Helper()
	w.must("init", "-no-color", "-input=false")
	return w
}
