package event

import (
	"fmt"
	"time"
)

// Source types of events, in the API's words; those of parameter and subnet groups have no entries in the event list.
const (
	SourceGroup   = "replication-group"
	SourceCluster = "cache-cluster"
)

// Notice is an entry of the event list (DescribeEvents).
type Notice struct {
	Date       time.Time
	Source     string // the identifier of what it happened to
	SourceType string
	Message    string
}

// RowKey orders by time: it is the notice's key in its table, of which there is one for each nanosecond.
func (n Notice) RowKey() string { return MomentKey(n.Date) }

// MomentKey orders by time: nanoseconds, padded to the digits that an int64 can have.
func MomentKey(t time.Time) string { return fmt.Sprintf("%019d", max(t.UnixNano(), 0)) }

// NoticeLife is how long the event list goes back.
const NoticeLife = 14 * 24 * time.Hour

// NobodyLeft is how the events end that say what a group begins again with when nobody has its data any more.
const NobodyLeft = ": no other node of the replication group was left"
