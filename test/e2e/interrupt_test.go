package e2e

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A question on a terminal is answered by y alone; anything else, and Ctrl-C, leaves all as it is.
func TestDestroyAsks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must("up", seed+"development.tf")
	terminal, screen := pseudoTerminal(t, 100, 30)
	defer terminal.Close()
	for _, keys := range []string{"\x03", "n\n", "\x04", "y\n"} { // the first is Ctrl-C, the third the end of the input
		cmd := exec.CommandContext(t.Context(), program, "destroy")
		cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = d.env, terminal, terminal, terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		awaitText(t, screen, "[y/N] ")
		if _, err := screen.WriteString(keys); err != nil {
			t.Fatal(err)
		}
		said := "not confirmed: nothing was changed"
		if keys == "y\n" {
			said = "is gone"
		}
		awaitText(t, screen, said)
		var failed *exec.ExitError
		if err := cmd.Wait(); errors.As(err, &failed) != (keys != "y\n") {
			t.Errorf("after %q destroy ended with %v", keys, err)
		}
	}
	if out := d.must("down", "--yes"); out != "The engine is stopped; it had no nodes.\n" {
		t.Errorf("down says %q", out)
	}
}

// An up that is interrupted says so, and leaves nothing of a group that it was to make.
func TestUpIsInterrupted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	cmd := exec.CommandContext(t.Context(), program, "up", seed+"production.tf")
	cmd.Env = d.env
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(output); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "created parameter group") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || !strings.HasSuffix(said.String(), "larder: interrupted: what was created is deleted again\n") {
		t.Errorf("up ended with %v\n%s", err, said.String())
	}
	if out := d.must("status"); !strings.Contains(out, "No replication groups") {
		t.Errorf("left behind: %s", out)
	}
}
