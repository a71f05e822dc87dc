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
	w, ok := ReadMaintenanceWindow(s)
	return w, w.check(s, "maintenance window", "ddd:hh24:mi-ddd:hh24:mi", ok)
}

// ParseSnapshotWindow reads "hh24:mi-hh24:mi".
func ParseSnapshotWindow(s string) (Window, error) {
	w, ok := ReadSnapshotWindow(s)
	return w, w.check(s, "snapshot window", "hh24:mi-hh24:mi", ok)
}

// ReadMaintenanceWindow reads a window of any length; false says that the text is none.
func ReadMaintenanceWindow(s string) (Window, bool) {
	return readWindow(s, week, func(clock string) (int, bool) {
		name, hhmm, ok := strings.Cut(clock, ":")
		d := slices.Index(weekdays, strings.ToLower(name))
		m, valid := parseClock(hhmm)
		return d*day + m, ok && valid && d >= 0
	})
}

// ReadSnapshotWindow reads a window of any length; false says that the text is none.
func ReadSnapshotWindow(s string) (Window, bool) { return readWindow(s, day, parseClock) }

func readWindow(s string, period int, clock func(string) (int, bool)) (Window, bool) {
	from, till, ok := strings.Cut(s, "-")
	start, validStart := clock(from)
	end, validEnd := clock(till)
	if !ok || !validStart || !validEnd {
		return Window{}, false
	}
	return Window{start: start, length: (end - start + period) % period, period: period}, true
}

// The least and the most minutes that a window may last.
const (
	MinWindow = 60
	MaxWindow = day
)

// Minutes is how long the window lasts.
func (w Window) Minutes() int { return w.length }

// check says in the API's words what is wrong with a window.
func (w Window) check(s, what, form string, ok bool) error {
	switch {
	case !ok:
		return fmt.Errorf("Invalid %s format: %q. Should be specified as a range %s (24H Clock UTC).", what, s, form)
	case w.length < MinWindow:
		return fmt.Errorf("%s must be at least %d minutes.", strings.ToUpper(what[:1])+what[1:], MinWindow)
	case w.length > MaxWindow:
		return fmt.Errorf("The %s must be at most 24 hours.", what)
	}
	return nil
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
