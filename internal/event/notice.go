package event

import (
	"fmt"
	"strings"
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
	Kind       Kind   // empty in records of earlier larders
	Source     string // the identifier of what it happened to
	SourceType string
	Message    string // empty for what topics alone are told
}

// New makes the entry of a kind of event. The arguments are for the verbs of its text.
func New(kind Kind, at time.Time, source string, args ...any) Notice {
	e := kind.Entry()
	return Notice{Date: at, Kind: kind, Source: source, SourceType: e.SourceType, Message: fmt.Sprintf(e.Text, args...)}
}

// RowKey orders by time: it is the notice's key in its table, of which there is one for each nanosecond.
func (n Notice) RowKey() string { return MomentKey(n.Date) }

// MomentKey orders by time: nanoseconds, padded to the digits that an int64 can have.
func MomentKey(t time.Time) string { return fmt.Sprintf("%019d", max(t.UnixNano(), 0)) }

// NoticeLife is how long the event list goes back.
const NoticeLife = 14 * 24 * time.Hour

// LostWith reads from an entry, as DescribeEvents tells it, what a group began again with because none of its nodes was
// left.
func LostWith(message string) (with string, lost bool) {
	said, found := strings.CutSuffix(message, nobodyLeft)
	_, with, restarted := strings.Cut(said, " restarted ")
	return with, found && restarted
}

// FailoverTurned is what happened to a group whose automatic failover was turned on or off; changed says that it was.
func FailoverTurned(was, is bool) (kind Kind, changed bool) {
	if is {
		return FailoverTurnedOn, !was
	}
	return FailoverTurnedOff, was
}
