// Package state names what larder keeps in its store: one table per noun.
package state

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"larder/internal/cache"
	"larder/internal/store"
)

// The tables of the domain, each keyed by the noun's name.
const (
	ReplicationGroups = store.Table[cache.ReplicationGroup]("replication-groups")
	ParameterGroups   = store.Table[cache.ParameterGroup]("parameter-groups")
	SubnetGroups      = store.Table[cache.SubnetGroup]("subnet-groups")
	Snapshots         = store.Table[cache.Snapshot]("snapshots")
	Credentials       = store.Table[Credential]("credentials")
)

// notices is keyed by time, so that it is ordered by it.
const notices = store.Table[cache.Notice]("events")

// Credential holds the passwords that larder keeps for itself on a group's nodes, sealed. Its key is the group's id.
type Credential struct{ Admin, Replication []byte }

// AuthTokenPlace is what a group's token is sealed for.
func AuthTokenPlace(group string) string { return "replication-group/" + group + "/auth-token" }

// AddNotice appends to the event list, drops what is older than it goes back, and has the group's topic told.
func AddNotice(tx *store.Tx, n cache.Notice) error {
	var expired []string
	for old, err := range notices.From(tx, "") {
		if err != nil {
			return err
		}
		if n.Date.Sub(old.Date) <= cache.NoticeLife {
			break
		}
		expired = append(expired, noticeKey(old.Date))
	}
	for _, key := range expired {
		if err := notices.Delete(tx, key); err != nil {
			return err
		}
	}
	// Notices of one instant keep the order in which they were added.
	for {
		_, err := notices.Get(tx, noticeKey(n.Date))
		if errors.Is(err, store.ErrNotFound) {
			return errors.Join(notices.Put(tx, noticeKey(n.Date), n), notify(tx, n))
		}
		if err != nil {
			return err
		}
		n.Date = n.Date.Add(time.Nanosecond)
	}
}

// Notices returns the event list from that instant on, oldest first.
func Notices(tx *store.Tx, from time.Time) ([]cache.Notice, error) {
	var out []cache.Notice
	for n, err := range notices.From(tx, noticeKey(from)) {
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// noticeKey orders by time: nanoseconds, padded to the digits that an int64 can have.
func noticeKey(t time.Time) string { return fmt.Sprintf("%019d", max(t.UnixNano(), 0)) }

// Taken lists the addresses that groups occupy.
func Taken(tx *store.Tx) (map[netip.Addr]bool, error) {
	groups, err := ReplicationGroups.All(tx)
	if err != nil {
		return nil, err
	}
	taken := map[netip.Addr]bool{}
	for _, g := range groups {
		for _, a := range g.Addresses() {
			taken[a] = true
		}
	}
	return taken, nil
}
