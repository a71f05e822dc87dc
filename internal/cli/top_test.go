package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"larder/internal/services/larder"
)

// counted is a pair's counts at one moment, and two seconds later.
func counted() (before, after []larder.Measured) {
	begin := noon.UnixNano()
	primary := larder.Measured{ReplicationGroupId: "shop", CacheClusterId: "shop-001", Zone: "us-east-1a",
		Role: "primary", PID: 41, LagSeconds: -1}
	replica := larder.Measured{ReplicationGroupId: "shop", CacheClusterId: "shop-002", Zone: "us-east-1b",
		Role: "replica", PID: 42, LagSeconds: 1.25}
	at := func(m larder.Measured, r larder.Reading) larder.Measured { m.Reading = &r; return m }
	return []larder.Measured{
			at(primary, larder.Reading{At: begin, Commands: 100, Hits: 5, Misses: 5, CPUSeconds: 1, MemoryUsed: 1 << 20,
				MemoryMax: 1 << 30, Clients: 3}),
			at(replica, larder.Reading{At: begin, Commands: 10, MemoryUsed: 1 << 20, MemoryMax: 1 << 30}),
		}, []larder.Measured{
			at(primary, larder.Reading{At: begin + 2e9, Commands: 300, Hits: 14, Misses: 6, Evictions: 8,
				CPUSeconds: 1.5, MemoryUsed: 2 << 20, MemoryMax: 1 << 30,
				Clients: 4, NetworkIn: 4096, NetworkOut: 8 << 20}),
			at(replica, larder.Reading{At: begin + 2e9, Commands: 12, MemoryUsed: 2 << 20, MemoryMax: 1 << 30}),
		}
}

func TestLoads(t *testing.T) {
	before, after := counted()
	restarted := slices.Clone(after)
	restarted[0].PID = 99
	silent := slices.Clone(after)
	silent[1].Reading = nil
	gone := slices.Clone(after)
	gone[1].PID, gone[1].Reading = 0, nil
	reset := slices.Clone(after)
	reset[0].Reading = new(*after[0].Reading)
	reset[0].Reading.Commands = 3
	const head = "  NODE      ROLE     ZONE        OPS/S  HITS   MEMORY   OF       LAG    CLIENTS  CPU    IN/S     " +
		"OUT/S    EVICT/S\n"
	for name, c := range map[string]struct {
		after []larder.Measured
		want  string
	}{
		"busy primary": {after, head +
			"  shop-001  primary  us-east-1a  100    90.0%  2.0 MiB  1.0 GiB  -      4        25.0%  2.0 KiB  4.0 MiB  4\n" +
			"  shop-002  replica  us-east-1b  1      -      2.0 MiB  1.0 GiB  1.2 s  0        0.0%   0 B      0 B      0"},
		"just restarted": {restarted, "" +
			"  NODE      ROLE     ZONE        OPS/S  HITS  MEMORY   OF       LAG    CLIENTS  CPU   IN/S  OUT/S  EVICT/S\n" +
			"  shop-002  replica  us-east-1b  1      -     2.0 MiB  1.0 GiB  1.2 s  0        0.0%  0 B   0 B    0\n" +
			"  shop-001  primary  us-east-1a  -      -     2.0 MiB  1.0 GiB  -      4        -     -     -      -"},
		"hanging": {silent, "" +
			"  NODE      ROLE     ZONE        OPS/S  HITS   MEMORY   OF       LAG        CLIENTS  CPU    IN/S     OUT/S    " +
			"EVICT/S\n" +
			"  shop-002  replica  us-east-1b  -      -      -        -        no answer  -        -      -        -        -\n" +
			"  shop-001  primary  us-east-1a  100    90.0%  2.0 MiB  1.0 GiB  -          4        25.0%  2.0 KiB  4.0 MiB  4"},
		"dead": {gone, "" +
			"  NODE      ROLE     ZONE        OPS/S  HITS   MEMORY   OF       LAG   CLIENTS  CPU    IN/S     OUT/S    " +
			"EVICT/S\n" +
			"  shop-002  replica  us-east-1b  -      -      -        -        gone  -        -      -        -        -\n" +
			"  shop-001  primary  us-east-1a  100    90.0%  2.0 MiB  1.0 GiB  -     4        25.0%  2.0 KiB  4.0 MiB  4"},
		"counters set back": {reset, "" +
			"  NODE      ROLE     ZONE        OPS/S  HITS   MEMORY   OF       LAG    CLIENTS  CPU    IN/S     OUT/S    " +
			"EVICT/S\n" +
			"  shop-002  replica  us-east-1b  1      -      2.0 MiB  1.0 GiB  1.2 s  0        0.0%   0 B      0 B      0\n" +
			"  shop-001  primary  us-east-1a  0      90.0%  2.0 MiB  1.0 GiB  -      4        25.0%  2.0 KiB  4.0 MiB  4"},
		"no group": {nil, noGroups},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, drawn(load{Nodes: loads(before, c.after, "ops")}.lines(nil, 0), 0,
				false)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestLoadsAreSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var before, after []larder.Measured
		for i := range rapid.IntRange(0, 6).Draw(t, "nodes") {
			count := rapid.Int64Range(0, 5)
			m := larder.Measured{CacheClusterId: string(rune('f' - i)), PID: rapid.Int32Range(0, 1).Draw(t, "pid"),
				LagSeconds: -1}
			was := m
			if m.PID != 0 && rapid.Bool().Draw(t, "answers") {
				was.Reading = &larder.Reading{}
				m.Reading = &larder.Reading{At: 1e9, Commands: count.Draw(t, "ops"), Clients: count.Draw(t, "clients"),
					MemoryUsed: count.Draw(t, "memory")}
			}
			before, after = append(before, was), append(after, m)
		}
		order := rapid.SampledFrom(topOrders).Draw(t, "order")
		all := loads(before, after, order)
		if len(all) != len(after) {
			t.Fatalf("%d of %d nodes", len(all), len(after))
		}
		value := map[string]func(nodeLoad) float64{
			"ops":     func(n nodeLoad) float64 { return known(n.Ops) },
			"clients": func(n nodeLoad) float64 { return float64(known(n.Clients)) },
			"memory":  func(n nodeLoad) float64 { return float64(known(n.MemoryUsed)) },
		}[order]
		for i := 1; i < len(all); i++ {
			a, b := all[i-1], all[i]
			switch {
			case order == "id" && a.ID >= b.ID:
				t.Fatalf("%s before %s", a.ID, b.ID)
			case order != "id" && a.Link == linkAnswers && b.Link != linkAnswers:
				t.Fatalf("%s, which answers, before %s, which does not", a.ID, b.ID)
			case value != nil && a.Link == b.Link && value(a) < value(b):
				t.Fatalf("%s with %g before %s with %g", a.ID, value(a), b.ID, value(b))
			}
		}
	})
}

// asking answers a meter: each answer in turn, and the last from then on.
type asking struct {
	answers []any
	asked   int
}

func (a *asking) ask(context.Context) ([]larder.Measured, error) {
	at := a.answers[min(a.asked, len(a.answers)-1)]
	a.asked++
	if err, is := at.(error); is {
		return nil, err
	}
	return at.([]larder.Measured), nil
}

func TestTopInto(t *testing.T) {
	before, after := counted()
	run := func(l *topLog) string {
		var out bytes.Buffer
		l.w, l.now = &out, func() time.Time { return noon }
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithTimeout(t.Context(), 4700*time.Millisecond)
			defer interrupt()
			m := &meter{ask: (&asking{answers: []any{before, after, errors.New("away"), errors.New("away"),
				after}}).ask, order: "ops", now: func() time.Time { return noon }}
			if err := watch(ctx, m.look, l, topPause); err != nil {
				t.Errorf("an interrupt is no failure: %v", err)
			}
		})
		return out.String()
	}
	text := run(&topLog{})
	if n := strings.Count(text, "NODE"); n != 3 {
		t.Errorf("%d tables, want 3 in\n%s", n, text)
	}
	if n := strings.Count(text, "cannot look: away"); n != 1 {
		t.Errorf("told %d times that the engine is away, want once in\n%s", n, text)
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("a pipe gets a terminal's codes: %q", text)
	}
	lines := strings.Split(strings.TrimSpace(run(&topLog{json: true})), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d objects, want 4: %q", len(lines), lines)
	}
	var first load
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	if n := first.Nodes[0]; n.ID != "shop-001" || *n.Ops != 100 || *n.HitRate != 90 || n.Lag != nil {
		t.Errorf("the first object is %s", lines[0])
	}
	if !strings.Contains(lines[1], `"error":"away"`) {
		t.Errorf("the second object is %s, want the error", lines[1])
	}
}

func TestTopOnATerminal(t *testing.T) {
	before, after := counted()
	var terminal terminalOf
	s := &topScreen{screen{w: &terminal, size: func() (int, int) { return 60, 3 }}, load{}}
	if err := s.show(load{Nodes: loads(before, after, "ops")}); err != nil {
		t.Fatal(err)
	}
	if err := s.showError(errors.New("away")); err != nil {
		t.Fatal(err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if first := terminal.writes[0]; !strings.Contains(first, "shop-002") || !strings.Contains(first, "shop-001") {
		t.Errorf("three rows do not hold three lines: %q", first)
	}
	if second := terminal.writes[1]; !strings.Contains(second, "2 more nodes") && !strings.Contains(second,
		"3 more nodes") {
		t.Errorf("what has no room is not counted: %q", second)
	}
	if !strings.Contains(terminal.writes[1], "cannot look: away") {
		t.Errorf("the lastError is not shown: %q", terminal.writes[1])
	}
	if last := terminal.writes[2]; last != "\x1b[?25h\x1b[?1049l" {
		t.Errorf("the terminal is not given back: %q", last)
	}
}

// On a terminal of 80 columns a table leaves out what matters least, and cuts no column in two.
func TestANarrowTop(t *testing.T) {
	n := nodeLoad{Group: "uex-payments-prod-redis", ID: "uex-payments-prod-redis-001", Zone: "us-east-1a",
		Role: "primary", Link: linkAnswers}
	n.Ops, n.HitRate, n.MemoryUsed, n.MemoryMax = new(123456.0), new(100.0), new(int64(1023<<20)), new(int64(13<<30))
	n.Lag, n.Clients, n.CPU, n.NetworkIn = new(0.0), new(int64(12345)), new(100.0), new(float64(99<<20))
	n.NetworkOut, n.Evictions = new(float64(99<<20)), new(54321.0)
	all := load{Nodes: []nodeLoad{n}}
	for _, c := range []struct {
		width int
		head  string
	}{
		{0, "NODE ROLE ZONE OPS/S HITS MEMORY OF LAG CLIENTS CPU IN/S OUT/S EVICT/S"},
		{100, "NODE ROLE OPS/S HITS MEMORY LAG CLIENTS CPU EVICT/S"},
		{79, "NODE OPS/S HITS MEMORY LAG EVICT/S"},
		{60, "NODE OPS/S HITS MEMORY"},
		{20, "NODE OPS/S"},
	} {
		lines := all.lines(nil, c.width)
		if head := strings.Join(strings.Fields(lines[0].draw(0, false)), " "); head != c.head {
			t.Errorf("width %d: %s, want %s", c.width, head, c.head)
		}
	}
}
