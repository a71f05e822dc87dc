package cache_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/cache"
)

const (
	minutesOfDay  = 24 * 60
	minutesOfWeek = 7 * minutesOfDay
)

var days = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func clock(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60%24, minute%60) }

func weekClock(minute int) string {
	return days[minute/minutesOfDay%7] + ":" + clock(minute)
}

// TestWindowsOverlap compares with a walk over every minute of a week.
func TestWindowsOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weekly := drawWindow(t, minutesOfWeek)
		daily := drawWindow(t, minutesOfDay)
		other := drawWindow(t, minutesOfWeek)
		for _, pair := range [][2]drawn{{weekly, daily}, {daily, weekly}, {weekly, other}, {daily, daily}} {
			shared := false
			for minute := range minutesOfWeek {
				shared = shared || pair[0].covers(minute) && pair[1].covers(minute)
			}
			if got := pair[0].window.Overlaps(pair[1].window); got != shared {
				t.Fatalf("%s and %s overlap: %v, want %v", pair[0].text, pair[1].text, got, shared)
			}
		}
	})
}

// drawn is a window with what it was made from.
type drawn struct {
	window                cache.Window
	text                  string
	start, length, period int
}

func drawWindow(t *rapid.T, period int) drawn {
	d := drawn{start: rapid.IntRange(0, period-1).Draw(t, "start"),
		length: rapid.IntRange(60, minutesOfDay-1).Draw(t, "length"), period: period}
	parse, spell := cache.ParseSnapshotWindow, clock
	if period == minutesOfWeek {
		parse, spell = cache.ParseMaintenanceWindow, weekClock
	}
	d.text = spell(d.start) + "-" + spell(d.start+d.length)
	var err error
	if d.window, err = parse(d.text); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d drawn) covers(minute int) bool {
	for since := minute - d.start + minutesOfWeek; since >= 0; since -= d.period {
		if since < d.length {
			return true
		}
	}
	return false
}

func TestParseWindows(t *testing.T) {
	const form = "Should be specified as a range"
	for _, c := range []struct {
		parse         func(string) (cache.Window, error)
		text, refusal string
	}{
		{cache.ParseMaintenanceWindow, "sun:05:00-sun:06:00", ""},
		{cache.ParseMaintenanceWindow, "SUN:05:00-Sun:06:00", ""},
		{cache.ParseMaintenanceWindow, "sat:23:30-sun:00:30", ""},
		{cache.ParseMaintenanceWindow, "sun:05:00-mon:05:00", ""},
		{cache.ParseMaintenanceWindow, "sun:05:00-mon:05:01", "at most 24 hours"},
		{cache.ParseMaintenanceWindow, "mon:05:00-sun:05:00", "at most 24 hours"},
		{cache.ParseMaintenanceWindow, "sun:05:00-sun:05:59", "Maintenance window must be at least 60 minutes."},
		{cache.ParseMaintenanceWindow, "sun:05:00-sun:05:00", "at least 60 minutes"},
		{cache.ParseMaintenanceWindow, "day:05:00-sun:06:00", form},
		{cache.ParseMaintenanceWindow, "05:00-06:00", form},
		{cache.ParseMaintenanceWindow, "sun:05:00-sun:06:00-sun:07:00", form},
		{cache.ParseMaintenanceWindow, "", form},
		{cache.ParseSnapshotWindow, "05:00-06:00", ""},
		{cache.ParseSnapshotWindow, "23:30-00:30", ""},
		{cache.ParseSnapshotWindow, "05:00-04:59", ""},
		{cache.ParseSnapshotWindow, "05:00-05:59", "Snapshot window must be at least 60 minutes."},
		{cache.ParseSnapshotWindow, "05:00-05:00", "at least 60 minutes"},
		{cache.ParseSnapshotWindow, "24:00-01:00", form},
		{cache.ParseSnapshotWindow, "5:00-6:00", form},
		{cache.ParseSnapshotWindow, "05:60-07:00", form},
		{cache.ParseSnapshotWindow, "sun:05:00-sun:06:00", form},
		{cache.ParseSnapshotWindow, "05:00", form},
	} {
		_, err := c.parse(c.text)
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%q: %v, want %q", c.text, err, c.refusal)
		}
	}
}
