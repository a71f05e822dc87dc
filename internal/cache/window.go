package cache

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Window is a span of minutes that recurs every week (maintenance) or every day (snapshots), in UTC.
type Window struct {
	start, length int // minutes; start counts from Sunday 00:00, or from 00:00
	period        int // minutes after which it recurs
}

const (
	day  = 24 * 60
	week = 7 * day
)

// weekdays in the API's spelling, from the first minute of the week on.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// ParseMaintenanceWindow reads "ddd:hh24:mi-ddd:hh24:mi". A window lasts at least 60 minutes and at most a day.
func ParseMaintenanceWindow(s string) (Window, error) {
	return parseWindow(s, "maintenance window", week, func(clock string) (int, bool) {
		name, hhmm, ok := strings.Cut(clock, ":")
		d := slices.Index(weekdays, strings.ToLower(name))
		m, valid := parseClock(hhmm)
		return d*day + m, ok && valid && d >= 0
	})
}

// ParseSnapshotWindow reads "hh24:mi-hh24:mi".
func ParseSnapshotWindow(s string) (Window, error) {
	return parseWindow(s, "snapshot window", day, parseClock)
}

func parseWindow(s, what string, period int, clock func(string) (int, bool)) (Window, error) {
	form := "hh24:mi-hh24:mi"
	if period == week {
		form = "ddd:hh24:mi-ddd:hh24:mi"
	}
	from, till, ok := strings.Cut(s, "-")
	start, validStart := clock(from)
	end, validEnd := clock(till)
	if !ok || !validStart || !validEnd {
		return Window{}, fmt.Errorf("Invalid %s format: %q. Should be specified as a range %s (24H Clock UTC).", what, s, form)
	}
	w := Window{start: start, length: (end - start + period) % period, period: period}
	switch {
	case w.length < 60:
		return w, fmt.Errorf("%s must be at least 60 minutes.", strings.ToUpper(what[:1])+what[1:])
	case w.length > day:
		return w, fmt.Errorf("The %s must be at most 24 hours.", what)
	}
	return w, nil
}

// parseClock reads hh:mm into minutes.
func parseClock(s string) (int, bool) {
	t, err := time.Parse("15:04", s)
	return t.Hour()*60 + t.Minute(), err == nil && len(s) == len("15:04")
}

// Overlaps tells whether the two windows ever share a minute.
func (w Window) Overlaps(o Window) bool {
	period := max(w.period, o.period)
	for a := w.start; a < w.start+period; a += w.period {
		for b := o.start; b < o.start+period; b += o.period {
			// The distance from one start to the other, round the period, tells which begins inside which.
			if mod(b-a, period) < w.length || mod(a-b, period) < o.length {
				return true
			}
		}
	}
	return false
}

func mod(a, b int) int { return (a%b + b) % b }

// Contains tells whether the window is open at that instant.
func (w Window) Contains(t time.Time) bool {
	t = t.UTC()
	minute := t.Hour()*60 + t.Minute()
	if w.period == week {
		minute += int(t.Weekday()) * day
	}
	return mod(minute-w.start, w.period) < w.length
}
