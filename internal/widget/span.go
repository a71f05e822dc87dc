package widget

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// times reads what time is drawn, and in which zone.
func (w *Widget) times(f frame, now time.Time) (err error) {
	if w.Start, err = instant(cmp.Or(f.Start, defaultStart), now); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	if w.End, err = instant(cmp.Or(f.End, defaultEnd), now); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	if !w.Start.Before(w.End) {
		return errors.New("its start must be before its end")
	}
	w.Zone = time.UTC
	if f.Timezone != "" {
		zone, err := time.Parse("-0700", f.Timezone)
		if err != nil {
			return fmt.Errorf("the timezone %q must be in the form +HHMM", f.Timezone)
		}
		_, offset := zone.Zone()
		w.Zone = time.FixedZone(f.Timezone, offset)
	}
	return nil
}

// duration is ISO 8601's, whose years and months are the calendar's.
var duration = regexp.MustCompile(`^-?P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$`)

// instant is a time, or a duration before now.
func instant(text string, now time.Time) (time.Time, error) {
	if !strings.HasPrefix(strings.TrimPrefix(text, "-"), "P") {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return t, fmt.Errorf("%q must be a time such as 2018-04-25T12:00:00.000Z, or a duration such as -PT3H",
				text)
		}
		return t, nil
	}
	parts := duration.FindStringSubmatch(text)
	if parts == nil {
		return now, fmt.Errorf("%q must be a duration such as -PT3H or -P7D", text)
	}
	var n [8]int
	for i, part := range parts[1:] {
		n[i+1], _ = strconv.Atoi(cmp.Or(part, "0")) // digits, as many as fit
	}
	clock := time.Duration(n[5])*time.Hour + time.Duration(n[6])*time.Minute + time.Duration(n[7])*time.Second
	return now.AddDate(-n[1], -n[2], -7*n[3]-n[4]).Add(-clock), nil
}
