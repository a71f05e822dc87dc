package monitor

import (
	"fmt"
	"time"
)

// DefaultInterval is ElastiCache's.
const DefaultInterval = time.Minute

// CheckInterval refuses an interval that a minute is no multiple of, and one that is no whole number of seconds.
func CheckInterval(d time.Duration) error {
	if d < time.Second || d%time.Second != 0 || time.Minute%d != 0 {
		return fmt.Errorf("nodes cannot be read every %s: want whole seconds that a minute is a multiple of, such as 60s, 10s or 5s", d)
	}
	return nil
}
