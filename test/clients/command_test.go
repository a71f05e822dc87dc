package clients_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"larder/internal/testkit"
)

// patience is for a cold build of larder on a busy machine (90 seconds on two idle cores); nothing else comes near it.
const patience = 5 * time.Minute

// command makes a program that ends, with all that it started, when it has run too long.
func command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience) // cleanups run commands too
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// output runs a program that has to succeed and returns what it printed.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	stdout, err := run(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return stdout
}

// run runs a program to its end. An error has what the program said.
func run(cmd *exec.Cmd) (stdout string, err error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", cmd, err, &out, &errs)
	}
	return out.String(), nil
}

// write makes a file in a directory of its own and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func processes(t *testing.T, dir string) []testkit.Process {
	t.Helper()
	found, err := testkit.ProcessesIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
