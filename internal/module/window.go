package module

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// Minutes in a day and in a week.
const (
	day  = 24 * 60
	week = 7 * day
)

// window is a span that comes back: start in minutes after midnight UTC, of Sunday for a weekly one, and length in minutes.
type window struct{ start, length int }

var (
	dailyForm  = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])$`)
	weeklyForm = regexp.MustCompile(`^([a-z]{3}):([01][0-9]|2[0-3]):([0-5][0-9])-([a-z]{3}):([01][0-9]|2[0-3]):([0-5][0-9])$`)
	weekdays   = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// parseDaily reads hh:mm-hh:mm; an end before the start is on the next day.
func parseDaily(s string) (window, error) {
	m := dailyForm.FindStringSubmatch(s)
	if m == nil {
		return window{}, fmt.Errorf("is not of the form hh:mm-hh:mm, such as 03:00-05:00 (UTC)")
	}
	return span(minutes(m[1], m[2]), minutes(m[3], m[4]), day)
}

// parseWeekly reads ddd:hh:mm-ddd:hh:mm; an end before the start is in the next week.
func parseWeekly(s string) (window, error) {
	m := weeklyForm.FindStringSubmatch(s)
	if m == nil || !slices.Contains(weekdays, m[1]) || !slices.Contains(weekdays, m[4]) {
		return window{}, fmt.Errorf("is not of the form ddd:hh:mm-ddd:hh:mm in lower case, such as sun:05:00-sun:07:00 (UTC)")
	}
	from := slices.Index(weekdays, m[1])*day + minutes(m[2], m[3])
	to := slices.Index(weekdays, m[4])*day + minutes(m[5], m[6])
	w, err := span(from, to, week)
	if err == nil && w.length > day {
		return w, fmt.Errorf("is %d minutes long: the most AWS takes is 24 hours (%d minutes)", w.length, day)
	}
	return w, err
}

func span(from, to, period int) (window, error) {
	w := window{start: from, length: (to - from + period) % period}
	if w.length < 60 {
		return w, fmt.Errorf("is %d minutes long: the least AWS takes is 60 minutes", w.length)
	}
	return w, nil
}

// minutes of an hour and minute that the form has shown to be digits.
func minutes(hh, mm string) int {
	h, _ := strconv.Atoi(hh)
	m, _ := strconv.Atoi(mm)
	return h*60 + m
}

// overlaps reports whether a window that comes every day meets one that comes on some day of the week. Because the
// daily one comes every day, the day of the other does not matter.
func (daily window) overlaps(weekly window) bool {
	ahead := (weekly.start - daily.start + week) % day
	return ahead < daily.length || (day-ahead)%day < weekly.length
}

func dailyWindow(s string) []problem {
	if _, err := parseDaily(s); err != nil {
		return bad(s, "%v", err)
	}
	return nil
}

func weeklyWindow(s string) []problem {
	if _, err := parseWeekly(s); err != nil {
		return bad(s, "%v", err)
	}
	return nil
}
