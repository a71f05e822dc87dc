package state

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/store"
)

// The records of replication groups, by id, and of their shards, by cache.ShardKey. They are read and written together
// by the functions of this file, so that neither is there without the other.
const (
	ReplicationGroups = store.Table[cache.ReplicationGroup]("replication-groups")
	Shards            = store.Table[cache.Shard]("shards")
)

// Shard reads a shard with its group, for decisions about its nodes: a record that is not whole cannot be read either.
func Shard(tx *store.Tx, group, id string) (cache.Shard, error) {
	g, err := ReplicationGroups.GetValid(tx, group, cache.ReplicationGroup.Whole)
	if err != nil {
		return cache.Shard{}, err
	}
	s, err := Shards.GetValid(tx, cache.ShardKey(group, id), cache.Shard.Whole)
	if errors.Is(err, store.ErrNotFound) {
		err = lacking(tx, group)
	}
	s.Group = &g
	return s, err
}

// lacking is the error of a group whose record is there, and a shard's is not.
func lacking(tx *store.Tx, group string) error {
	return ReplicationGroups.Fit(tx, group, func(tx *store.Tx) error {
		keys, errKeys := shardKeys(tx, group)
		there, err := ReplicationGroups.Has(tx, group)
		if err = errors.Join(err, errKeys); err == nil && there && len(keys) == 0 {
			err = errors.New("the record of its shard is gone")
		}
		return err
	})
}

// PutShard writes a shard and its group, and with them which operations they begin and end. What did not change is not
// written.
func PutShard(tx *store.Tx, s cache.Shard, by operation.Origin) error {
	return PutGroup(tx, cache.Topology{ReplicationGroup: s.Group, Shards: []cache.Shard{s}}, by)
}

// Group reads a replication group with its shards.
func Group(tx *store.Tx, id string) (cache.Topology, error) {
	g, err := ReplicationGroups.Get(tx, id)
	if err != nil {
		return cache.Topology{}, err
	}
	return withShards(tx, g)
}

func withShards(tx *store.Tx, g cache.ReplicationGroup) (cache.Topology, error) {
	t := cache.Topology{ReplicationGroup: &g}
	keys, err := shardKeys(tx, g.ID)
	if err == nil && len(keys) == 0 {
		err = lacking(tx, g.ID)
	}
	for _, key := range keys {
		s, failed := Shards.Get(tx, key)
		s.Group = t.ReplicationGroup
		t.Shards, err = append(t.Shards, s), errors.Join(err, failed)
	}
	if err != nil {
		return cache.Topology{}, err
	}
	return t, nil
}

// ShardIDs are the ids of a group's shards, in order.
func ShardIDs(tx *store.Tx, group string) ([]string, error) {
	keys, err := shardKeys(tx, group)
	for i, key := range keys {
		_, keys[i], _ = strings.Cut(key, "/")
	}
	return keys, err
}

// shardKeys are those of a group's shards.
func shardKeys(tx *store.Tx, group string) ([]string, error) {
	return Shards.KeysOf(tx, cache.ShardKey(group, ""))
}

// GroupOf reads the replication group that has a member, or returns store.ErrNotFound.
func GroupOf(tx *store.Tx, member string) (cache.Topology, error) {
	for _, id := range cache.GroupIDs(member) {
		switch g, err := Group(tx, id); {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return cache.Topology{}, err
		case g.Member(member) != nil:
			return g, nil
		}
	}
	return cache.Topology{}, store.ErrNotFound
}

// PutGroup writes a replication group and the shards that it has, and with them which operations they begin and end.
func PutGroup(tx *store.Tx, t cache.Topology, by operation.Origin) error {
	err := ReplicationGroups.Put(tx, t.ID, *t.ReplicationGroup)
	for _, s := range t.Shards {
		err = errors.Join(err, Shards.Put(tx, s.RowKey(), s))
	}
	return errors.Join(err, recordOperations(tx, t, by))
}

// DeleteGroup removes the records of a replication group, also those that cannot be read, and ends its operations.
func DeleteGroup(tx *store.Tx, id string, at time.Time) error {
	keys, err := shardKeys(tx, id)
	for _, key := range keys {
		err = errors.Join(err, Shards.Delete(tx, key))
	}
	return errors.Join(err, ReplicationGroups.Delete(tx, id), endGroupOperations(tx, id, at))
}

// RemoveOrphans deletes the shards of which the replication group is not recorded, and the groups of which no shard is,
// and returns their keys. It ends the operations of groups that are not recorded. A record that cannot be read is left
// to be forgotten by itself.
func RemoveOrphans(tx *store.Tx, at time.Time) (removed []string, err error) {
	shards, errShards := Shards.Keys(tx)
	groups, errGroups := ReplicationGroups.Keys(tx)
	if err := errors.Join(errShards, errGroups); err != nil {
		return nil, err
	}
	whole := map[string]bool{}
	for _, key := range shards {
		id, _, _ := strings.Cut(key, "/")
		if whole[id] = slices.Contains(groups, id); whole[id] {
			continue
		}
		if _, unread := Shards.Get(tx, key); unread == nil {
			removed, err = append(removed, key), errors.Join(err, Shards.Delete(tx, key))
		}
	}
	for _, id := range groups {
		if _, unread := ReplicationGroups.Get(tx, id); unread == nil && !whole[id] {
			removed, err = append(removed, id), errors.Join(err, ReplicationGroups.Delete(tx, id))
		}
	}
	return removed, errors.Join(err, endOrphanOperations(tx, at))
}

// Groups are the replication groups that can be read, with their shards, in the order of their ids.
func Groups(tx *store.Tx) (groups []cache.Topology, err error) {
	all, err := ReplicationGroups.List(tx)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		switch t, err := withShards(tx, g); {
		case store.IsUnreadable(err):
		case err != nil:
			return nil, err
		default:
			groups = append(groups, t)
		}
	}
	return groups, nil
}

// AllGroups are all of them: a record that cannot be read is an error.
func AllGroups(tx *store.Tx) (groups []cache.Topology, err error) {
	all, err := ReplicationGroups.All(tx)
	if err != nil {
		return nil, err
	}
	for _, g := range all {
		t, err := withShards(tx, g)
		if err != nil {
			return nil, err
		}
		groups = append(groups, t)
	}
	return groups, nil
}

// Taken lists the addresses that groups occupy. Which those are of a group whose shards cannot be read is unknown, and
// an error: no address may be given away that may be one of them.
func Taken(tx *store.Tx) (map[netip.Addr]bool, error) {
	shards, err := Shards.All(tx)
	groups, failed := ReplicationGroups.Keys(tx)
	for _, id := range groups {
		if !slices.ContainsFunc(shards, func(s cache.Shard) bool { return s.GroupID == id }) {
			failed = errors.Join(failed, lacking(tx, id))
		}
	}
	if err := errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("cannot tell which addresses are free: %w", err)
	}
	taken := map[netip.Addr]bool{}
	for _, s := range shards {
		for _, a := range s.Addresses() {
			taken[a] = true
		}
	}
	return taken, nil
}

// IsGroup tells whether a row that cannot be read is a group's own, or one of its shards'.
func IsGroup(row *store.RowError, group string) bool {
	switch row.Table {
	case string(ReplicationGroups):
		return row.Key == group
	case string(Shards):
		return strings.HasPrefix(row.Key, cache.ShardKey(group, ""))
	}
	return false
}

// SubscribeShards has notify called with the ids of each shard whose record has changed, and with an empty id of a
// shard for each group whose own record has. See store.Store.Subscribe.
func SubscribeShards(s *store.Store, notify func(group, shard string)) (cancel func()) {
	groups := s.Subscribe(string(ReplicationGroups), func(id string) { notify(id, "") })
	shards := s.Subscribe(string(Shards), func(key string) {
		group, shard, _ := strings.Cut(key, "/")
		notify(group, shard)
	})
	return func() { groups(); shards() }
}

// SubscribeGroups has notify called with the id of each group whose record, or a shard's of it, has changed. See
// SubscribeShards.
func SubscribeGroups(s *store.Store, notify func(group string)) (cancel func()) {
	return SubscribeShards(s, func(group, _ string) { notify(group) })
}

// AsPlanned tells whether a shard and its group are recorded byte for byte as they were when the shard was planned.
func AsPlanned(tx *store.Tx, s cache.Shard, planned *cache.Shard) (bool, error) {
	if planned == nil {
		return false, nil
	}
	same, err := ReplicationGroups.Holds(tx, s.GroupID, *planned.Group)
	if err != nil || !same {
		return false, err
	}
	return Shards.Holds(tx, s.RowKey(), *planned)
}
