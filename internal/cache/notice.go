package cache

import "time"

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

// NoticeLife is how long the event list goes back.
const NoticeLife = 14 * 24 * time.Hour
