package engine

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestOffsetHistory(t *testing.T) {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	var h offsetHistory
	if lag := h.lag(at(0), "a", 0); lag != 0 {
		t.Errorf("with nothing known the lag is %s", lag)
	}
	for i := range 10 {
		h.record(at(100*i), "a", int64(1000*i))
		h.record(at(100*i+50), "a", int64(1000*i+900)) // too soon after the one before
	}
	h.record(at(990), "a", 9000) // nothing was sent since
	for _, c := range []struct {
		stream string
		offset int64
		want   time.Duration
	}{
		{"a", 9000, 0}, {"a", 9001, 0}, {"a", 8999, 100 * time.Millisecond}, {"a", 500, 900 * time.Millisecond},
		{"b", 9500, time.Second},
	} {
		if got := h.lag(at(1000), c.stream, c.offset); got != c.want {
			t.Errorf("at %d of %s it lags by %s, want %s", c.offset, c.stream, got, c.want)
		}
	}
	if h.record(at(200_000), "b", 7); len(h.samples) != 1 || h.lag(at(200_100), "b", 6) != 100*time.Millisecond {
		t.Errorf("another stream's history is %+v", h)
	}
}

// TestALongLagIsKnown: however long a primary goes on sending, the history stays small, and says within 6 % and one
// step for how long a replica has lacked something.
func TestALongLagIsKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		pause := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 5 * time.Minute}).Draw(t, "pause")
		var h offsetHistory
		const rounds = 5000
		for i := range rounds {
			h.record(begin.Add(time.Duration(i)*pause), "a", int64(i))
			if len(h.samples) > sampleLimit {
				t.Fatalf("%d samples are kept", len(h.samples))
			}
		}
		offset := rapid.Int64Range(0, rounds-2).Draw(t, "offset")
		now := begin.Add(rounds * pause)
		was := now.Sub(begin.Add(time.Duration(offset+1) * pause))
		if got := h.lag(now, "a", offset); got > was || got < was-was/agePrecision-sampleStep-pause {
			t.Errorf("it lags by %s, and %s is said", was, got)
		}
	})
}
