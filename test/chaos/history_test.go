package chaos

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	a  = Term{"run-a", "history-1"}
	b  = Term{"run-b", "history-2"}
	a2 = Term{"run-a", "history-3"} // a again, promoted a second time
)

// took is a write from one millisecond to another, acknowledged.
func took(by Term, number, from, till int) Write {
	return Write{Number: number, Invoked: time.Duration(from) * ms, Answered: time.Duration(till) * ms, Acked: true,
		By: by}
}

func unknown(w Write) Write {
	w.Acked = false
	return w
}

func TestMissing(t *testing.T) {
	three := []Write{took(a, 1, 0, 1), unknown(took(a, 2, 2, 3)), took(a, 3, 4, 5)}
	for name, c := range map[string]struct {
		list    []int
		missing int
		err     string
	}{
		"all there":                     {[]int{1, 2, 3}, 0, ""},
		"the unknown one was not done":  {[]int{1, 3}, 0, ""},
		"the unknown one was done late": {[]int{1, 3, 2}, 0, ""},
		"the end is missing":            {[]int{1}, 1, ""},
		"everything is missing":         {nil, 2, ""},
		"never written":                 {[]int{1, 2, 3, 4}, 0, "never wrote"},
		"out of order":                  {[]int{3, 1}, 0, "acknowledged later"},
		"twice":                         {[]int{1, 1, 3}, 0, "twice"},
	} {
		missing, err := Missing(three, map[int][]int{0: c.list})
		switch {
		case c.err == "" && err != nil, c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: got the error %v, want %q", name, err, c.err)
		case len(missing) != c.missing:
			t.Errorf("%s: %v are missing, want %d", name, missing, c.missing)
		}
	}
}

func TestTwoPrimaries(t *testing.T) {
	for name, c := range map[string]struct {
		writes []Write
		two    bool
	}{
		"one server":                    {[]Write{took(a, 1, 0, 1), took(a, 2, 2, 3)}, false},
		"one after the other":           {[]Write{took(a, 1, 0, 1), took(a, 2, 2, 3), took(b, 3, 4, 5)}, false},
		"at the switch, both in flight": {[]Write{took(a, 1, 0, 1), took(a, 2, 2, 6), took(b, 1, 3, 5)}, false},
		"there and back":                {[]Write{took(a, 1, 0, 1), took(b, 2, 2, 3), took(a2, 3, 4, 5)}, false},
		"in turns": {[]Write{took(a, 1, 0, 1), took(b, 1, 2, 3), took(a, 2, 4, 5),
			took(b, 2, 6, 7)}, true},
		"the old one goes on": {[]Write{took(a, 1, 0, 1), took(b, 1, 2, 3), took(a, 2, 4, 5),
			took(b, 2, 5, 6)}, true},
		"a process is no second primary": {[]Write{took(a, 1, 0, 1), took(a2, 1, 0, 3), took(a, 2, 4, 5),
			took(a2, 2, 6, 7)}, false},
		"what was not acknowledged is none": {[]Write{took(a, 1, 0, 1), took(b, 1, 2, 3), unknown(took(a, 2, 4, 5)),
			took(b, 2, 6, 7)}, false},
	} {
		if err := TwoPrimaries(c.writes); (err != nil) != c.two {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// Servers that take writes one after another, however the clients' times lie around them, are never taken for two at
// once.
func TestSuccessionIsNotTwoPrimaries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var writes []Write
		done := 0
		for i := range rapid.IntRange(1, 5).Draw(t, "terms") {
			by := Term{[]string{"run-a", "run-b", "run-c"}[i%3], string(rune('0' + i))}
			for range rapid.IntRange(1, 6).Draw(t, "writes") {
				done += rapid.IntRange(1, 5).Draw(t, "later")
				writes = append(writes, took(by, 0, done-rapid.IntRange(0, 9).Draw(t, "before"),
					done+rapid.IntRange(0, 9).Draw(t, "after")))
			}
		}
		if err := TwoPrimaries(writes); err != nil {
			t.Fatal(err)
		}
	})
}

func TestLongestGap(t *testing.T) {
	writes := []Write{took(a, 1, 0, 1), took(a, 2, 8, 9), took(b, 4, 30, 31), unknown(took(a, 3, 10, 20)),
		took(b, 5, 32, 33)}
	for from, want := range map[time.Duration]time.Duration{0: 22 * ms, 20 * ms: 22 * ms, 32 * ms: 2 * ms, 40 * ms: 0} {
		if got := LongestGap(writes, from); got != want {
			t.Errorf("from %s: got %s, want %s", from, got, want)
		}
	}
}

func TestJudge(t *testing.T) {
	byOld, byNew := []Write{took(a, 1, 0, 1)}, []Write{took(b, 1, 0, 1)}
	for name, c := range map[string]struct {
		outcome Outcome
		broken  string
	}{
		"planned, nothing missing":    {Outcome{Planned, a, b, 2 * ms, nil, false}, ""},
		"planned, one missing":        {Outcome{Planned, a, b, 2 * ms, byOld, false}, "nothing may be lost"},
		"unaffected, nothing missing": {Outcome{Unaffected, a, a, 2 * ms, nil, false}, ""},
		"unaffected, one missing":     {Outcome{Unaffected, a, a, 2 * ms, byOld, false}, "nothing may be lost"},
		"unaffected, another primary": {Outcome{Unaffected, a, b, 2 * ms, nil, false}, "nothing had happened"},
		"unplanned, of the dead":      {Outcome{Unplanned, a, b, 2 * ms, byOld, false}, ""},
		"unplanned, of the new":       {Outcome{Unplanned, a, b, 2 * ms, byNew, false}, "does not have it"},
		"unplanned, of a third": {Outcome{Unplanned, a, b, 2 * ms, []Write{took(Term{"c", "x"}, 1, 0, 1)},
			false}, "another one"},
		"unplanned, none took over":        {Outcome{Unplanned, a, a, 2 * ms, byOld, false}, "does not have it"},
		"unplanned, and said to have none": {Outcome{Unplanned, a, b, 2 * ms, nil, true}, "was left"},
		"unplanned, of long ago":           {Outcome{Unplanned, a, b, 2 * time.Second, byOld, false}, "was left"},
		"cascading, of a third": {Outcome{Cascading, a, b, 2 * ms, []Write{took(Term{"c", "x"}, 1, 0, 1)},
			false}, ""},
		"cascading, of the new": {Outcome{Cascading, a, b, 2 * ms, byNew, false}, "does not have it"},
		"total, announced":      {Outcome{Total, a, b, 2 * ms, byOld, true}, ""},
		"total, in silence":     {Outcome{Total, a, b, 2 * ms, byOld, false}, "no event"},
		"total, of the new":     {Outcome{Total, a, b, 2 * ms, byNew, true}, "does not have it"},
	} {
		err := c.outcome.Judge()
		if (err != nil) != (c.broken != "") || err != nil && !strings.Contains(err.Error(), c.broken) {
			t.Errorf("%s: got %v, want %q", name, err, c.broken)
		}
	}
}
