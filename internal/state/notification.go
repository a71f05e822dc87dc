package state

import (
	"errors"
	"time"

	"larder/internal/cache"
	"larder/internal/store"
)

// Notifications are what topics have yet to be told, in the order in which it happened: keys are as those of the event
// list.
const Notifications = store.Table[cache.Notification]("notifications")

// notify has the topic of a replication group told of an event, if it is to be.
func notify(tx *store.Tx, n cache.Notice) error {
	name := n.Notification()
	if name == "" {
		return nil
	}
	group := n.Source
	if n.SourceType == cache.SourceCluster {
		group = cache.GroupID(n.Source)
	}
	rg, err := ReplicationGroups.Get(tx, group)
	if errors.Is(err, store.ErrNotFound) || store.IsUnreadable(err) { // whose topic is not known
		return nil
	}
	if err != nil {
		return err
	}
	return AddNotification(tx, rg, name, n.Source, n.Date)
}

// AddNotification has a group's topic told of something, unless its notifications are off.
func AddNotification(tx *store.Tx, rg cache.ReplicationGroup, name, source string, at time.Time) error {
	if rg.NotificationTopicARN == "" || rg.NotificationsOff {
		return nil
	}
	n := cache.Notification{Date: at, Topic: rg.NotificationTopicARN, Name: name, Source: source}
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
func NotificationKey(n cache.Notification) string { return n.RowKey() }
