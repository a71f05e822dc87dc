package audit

import (
	"testing"
	"time"
)

func TestExpired(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	b := bounds{Rows: 3, Age: time.Hour}
	for _, test := range []struct {
		rows   uint64
		oldest time.Time
		want   bool
	}{
		{1, now, false},
		{3, now.Add(-time.Hour), false},
		{4, now, true},
		{1, now.Add(-time.Hour - 1), true},
		{3, time.Time{}, false}, // it cannot be read
		{4, time.Time{}, true},
		{1, now.Add(time.Hour), false}, // the clock went back
	} {
		if got := b.expired(test.rows, test.oldest, now); got != test.want {
			t.Errorf("%d rows, the oldest of %v: got %v", test.rows, test.oldest, got)
		}
	}
}
