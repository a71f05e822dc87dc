package e2e

import (
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// topLoad is a line of `top --json`.
type topLoad struct {
	Time  time.Time
	Nodes []struct {
		ID, Role, Zone, Link string
		Ops                  *float64 `json:"ops_per_second"`
		HitRate              *float64 `json:"hit_rate_percent"`
		MemoryMax            int64    `json:"memory_max_bytes"`
		Clients              int64
		Lag                  *float64 `json:"lag_seconds"`
	}
}

func (d *harness) top() (l topLoad) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(d.must("top", "--once", "--json")), &l); err != nil {
		d.t.Fatal(err)
	}
	return l
}

func TestTop(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	d.load(t)
	first := d.top()
	if n := len(first.Nodes); n != 3 {
		t.Fatalf("%d nodes, want 3", n)
	}
	primary := first.Nodes[0] // the client's commands are its own; the replicas take but the writes
	if primary.Role != "primary" || primary.Ops == nil || *primary.Ops < 50 || primary.HitRate == nil ||
		*primary.HitRate < 40 || *primary.HitRate > 60 {
		t.Errorf("the busiest node is %+v; want the primary with 50 or more commands a second, half of which hit",
			primary)
	}
	for _, n := range first.Nodes {
		if n.Link != "up" || n.MemoryMax == 0 || n.Clients == 0 || (n.Lag == nil) != (n.Role == "primary") {
			t.Errorf("a node is %+v", n)
		}
	}
	if table := d.must("top", "uex-payments-prod-redis", "--once", "--sort", "id"); strings.Count(table, "\n") != 4 ||
		strings.Contains(table, "\x1b") {
		t.Errorf("the table is %q", table)
	}
	d.refused([]string{"top", "nothing"}, `no replication group "nothing"`)
	if r := d.larder("top", "--sort", "colour"); r.code != 2 || !strings.Contains(r.stderr, "want one of ops, id") {
		t.Errorf("an unknown order: exit %d, %s", r.code, r.stderr)
	}
}

func TestTopOnATerminalEndsWithQ(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"production.tf")
	terminal, screen := pseudoTerminal(t, 160, 30)
	for _, end := range []string{"q", "\x03"} { // the second is Ctrl-C, which the terminal makes an interrupt of
		cmd := exec.Command(program, "top")
		cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = append(d.env, "TERM=xterm"), terminal, terminal, terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if begin := awaitText(t, screen, "uex-payments-prod-redis-003"); !strings.HasPrefix(begin, "\x1b[?1049h") {
			t.Errorf("no alternate screen: %q", begin)
		}
		if _, err := screen.WriteString("x" + end); err != nil { // x is no key of top's, and is not shown
			t.Fatal(err)
		}
		if rest := awaitText(t, screen, "\x1b[?25h\x1b[?1049l"); strings.Contains(rest, "x\r\n") ||
			strings.Contains(rest, "^C") {
			t.Errorf("keys are shown: %q", rest)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("top ended with %v after %q", err, end)
		}
	}
	terminal.Close()
}
