package engine

import (
	"sort"
	"time"
)

// offsetHistory is when a primary was seen at which offset of its replication stream. It tells for how long a replica
// has lacked something. Bytes would not do: a few that never come are worse than many that are on their way.
type offsetHistory struct {
	stream  string // that the offsets count in
	samples []offsetSample
}

// offsetSample is when a primary was first seen at an offset. Both grow from sample to sample.
type offsetSample struct {
	at     time.Time
	offset int64
}

const (
	// sampleStep is the least time between two samples.
	sampleStep = 100 * time.Millisecond
	// sampleLimit is how many samples there may be before old ones are thinned out.
	sampleLimit = 1024
	// agePrecision says how far apart samples may be that have been thinned out: by that part of their age. A lag is
	// short by 6 % at most, and a year takes fewer than 600 samples.
	agePrecision = 16
)

// record keeps where the primary is. Another stream begins another history.
func (h *offsetHistory) record(now time.Time, stream string, offset int64) {
	if stream != h.stream {
		*h = offsetHistory{stream: stream}
	}
	if n := len(h.samples); n > 0 {
		if last := h.samples[n-1]; offset <= last.offset || now.Sub(last.at) < sampleStep {
			return
		}
	}
	if h.samples = append(h.samples, offsetSample{now, offset}); len(h.samples) > sampleLimit {
		h.thin(now)
	}
}

// thin removes samples without which the ones before and after are as close as agePrecision asks for.
func (h *offsetHistory) thin(now time.Time) {
	kept := h.samples[:1] // the oldest says when the stream was first seen
	for i := 1; i < len(h.samples)-1; i++ {
		before, next := kept[len(kept)-1].at, h.samples[i+1].at
		if next.Sub(before) > now.Sub(next)/agePrecision {
			kept = append(kept, h.samples[i])
		}
	}
	h.samples = append(kept, h.samples[len(h.samples)-1])
}

// lag is for how long a replica at that offset has lacked something; 0 when it has all that was seen. A replica of
// another stream lacks everything of this one.
func (h *offsetHistory) lag(now time.Time, stream string, offset int64) time.Duration {
	first := 0
	if stream == h.stream {
		first = sort.Search(len(h.samples), func(i int) bool { return h.samples[i].offset > offset })
	}
	if first == len(h.samples) {
		return 0
	}
	return now.Sub(h.samples[first].at)
}
