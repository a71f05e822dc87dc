package engine

import "time"

// trail is where a primary's offset was, at moments of the past, oldest first: it tells for how long a replica has
// lacked something. Bytes would not do: a few that never come are worse than many that are on their way.
type trail struct {
	stream  string // that the offsets count in
	moments []moment
}

type moment struct {
	at     time.Time
	offset int64
}

const (
	trailStep   = 100 * time.Millisecond // between two moments, at least
	trailLength = 128                    // moments: at least 12 s
)

// add notes the primary's offset. Another stream begins another trail.
func (t *trail) add(now time.Time, stream string, offset int64) {
	if stream != t.stream {
		*t = trail{stream: stream}
	}
	if n := len(t.moments); n > 0 && now.Sub(t.moments[n-1].at) < trailStep {
		return
	}
	t.moments = append(t.moments, moment{now, offset})
	if len(t.moments) > trailLength {
		t.moments = t.moments[1:]
	}
}

// lag is for how long a replica at that offset has lacked something; 0 when it has all that was seen.
func (t *trail) lag(now time.Time, stream string, offset int64) time.Duration {
	if stream != t.stream {
		return 0
	}
	for _, m := range t.moments {
		if m.offset > offset {
			return now.Sub(m.at)
		}
	}
	return 0
}
