package module

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// covered marks the minutes of a week that a window takes, one by one.
func covered(start, length, period int) map[int]bool {
	minutes := map[int]bool{}
	for from := start; from < start+week; from += period {
		for m := from; m < from+length; m++ {
			minutes[m%week] = true
		}
	}
	return minutes
}

func TestOverlapAgainstMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		daily := window{start: rapid.IntRange(0, day-1).Draw(t, "daily start"), length: rapid.IntRange(60, day-1).Draw(t, "daily length")}
		weekly := window{start: rapid.IntRange(0, week-1).Draw(t, "weekly start"), length: rapid.IntRange(60, day).Draw(t, "weekly length")}
		want := false
		taken := covered(daily.start, daily.length, day)
		for m := range covered(weekly.start, weekly.length, week) {
			want = want || taken[m]
		}
		if got := daily.overlaps(weekly); got != want {
			t.Fatalf("%v overlaps %v is %v, want %v", daily, weekly, got, want)
		}
	})
}

func TestParseWindowsRoundTrip(t *testing.T) {
	clock := func(m int) string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }
	weekClock := func(m int) string { return weekdays[m/day] + ":" + clock(m%day) }
	rapid.Check(t, func(t *rapid.T) {
		from, length := rapid.IntRange(0, day-1).Draw(t, "from"), rapid.IntRange(60, day-1).Draw(t, "length")
		got, err := parseDaily(clock(from) + "-" + clock((from+length)%day))
		if err != nil || got != (window{from, length}) {
			t.Fatalf("parseDaily gives %v, %v, want %v", got, err, window{from, length})
		}
		from, length = rapid.IntRange(0, week-1).Draw(t, "weekly from"), rapid.IntRange(60, day).Draw(t, "weekly length")
		got, err = parseWeekly(weekClock(from) + "-" + weekClock((from+length)%week))
		if err != nil || got != (window{from, length}) {
			t.Fatalf("parseWeekly gives %v, %v, want %v", got, err, window{from, length})
		}
	})
}

func TestRefusedWindows(t *testing.T) {
	for _, s := range []string{"", "24:00-01:00", "03:60-05:00", "03:00", "03:00-03:00", "03:00-03:59", "03:00-05:00 "} {
		if _, err := parseDaily(s); err == nil {
			t.Errorf("parseDaily(%q) is taken", s)
		}
	}
	for _, s := range []string{"", "05:00-07:00", "xxx:05:00-sun:07:00", "sun:05:00-sun:05:30", "sun:05:00-sun:05:00", "sun:05:00-tue:05:00", "SUN:05:00-sun:07:00"} {
		if _, err := parseWeekly(s); err == nil {
			t.Errorf("parseWeekly(%q) is taken", s)
		}
	}
}
