package event

import "time"

// Notification is what a replication group's topic is told of an event.
type Notification struct {
	Date   time.Time
	Topic  string // its ARN
	Name   string // such as ElastiCache:FailoverComplete
	Source string // the identifier of what it happened to
	Group  string // the replication group whose topic it is; empty in records of earlier larders
}

// RowKey is the notification's key in its table, and orders by time.
func (n Notification) RowKey() string { return MomentKey(n.Date) }
