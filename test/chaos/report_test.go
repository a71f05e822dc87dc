package chaos

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestStaleness(t *testing.T) {
	seen := record{
		writes: []Write{took(a, 1, 0, 1), took(a, 2, 2, 3), unknown(took(a, 3, 4, 5)), took(b, 4, 6, 7)},
		reads:  []read{{10 * ms, 11 * ms, 4}, {10 * ms, 11 * ms, 2}, {2 * ms, 3 * ms, 0}},
	}
	if got := staleness(seen); got != 3*ms { // the second read, begun at 10, does not show number 4, acknowledged at 7
		t.Errorf("got %s", got)
	}
}

func TestReadGap(t *testing.T) {
	reads := []read{{answered: 1 * ms}, {answered: 9 * ms}, {answered: 11 * ms}}
	if all, later := readGap(reads, 0), readGap(reads, 10*ms); all != 8*ms || later != 2*ms {
		t.Errorf("got %s and %s", all, later)
	}
}

func TestReport(t *testing.T) {
	r := Report{[]Row{
		{Fault: Fault{Kind: Promote}, Gap: 20 * ms, Acked: 10},
		{Fault: Fault{Kind: KillPrimary}, Gap: 50 * ms, Acked: 5, Missing: 2, Lag: 99, Recovery: time.Second},
		{Fault: Fault{Kind: Promote}, Gap: 30 * ms, Acked: 20, Broken: errors.New("a promise")},
	}}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("want a heading, two kinds and all:\n%s", b.String())
	}
	for i, want := range []string{"fault class count", "kill -9 primary unplanned 1 50 ms",
		"promote a replica planned 2 30 ms", "all 3 50 ms"} {
		if got := strings.Join(strings.Fields(lines[i]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("line %d is %q, want %q", i, got, want)
		}
	}
	if got := strings.Join(strings.Fields(lines[3]), " "); !strings.HasSuffix(got, "99 B 35 2") {
		t.Errorf("the sum is %q", got)
	}
	if err := r.Broken(); err == nil || !strings.Contains(err.Error(), "fault 3") ||
		!strings.Contains(err.Error(), "a promise") {
		t.Errorf("got %v", err)
	}
}

func TestTooLong(t *testing.T) {
	for name, c := range map[string]struct {
		row    Row
		broken bool
	}{
		"a planned move":            {Row{Fault: Fault{Kind: Promote}, Gap: 20 * ms, Stale: time.Second}, false},
		"a planned move that hangs": {Row{Fault: Fault{Kind: Promote}, Gap: 20 * time.Second}, true},
		"while an engine starts": {Row{Fault: Fault{Kind: KillMidPromotion}, Gap: 5 * time.Second,
			start: 4 * time.Second}, false},
		"after an engine has started": {Row{Fault: Fault{Kind: KillMidPromotion}, Gap: 7 * time.Second,
			start: 4 * time.Second}, true},
		"a failover waits for larder":  {Row{Fault: Fault{Kind: KillBoth}, Gap: 4 * time.Second}, false},
		"a replica that does not read": {Row{Fault: Fault{Kind: KillBoth}, Stale: 20 * time.Second}, true},
	} {
		if err := c.row.tooLong(); (err != nil) != c.broken {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
