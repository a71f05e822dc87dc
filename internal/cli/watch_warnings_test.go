package cli

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/internal/doctor"
	"larder/internal/event"
	"larder/internal/state"
	"larder/internal/store"
)

// troubled is a view of groups of which there is everything to know.
func troubled(groups int) (v view) {
	for i := range groups {
		g := pair()
		g.ID = fmt.Sprintf("shop%d", i)
		v.groups = append(v.groups, g)
		v.events = append(v.events, listedEvent{noon.Add(time.Duration(i)), g.ID, "happened"})
	}
	about := func(check doctor.Check, message string) doctor.GroupWarning {
		return doctor.GroupWarning{Check: check, Region: "us-east-1", Groups: []string{"shop0"}, Next: "helps",
			Message: message + strings.Repeat(" and so on", 10) + "."}
	}
	v.warnings = []doctor.GroupWarning{about(doctor.DataLost, "LOST"), about(doctor.NoBackups, "NOBACKUP"),
		about(doctor.SecurityGroups, "NOFIREWALL")}
	v.damage = []doctor.Damage{{Check: doctor.DamagedLogs, Region: "eu-west-1", What: "/app: 1.seg in logs/x"}}
	return v
}

// What is wrong stands before the groups, what can only be lived with behind them, and events last. At 80x24 and at any
// other size all of it is there, or counted on the last line.
func TestWarningsOnTheScreen(t *testing.T) {
	text := drawn(frame(troubled(1), nil, 79, 24), 79, false)
	at := -1
	for _, part := range []string{"Damaged log events: some events of 1 log groups", "`larder status` lists them.",
		"warning: LOST", "shop0  available", "warning: NOBACKUP", "warning: NOFIREWALL", "last events", "happened"} {
		i := strings.Index(text, part)
		if i <= at {
			t.Errorf("%q stands at %d, after what is at %d:\n%s", part, i, at, text)
		}
		at = i
	}
	for _, groups := range []int{1, 2, 3, 6} {
		v := troubled(groups)
		for height := 2; height < 70; height++ {
			lines := frame(v, nil, 79, height)
			text, left := drawn(lines, 79, false), lines[len(lines)-1].draw(79, false)
			for what, shown := range map[string]bool{
				"more group":   strings.Count(text, "reader endpoint") == groups || strings.Contains(left, "more line"),
				"more warning": strings.Count(text, "warning: NO") == 2,
				"more event":   strings.Count(text, "happened") == groups,
				"more line":    strings.Contains(text, "warning: LOST") && strings.Contains(text, "reader endpoint"),
			} {
				if !shown && !strings.Contains(left, what) || len(lines) > height {
					t.Errorf("%d groups, %d lines of %d: the last does not count %q\n%s", groups, len(lines), height, what,
						text)
				}
			}
		}
	}
}

// The journal tells of damage and of a warning once when it is seen, and once when it is no more.
func TestWarningsInAJournal(t *testing.T) {
	before, after := troubled(1), troubled(1)
	after.warnings = after.warnings[1:]
	after.damage = nil
	for name, c := range map[string]struct {
		write func(*bytes.Buffer) func(entry) error
		times map[string]int
	}{
		"text": {func(b *bytes.Buffer) func(entry) error { return textLines(b) }, map[string]int{
			"12:00:00  damage in eu-west-1: /app: 1.seg in logs/x; next: put back": 1,
			"12:00:00  no more: damage in eu-west-1: /app:":                        1,
			"12:00:00  warning: LOST":                                              1,
			"12:00:00  no more: warning: LOST":                                     1,
			"12:00:00  warning: NOBACKUP":                                          1,
			"warning: NOFIREWALL":                                                  1,
		}},
		"JSON": {func(b *bytes.Buffer) func(entry) error { return jsonLines(b) }, map[string]int{
			`"damage":{"check":"damaged-logs","region":"eu-west-1","message":"/app: 1.seg in logs/x","next":"put back`: 2,
			`"warning":{"check":"data-lost","region":"us-east-1","groups":["shop0"],"message":"LOST`:                   2,
			`"check":"no-backups"`: 1,
			`"gone":true`:          2,
		}},
	} {
		var out bytes.Buffer
		j := &journal{write: c.write(&out), now: func() time.Time { return noon }}
		for _, v := range []view{before, before, after, after} {
			if err := j.show(v); err != nil {
				t.Fatal(err)
			}
		}
		for part, times := range c.times {
			if got := strings.Count(out.String(), part); got != times {
				t.Errorf("%s: %q stands there %d times, want %d, in\n%s", name, part, got, times, &out)
			}
		}
	}
}

// A watch sees the warnings of an engine, and those that come while it watches.
func TestAWatchSeesWarnings(t *testing.T) {
	c, d := newCloud(t), newHarness(t)
	if err := c.up(d, &wire{}, "../module/testdata/seed/production.tf"); err != nil {
		t.Fatal(err)
	}
	e := &eye{connect: func(context.Context) (*client, error) { return c.client(&wire{}), nil }}
	checks := func() (all []doctor.Check) {
		for _, w := range checked(e.look(t.Context()))(t).warnings {
			all = append(all, w.Check)
		}
		return all
	}
	if got := fmt.Sprint(checks()); got != "[no-backups security-groups]" {
		t.Errorf("warnings are %s", got)
	}
	err := c.store.Update(func(tx *store.Tx) error {
		return state.AddNotice(tx, event.New(event.AllDataLost, time.Now(), "uex-payments-prod-redis-001",
			"uex-payments-prod-redis-001"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(checks()); got != "[data-lost no-backups security-groups]" {
		t.Errorf("after a loss warnings are %s", got)
	}
}
