package cachemetric

import "time"

// Progress remembers when a primary had sent how much, to tell how old the last change is that a replica has. The zero
// value is ready for use.
type Progress struct {
	replicationID string
	marks         []mark
}

type mark struct {
	at     time.Time
	offset int64
}

// remembered is how many marks are kept. A replica that is behind all of them is at least as late as the oldest.
const remembered = 4096

// Note remembers that a primary with that replication id had sent offset bytes at that time. Another id begins anew.
func (p *Progress) Note(at time.Time, replicationID string, offset int64) {
	if p.replicationID != replicationID {
		*p = Progress{replicationID: replicationID}
	}
	if n := len(p.marks); n > 0 && p.marks[n-1].offset >= offset {
		return // nothing was sent since
	}
	if len(p.marks) == remembered {
		p.marks = append(p.marks[:0], p.marks[remembered/2:]...)
	}
	p.marks = append(p.marks, mark{at, offset})
}

// Lag is how long ago the primary sent the first byte that a replica at that offset lacks: zero for a replica that has
// all.
func (p *Progress) Lag(at time.Time, offset int64) time.Duration {
	for _, m := range p.marks {
		if m.offset > offset {
			return max(0, at.Sub(m.at))
		}
	}
	return 0
}
