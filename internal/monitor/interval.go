package monitor

import (
	"fmt"
	"time"
)

// DefaultInterval is the interval of ElastiCache.
const DefaultInterval = time.Minute

// CheckInterval returns an error unless d is a whole number of seconds and divides a minute.
func CheckInterval(d time.Duration) error {
	if d < time.Second || d%time.Second != 0 || time.Minute%d != 0 {
		return fmt.Errorf("nodes cannot be read every %s: want whole seconds that a minute is a multiple of, "+
			"such as 60s, 10s or 5s", d)
	}
	return nil
}
