package audit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"larder/internal/store"
)

// bounds are how long the rows of a category are kept.
type bounds struct {
	Rows uint64        // at most
	Age  time.Duration // since the request came
}

// bound is a category's. CloudTrail's event history, too, goes back 90 days.
func bound(c Category) bounds {
	const age = 90 * 24 * time.Hour
	if c == Data {
		return bounds{Rows: 500, Age: age}
	}
	return bounds{Rows: 5000, Age: age}
}

// expired tells whether the oldest row is beyond the bounds. Rows is how many there are with it; a zero oldest is the
// time of one that cannot be read, which only their number can expire.
func (b bounds) expired(rows uint64, oldest, now time.Time) bool {
	return rows > b.Rows || !oldest.IsZero() && now.Sub(oldest) > b.Age
}

// maxDropped is how many rows one transaction drops at most, so that none takes long. Rows come one at a time.
const maxDropped = 16

// put writes a row behind those of its category, and drops the oldest that are beyond the bounds.
func put(tx *store.Tx, row Record) error {
	prefix := string(row.EventCategory) + "/"
	first, last, err := records.Ends(tx, prefix)
	if err != nil {
		return err
	}
	oldest, newest, err := numbers(prefix, first, last)
	if err != nil {
		return err
	}
	row.Number = newest + 1
	if err := records.Put(tx, row.RowKey(), row); err != nil {
		return err
	}
	within := bound(row.EventCategory)
	for n := oldest; n < row.Number && n < oldest+maxDropped; n++ {
		at, err := timeOf(tx, key(row.EventCategory, n))
		if err != nil {
			return err
		}
		if !within.expired(row.Number-n+1, at, row.EventTime) {
			return nil
		}
		if err := records.Delete(tx, key(row.EventCategory, n)); err != nil {
			return err
		}
	}
	return nil
}

// numbers are those of the first and the last row of a category. Without rows, the next one is the first.
func numbers(prefix, first, last string) (oldest, newest uint64, err error) {
	if last == "" {
		return 1, 0, nil
	}
	oldest, errOldest := strconv.ParseUint(strings.TrimPrefix(first, prefix), 16, 64)
	newest, errNewest := strconv.ParseUint(strings.TrimPrefix(last, prefix), 16, 64)
	if err := errors.Join(errOldest, errNewest); err != nil {
		return 0, 0, fmt.Errorf("a key of the audit table is none: %w", err)
	}
	return oldest, newest, nil
}

// timeOf is when a row's request came; zero of a row that is missing or cannot be read.
func timeOf(tx *store.Tx, key string) (time.Time, error) {
	row, err := records.Get(tx, key)
	if errors.Is(err, store.ErrNotFound) || store.IsUnreadable(err) {
		return time.Time{}, nil
	}
	return row.EventTime, err
}
