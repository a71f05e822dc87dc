package state

import (
	"errors"
	"time"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/store"
)

// Notifications are what topics have yet to be told, in the order in which it happened: keys are as those of the event
// list.
const Notifications = store.Table[event.Notification]("notifications")

// notify has the topic of a replication group told of an event, if it is to be.
func notify(tx *store.Tx, n event.Notice) error {
	name := n.Kind.Entry().Topic
	if name == "" {
		return nil
	}
	rg, err := sourceGroup(tx, n)
	if errors.Is(err, store.ErrNotFound) || store.IsUnreadable(err) { // whose topic is not known
		return nil
	}
	if err != nil {
		return err
	}
	return AddNotification(tx, rg, name, n.Source, n.Date)
}

// sourceGroup is the replication group that an event happened to, or to a member of. A member may have been removed
// from it.
func sourceGroup(tx *store.Tx, n event.Notice) (rg cache.ReplicationGroup, err error) {
	if n.SourceType != event.SourceCluster {
		return ReplicationGroups.Get(tx, n.Source)
	}
	for _, id := range cache.GroupIDs(n.Source) {
		if rg, err = ReplicationGroups.Get(tx, id); !errors.Is(err, store.ErrNotFound) {
			break
		}
	}
	return rg, err
}

// AddNotification has a group's topic told of something, unless its notifications are off.
func AddNotification(tx *store.Tx, rg cache.ReplicationGroup, name, source string, at time.Time) error {
	if rg.NotificationTopicARN == "" || rg.NotificationsOff {
		return nil
	}
	n := event.Notification{Date: at, Topic: rg.NotificationTopicARN, Name: name, Source: source, Group: rg.ID}
	for {
		taken, err := Notifications.Has(tx, n.RowKey())
		if err != nil {
			return err
		}
		if !taken {
			return Notifications.Put(tx, n.RowKey(), n)
		}
		n.Date = n.Date.Add(time.Nanosecond)
	}
}

// NotificationKey is the key of a notification in its table.
func NotificationKey(n event.Notification) string { return n.RowKey() }
