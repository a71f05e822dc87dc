package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pseudoTerminal opens a terminal of that size: what is written to it is read from the screen.
func pseudoTerminal(t *testing.T, columns, rows uint16) (terminal, screen *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	conn, err := screen.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	errControl := conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err != nil {
			return
		}
		if number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); err != nil {
			return
		}
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows})
	})
	if err != nil || errControl != nil {
		t.Fatal(err, errControl)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return terminal, screen
}

// awaitText reads until the text came by, and returns all that was read.
func awaitText(t *testing.T, r *os.File, text string) string {
	t.Helper()
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(all.String(), text) {
		n, err := r.Read(buffer)
		all.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%q did not come: %v\n%q", text, err, all.String())
		}
	}
	return all.String()
}

func TestWatchShowsAFailoverOnATerminal(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	before := d.status("uex-payments-prod-redis")
	terminal, screen := pseudoTerminal(t, 120, 30)
	cmd := exec.Command(program, "status", "--watch")
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(d.env, "TERM=xterm"), terminal, terminal, terminal
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	begin := awaitText(t, screen, "last events")
	if !strings.HasPrefix(begin, "\x1b[?1049h") || !strings.Contains(begin, "\x1b[32mavailable") {
		t.Errorf("no alternate screen, or no colours: %q", begin)
	}
	d.kill(before.Nodes[0].PID)
	if after := awaitText(t, screen, "Finished recovery"); !strings.Contains(after,
		"Failover from primary node "+before.Nodes[0].ID) {
		t.Errorf("the failover is not among the last events: %q", after)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	awaitText(t, screen, "\x1b[?25h\x1b[?1049l")
	if err := cmd.Wait(); err != nil {
		t.Errorf("an interrupted watch ended with %v", err)
	}
}

// watched is a line of `status --watch --json`.
type watched struct {
	Time                                  time.Time
	Source, Field, From, To, Event, Error string
}

func TestWatchTellsAScriptEveryChange(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	before := d.status("uex-payments-prod-redis")
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "status", "uex-payments-prod-redis", "--watch", "--json")
	cmd.Env = d.env
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	await := func(what string, is func(watched) bool) {
		t.Helper()
		for lines.Scan() {
			var w watched
			if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
				t.Fatalf("%s: %v", lines.Text(), err)
			}
			if is(w) {
				return
			}
		}
		t.Fatalf("did not tell of %s: %v", what, lines.Err())
	}
	old := before.Nodes[0].ID
	await("the primary", func(w watched) bool {
		return w.Source == old && w.Field == "role" && w.To == "primary" &&
			w.From == ""
	})
	await("the engine", func(w watched) bool {
		return strings.HasPrefix(w.Event,
			"Automatic failover has been turned on")
	})

	d.kill(before.Nodes[0].PID)
	await("the end of the primary", func(w watched) bool {
		return w.Source == old && w.Field == "role" && w.From == "primary" && w.To == "replica"
	})
	await("the recovery", func(w watched) bool {
		return w.Source == old &&
			strings.HasPrefix(w.Event, "Finished recovery")
	})

	d.kill(d.pid())
	await("the engine's end", func(w watched) bool { return w.Error != "" })
	d.must("up", seed+"production.tf")
	d.must("destroy", "--yes")
	await("the group's end", func(w watched) bool { return w.Source == before.ID && w.Field == "status" && w.To == "" })
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the watch of a group that was deleted ended with %v", err)
	}
}

func TestWatchOfNothing(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.refused([]string{"status", "--watch"}, "no engine is running")
	d.must("up", seed+"production.tf")
	d.refused([]string{"status", "nobody", "--watch"}, `there is no replication group "nobody"`)
}
