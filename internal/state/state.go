// Package state names what larder keeps in its store: one table per noun.
package state

import (
	"errors"
	"time"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/store"
)

// The tables of the domain, each keyed by the noun's name.
const (
	ParameterGroups = store.Table[cache.ParameterGroup]("parameter-groups")
	SubnetGroups    = store.Table[cache.SubnetGroup]("subnet-groups")
	Snapshots       = store.Table[cache.Snapshot]("snapshots")
	Credentials     = store.Table[Credential]("credentials")
)

// notices is keyed by time, so that it is ordered by it.
const notices = store.Table[event.Notice]("events")

// Credential holds the passwords that larder keeps for itself on a group's nodes, sealed. Its key is the group's id.
type Credential struct{ Admin, Replication []byte }

// CheckRow says when a password is missing.
func (c Credential) CheckRow() error {
	if c.Admin == nil || c.Replication == nil {
		return errors.New("it lacks a password")
	}
	return nil
}

// Tables are those of this package.
func Tables() []store.Checker {
	return []store.Checker{ReplicationGroups, Shards, ParameterGroups, SubnetGroups, Snapshots, Credentials, notices,
		Notifications, operations}
}

// AuthTokenAAD is the additional authenticated data of a group's sealed tokens: a token cannot be opened as another's.
func AuthTokenAAD(group string) string { return "replication-group/" + group + "/auth-token" }

// AddNotice appends to the event list, drops what is older than it goes back, and has the group's topic told.
func AddNotice(tx *store.Tx, n event.Notice) error {
	if n.Message == "" {
		return notify(tx, n)
	}
	expired, err := notices.KeysBefore(tx, event.MomentKey(n.Date.Add(-event.NoticeLife)))
	if err != nil {
		return err
	}
	for _, key := range expired {
		if err := notices.Delete(tx, key); err != nil {
			return err
		}
	}
	// Notices of one instant keep the order in which they were added.
	for {
		taken, err := notices.Has(tx, n.RowKey())
		if err != nil {
			return err
		}
		if !taken {
			return errors.Join(notices.Put(tx, n.RowKey(), n), notify(tx, n))
		}
		n.Date = n.Date.Add(time.Nanosecond)
	}
}

// Notices returns the event list from that instant on, oldest first, but for events that cannot be read.
func Notices(tx *store.Tx, from time.Time) ([]event.Notice, error) {
	var out []event.Notice
	for n, err := range notices.Readable(tx, event.MomentKey(from)) {
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
