package series

import "slices"

// idle is how long a series of the reserved namespace must be without a sample before it can be evicted, in seconds.
const idle = 15 * minute

// evictionCutoff returns the time before which series of the reserved namespace are evicted; 0 evicts none. If the
// store is nearly full, the cutoff selects those whose newest cells are oldest. It is 0 when there is room, and when
// eviction would free too little to be worth rewriting files.
func (s *Store) evictionCutoff() (before int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	most := s.config.MaxSeries
	if len(s.byID) <= most*19/20 {
		return 0
	}
	now := s.config.Now().Unix()
	var ended []int64
	for _, h := range s.byID {
		if h.own && h.last < now-idle {
			ended = append(ended, h.last)
		}
	}
	n := min(len(ended), len(s.byID)-most*9/10)
	if n < max(most/100, 1) {
		return 0
	}
	slices.Sort(ended)
	return ended[n-1] + 1
}
