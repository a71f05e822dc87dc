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
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	terminal, screen := pseudoTerminal(t, 100, 30)
	defer terminal.Close()
	for _, keys := range []string{"\x03", "n\n", "\x04",
		"yes\n"} { // the first is Ctrl-C, the third the end of the input
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
		if keys == "yes\n" {
			said = "is gone"
		}
		awaitText(t, screen, said)
		var failed *exec.ExitError
		if err := cmd.Wait(); errors.As(err, &failed) != (keys != "yes\n") {
			t.Errorf("after %q destroy ended with %v", keys, err)
		}
	}
	if out := d.must("down", "--yes"); out != "The engine is stopped; it had no nodes.\n" {
		t.Errorf("down says %q", out)
	}
}

// Without a terminal there is nobody to ask: destroy and down delete nothing without --yes, whatever is typed ahead.
func TestNothingIsDeletedUnasked(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	const group = "uex-payments-dev-redis"
	node := d.status(group).Nodes[0].PID
	refused := func(line string) {
		t.Helper()
		r := d.run("sh", "-c", strings.ReplaceAll(line, "larder", program))
		if r.code != 2 || !strings.Contains(r.stderr, "nothing was changed\nnext: add --yes\n") || r.stdout != "" {
			t.Errorf("%s: exit %d\n%s%s", line, r.code, r.stdout, r.stderr)
		}
	}
	for _, line := range []string{"larder destroy </dev/null", "echo n | larder destroy", "echo y | larder destroy " +
		group, "larder down </dev/null", "yes | larder down", "larder down <&-"} {
		refused(line)
		if now := d.status(group); now.Status != "available" || now.Nodes[0].PID != node {
			t.Fatalf("%s left %+v", line, now)
		}
	}
	d.kill(d.pid())
	refused("echo y | larder down") // of what a dead engine left
	// A process that is killed goes on for a moment.
	d.eventually("the one node is what runs", func() bool { return len(d.processes()) == 1 })
}

// An up that is interrupted says so, and leaves nothing of a group that it was to make.
func TestUpIsInterrupted(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	said, err := d.interruptedUp()
	for tries := 1; err == nil && tries < 10; tries++ { // it was over before the signal came
		d.must("destroy", "--yes", "--skip-final-snapshot")
		said, err = d.interruptedUp()
	}
	if err == nil || !strings.HasSuffix(said, "larder: interrupted: what was created is deleted again\n") {
		t.Errorf("up ended with %v\n%s", err, said)
	}
	if out := d.must("status"); !strings.Contains(out, "No replication groups") {
		t.Errorf("left behind: %s", out)
	}
}

// interruptedUp interrupts an up half way, and returns what it said and how it ended.
func (d *harness) interruptedUp() (said string, err error) {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), program, "up", seed+"production.tf")
	cmd.Env = d.env
	output, err := cmd.StderrPipe()
	d.check(err)
	d.check(cmd.Start())
	for lines := bufio.NewScanner(output); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), "created parameter group") {
			d.check(cmd.Process.Signal(os.Interrupt))
		}
	}
	return said, cmd.Wait()
}
