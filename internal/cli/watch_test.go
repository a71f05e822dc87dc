package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.Local)

// failedOver is pair after its primary's death.
func failedOver() groupStatus {
	g := pair()
	g.Nodes[0].Role, g.Nodes[0].Link, g.Nodes[0].PID = "replica", linkGone, 0
	g.Nodes[1].Role = "primary"
	return g
}

func TestChanges(t *testing.T) {
	want := []change{
		{"shop-001", "role", "primary", "replica"}, {"shop-001", "link", "in sync", "gone"},
		{"shop-001", "process", "41", ""},
		{"shop-002", "role", "replica", "primary"},
	}
	if diff := cmp.Diff(want, changes([]groupStatus{pair()}, []groupStatus{failedOver()})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := changes([]groupStatus{pair()}, []groupStatus{pair()}); len(got) > 0 {
		t.Errorf("nothing changed, and yet %v", got)
	}
	if got := changes(nil, []groupStatus{pair()}); len(got) != 3+2*4 { // there is no reason
		t.Errorf("a new group is %v", got)
	}
	if got := changes([]groupStatus{pair()}, nil); len(got) != 3+2*4 ||
		got[0] != (change{"shop", "status", "available", ""}) {
		t.Errorf("a group that went is %v", got)
	}
	lagging := pair()
	lagging.Nodes[1].Lag = new(int64(7))
	if got := changes([]groupStatus{pair()}, []groupStatus{lagging}); len(got) > 0 {
		t.Errorf("the lag counts as a change: %v", got)
	}
}

func TestEventsAreToldOnce(t *testing.T) {
	one, other := listedEvent{noon, "shop", "one"}, listedEvent{noon, "shop", "other"} // of one millisecond
	later := listedEvent{noon.Add(time.Second), "shop-001", "one"}
	if diff := cmp.Diff([]listedEvent{one, other, later}, merge([]listedEvent{one}, []listedEvent{one, other,
		later})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var many []listedEvent
	for i := range eventsShown + 10 {
		many = append(many, listedEvent{noon.Add(time.Duration(i) * time.Second), "shop", "m"})
	}
	if got := merge(nil, many); len(got) != eventsShown || got[0] != many[10] {
		t.Errorf("%d are kept, from %v on", len(got), got[0])
	}
}

func TestEventsOfAGroup(t *testing.T) {
	e := eye{ids: []string{"shop"}}
	for source, want := range map[string]bool{
		"shop": true, "shop-001": true, "shop-0002-001": true, "shop-x": false, "shop-x-001": false, "shops": false,
		"bakery-001": false,
	} {
		if got := e.concerns(listedEvent{Source: source}); got != want {
			t.Errorf("%s concerns shop: %t", source, got)
		}
	}
	if !(&eye{}).concerns(listedEvent{Source: "bakery-001"}) {
		t.Error("without a name every event concerns")
	}
}

func TestFrameFitsTheTerminal(t *testing.T) {
	v := view{groups: []groupStatus{pair()},
		events: []listedEvent{{noon, "shop", "first"}, {noon, "shop-001", "second"}, {noon, "shop", "third"}}}
	full := drawn(frame(v, nil, 0, 24), 0, false)
	if !strings.HasSuffix(full,
		"\nlast events\n  12:00:00  shop      first\n  12:00:00  shop-001  second\n  12:00:00  shop      third") {
		t.Errorf("got\n%s", full)
	}
	// Six lines of the group, a blank one, the title, one event, the newest, and what there is no room for.
	if short := drawn(frame(v, nil, 0, 10), 0, false); !strings.HasSuffix(short,
		"last events\n  12:00:00  shop  third\n2 more events") {
		t.Errorf("got\n%s", short)
	}
	for height := range 12 {
		if n := len(frame(v, errors.New("away"), 0, height)); n > max(height, 1) {
			t.Errorf("%d lines in a terminal of %d", n, height)
		}
	}
	if text := drawn(frame(v, errors.New("away\nlong"), 0, 24), 0, false); !strings.HasPrefix(text,
		"cannot look: away; nodes go on") {
		t.Errorf("got\n%s", text)
	}
}

// Whatever the terminal has no room for is counted on its last line: at 80x24, and at any other size.
func TestAFrameSaysWhatItLeavesOut(t *testing.T) {
	var v view
	for i := range 6 {
		g := pair()
		g.ID = fmt.Sprintf("shop%d", i)
		v.groups = append(v.groups, g)
		v.events = append(v.events, listedEvent{noon.Add(time.Duration(i)), g.ID, "happened"})
	}
	for height, want := range map[int]string{
		24: "3 more groups, 6 more events", 4: "3 more lines, 5 more groups, 6 more events",
		44: "6 more events", 45: "5 more events", 50: "",
	} {
		lines := frame(v, nil, 79, height)
		last := lines[len(lines)-1].draw(79, false)
		if want == "" && strings.Contains(last, "more") || want != "" && last != want || len(lines) > height {
			t.Errorf("%d lines of %d, the last %q, want %q", len(lines), height, last, want)
		}
	}
	for height := 2; height < 60; height++ {
		lines := frame(v, nil, 79, height)
		text := drawn(lines, 79, false)
		left := lines[len(lines)-1].draw(79, false)
		groups, events := strings.Count(text, "reader endpoint"), strings.Count(text, "happened")
		if groups < 6 && !strings.Contains(left, "more group") || events < 6 && !strings.Contains(left, "more event") {
			t.Errorf("height %d: %d groups, %d events, and in the end %q", height, groups, events, left)
		}
	}
}

// On a terminal of 80 columns whole columns are left out, the least of use first, and what is text goes on below:
// nothing is cut.
func TestANarrowStatus(t *testing.T) {
	g := groupStatus{ID: "uex-payments-prod-redis", Region: "us-east-1", Status: "available", Engine: "redis 7.0.15",
		NodeType: "cache.r6g.large", Primary: "127.72.96.1:6379", Reader: "127.72.96.2:6379"}
	for _, n := range []string{"001", "002"} {
		g.Nodes = append(g.Nodes, nodeStatus{ID: g.ID + "-" + n, Zone: "us-east-1a", Role: "primary",
			Status: "available", Link: linkSilent, Address: "127.72.96.3", PID: 47111})
	}
	v := view{groups: []groupStatus{g}, events: []listedEvent{{noon, g.ID, "one"},
		{noon, g.ID + "-002",
			"Failover from primary node uex-payments-prod-redis-001 to replica node " +
				"uex-payments-prod-redis-002 completed"}}}
	for _, c := range []struct {
		width       int
		head, event string
	}{
		{0, "NODE ZONE ROLE STATUS LAG ADDRESS PID", v.events[1].Message},
		{99, "NODE ZONE ROLE STATUS LAG ADDRESS PID", "Failover from primary node uex-payments-prod-redis-001"},
		{90, "NODE ZONE ROLE STATUS LAG ADDRESS", "Failover from primary node"},
		{79, "NODE ROLE STATUS LAG ADDRESS", "Failover from primary node"},
		{60, "NODE ROLE STATUS LAG", "Failover from primary node"},
		{55, "NODE ROLE LAG", "Failover from primary node"},
	} {
		lines := frame(v, errors.New("no engine is running: start one with `larder up DIR` or `larder serve`"), c.width,
			40)
		text := drawn(lines, 0, false)
		if all := strings.Join(strings.Fields(text), " "); !strings.Contains(all, c.head+" uex-") ||
			!strings.Contains(text, c.event) {
			t.Errorf("width %d: want %s, %s\n%s", c.width, c.head, c.event, text)
		}
		if got := wide(lines); c.width > 0 && got > c.width {
			t.Errorf("width %d: a line of %d characters is cut\n%s", c.width, got, text)
		}
		for _, word := range strings.Fields(v.events[1].Message) {
			if !strings.Contains(text, word) {
				t.Errorf("width %d: %q is missing in\n%s", c.width, word, text)
			}
		}
	}
	for height := range 20 {
		if n := len(frame(v, errors.New("away"), 60, height)); n > max(height, 1) {
			t.Errorf("%d lines in a terminal of %d", n, height)
		}
	}
}

// story looks at each of its views in turn, and at the last one from then on.
type story struct {
	views []view
	errs  []error
	told  int
}

func (s *story) look(context.Context) (view, error) {
	at := min(s.told, len(s.views)-1)
	s.told++
	return s.views[at], s.errs[at]
}

func newStory(steps ...any) *story {
	s := &story{}
	for _, step := range steps {
		err, _ := step.(error)
		v, _ := step.(view)
		s.views, s.errs = append(s.views, v), append(s.errs, err)
	}
	return s
}

// terminalOf records what is written at each write.
type terminalOf struct{ writes []string }

func (f *terminalOf) Write(b []byte) (int, error) {
	f.writes = append(f.writes, string(b))
	return len(b), nil
}

func TestWatchOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healthy, after := view{groups: []groupStatus{pair()}}, view{groups: []groupStatus{failedOver()}}
		s := newStory(healthy, healthy, after, errors.New("the engine is away"), after)
		var terminal terminalOf
		ctx, interrupt := context.WithTimeout(t.Context(), 3*time.Second)
		defer interrupt()
		err := watch(ctx, s.look, &screen{w: &terminal, size: func() (int, int) { return 100, 24 }}, screenPause)
		if err != nil {
			t.Fatalf("an interrupt is no failure: %v", err)
		}
		if s.told < 14 || s.told > 16 {
			t.Errorf("%d looks in 3 s, want five a second", s.told)
		}
		if len(terminal.writes) != 5 {
			t.Fatalf("drawn %d times, want once per change and the end: %q", len(terminal.writes), terminal.writes)
		}
		if !strings.HasPrefix(terminal.writes[0], "\x1b[?1049h\x1b[?25l\x1b[H") {
			t.Errorf("does not take the alternate screen: %q", terminal.writes[0])
		}
		for i, word := range []string{"  primary  available  -", "  replica  available  gone",
			"cannot look: the engine is away", "  replica  available  gone"} {
			if !strings.Contains(terminal.writes[i], word) {
				t.Errorf("%q is not in drawing %d: %q", word, i, terminal.writes[i])
			}
		}
		if last := terminal.writes[4]; last != "\x1b[?25h\x1b[?1049l" {
			t.Errorf("the terminal is not given back: %q", last)
		}
	})
}

func TestWatchRedrawsWhenTheTerminalChanges(t *testing.T) {
	var terminal terminalOf
	width := 100
	s := &screen{w: &terminal, size: func() (int, int) { return width, 24 }}
	for _, width = range []int{100, 100, 20, 20} {
		if err := s.show(view{groups: []groupStatus{pair()}}); err != nil {
			t.Fatal(err)
		}
	}
	if len(terminal.writes) != 2 {
		t.Errorf("drawn %d times, want 2", len(terminal.writes))
	}
}

func TestWatchIntoAFile(t *testing.T) {
	healthy := view{groups: []groupStatus{pair()}}
	after := view{groups: []groupStatus{failedOver()}, events: []listedEvent{{noon, "shop", "Failover"}}}
	away := errors.New("away")
	var gone error = &ectypes.ReplicationGroupNotFoundFault{Message: new("ReplicationGroup shop not found.")}
	run := func(write func(io.Writer) func(entry) error) string {
		var out bytes.Buffer
		synctest.Test(t, func(t *testing.T) {
			j := &journal{write: write(&out), now: func() time.Time { return noon }}
			err := watch(t.Context(), newStory(healthy, healthy, away, away, after, gone).look, j, journalPause)
			if !errors.Is(err, errDeleted) {
				t.Errorf("ended with %v", err)
			}
		})
		return out.String()
	}
	text := run(textLines)
	for line, times := range map[string]int{
		"12:00:00  shop  status: available\n": 1, "12:00:00  cannot look: away\n": 1,
		"12:00:00  shop-001  role: primary → replica\n": 1,
		"12:00:00  shop  event: Failover\n":             1, "12:00:00  shop  status: available → none\n": 1,
	} {
		if n := strings.Count(text, line); n != times {
			t.Errorf("%q stands there %d times, want %d, in\n%s", line, n, times, text)
		}
	}
	lines := strings.Split(strings.TrimSpace(run(jsonLines)), "\n")
	if want := strings.Count(text, "\n"); len(lines) != want {
		t.Errorf("%d objects, want %d", len(lines), want)
	}
	for _, l := range lines {
		var e entry
		if err := json.Unmarshal([]byte(l), &e); err != nil || !e.Time.Equal(noon) || e.Error == "" && e.Source == "" {
			t.Errorf("%s is not an entry: %v", l, err)
		}
	}
}

func TestWatchFailsAtTheFirstLook(t *testing.T) {
	var terminal terminalOf
	err := watch(t.Context(), newStory(errNotRunning).look,
		&screen{w: &terminal, size: func() (int, int) { return 80, 24 }}, time.Hour)
	if !errors.Is(err, errNotRunning) || len(terminal.writes) > 0 {
		t.Errorf("got %v after %q", err, terminal.writes)
	}
}
