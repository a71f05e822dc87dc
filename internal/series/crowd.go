package series

import "slices"

// idle is how long a series of the reserved namespace has no sample before it can make room for others, in seconds.
const idle = 15 * minute

// crowd says, when there is little room left for new series, which of the reserved namespace make some: those whose
// newest cell is before a time, the ones that ended longest ago. It is 0 when there is room, or so little to be had
// that files are not worth being written for it.
func (s *Store) crowd() (before int64) {
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
