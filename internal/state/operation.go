package state

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/internal/cache"
	"larder/internal/operation"
	"larder/internal/store"
)

// operations is keyed by operation.Operation.RowKey: a group's open ones stand together. Rows are begun and ended by
// whoever writes the group's records, in the same transaction: see PutGroup.
const operations = store.Table[operation.Operation]("operations")

// recordOperations makes the rows of a group's operations agree with its records, which were just written: see
// operation.Follow.
func recordOperations(tx *store.Tx, t cache.Topology, by operation.Origin) error {
	open, err := openOperations(tx, t.ID)
	if err != nil {
		return err
	}
	return follow(tx, open, t, by)
}

// follow writes how open operations change with a group's records.
func follow(tx *store.Tx, open []operation.Operation, t cache.Topology, by operation.Origin) error {
	f, err := factsOf(tx, open, t)
	if err != nil {
		return err
	}
	over, begun := operation.Follow(open, f, by)
	for _, o := range over {
		if err := endOperation(tx, o); err != nil {
			return err
		}
	}
	for _, o := range begun {
		if err := putOperation(tx, o); err != nil {
			return err
		}
	}
	return nil
}

// openOperations are a group's, but for those that cannot be read.
func openOperations(tx *store.Tx, group string) ([]operation.Operation, error) {
	return operationsOf(tx, operation.OpenKeys(group))
}

func operationsOf(tx *store.Tx, prefix string) (all []operation.Operation, err error) {
	keys, err := operations.KeysOf(tx, prefix)
	for _, key := range keys {
		o, failed := operations.Get(tx, key)
		if store.IsUnreadable(failed) {
			continue
		}
		all, err = append(all, o), errors.Join(err, failed)
	}
	return all, err
}

// factsOf are the records that tell how far operations of a group are.
func factsOf(tx *store.Tx, open []operation.Operation, t cache.Topology) (operation.Facts, error) {
	f := operation.Facts{Topology: t, Snapshots: map[string]cache.Snapshot{}}
	for _, o := range open {
		if o.Kind != operation.Snapshot {
			continue
		}
		s, err := Snapshots.Get(tx, o.To)
		switch {
		case errors.Is(err, store.ErrNotFound), store.IsUnreadable(err):
		case err != nil:
			return f, err
		default:
			f.Snapshots[o.To] = s
		}
	}
	return f, nil
}

// BeginOperation records an operation that the group's records alone do not show, and which is to be ended by what they
// will say. The group is written afterwards. One that is open already is not begun again.
func BeginOperation(tx *store.Tx, o operation.Operation, by operation.Origin) error {
	open, err := openOperations(tx, o.Group)
	if err != nil || slices.ContainsFunc(open, func(other operation.Operation) bool { return other.Covers(o) }) {
		return err
	}
	o.By, o.Began = by.By, by.At
	return putOperation(tx, o)
}

// FailOperation ends the open operation that a request is, since what was asked for cannot be had. The records, which
// are written afterwards, then do not show the request any more.
func FailOperation(tx *store.Tx, request operation.Operation, reason string, at time.Time) error {
	open, err := openOperations(tx, request.Group)
	for _, o := range open {
		if o.Covers(request) {
			err = errors.Join(err, endOperation(tx, o.End(operation.Failed, reason, at)))
		}
	}
	return err
}

// putOperation writes a new operation, with the next number of its group.
func putOperation(tx *store.Tx, o operation.Operation) error {
	for _, prefix := range []string{operation.OpenKeys(o.Group), operation.EndedKeys(o.Group)} {
		keys, err := operations.KeysOf(tx, prefix)
		if err != nil {
			return err
		}
		for _, key := range keys {
			n, _ := strconv.Atoi(strings.TrimPrefix(key, prefix)) // 0 for a key that is damaged
			o.Number = max(o.Number, n)
		}
	}
	o.Number++
	return operations.Put(tx, o.RowKey(), o)
}

// endOperation writes how an operation ended, and drops the oldest ones of the group that are more than are kept.
func endOperation(tx *store.Tx, o operation.Operation) error {
	if err := operations.Delete(tx, o.OpenKey()); err != nil {
		return err
	}
	if err := operations.Put(tx, o.RowKey(), o); err != nil {
		return err
	}
	return dropExpired(tx, o.Group, o.Ended)
}

// dropExpired removes those of a group's ended operations that are not kept any more. It reads no more than the oldest
// that is kept: clients wait for some of the transactions that end an operation.
func dropExpired(tx *store.Tx, group string, at time.Time) error {
	keys, err := operations.KeysOf(tx, operation.EndedKeys(group))
	if err != nil {
		return err
	}
	for i, key := range keys {
		o, err := operations.Get(tx, key)
		if store.IsUnreadable(err) {
			continue
		}
		if err != nil {
			return err
		}
		if !o.Expired(len(keys)-1-i, operation.MaxEnded, at) {
			return nil
		}
		if err := operations.Delete(tx, key); err != nil {
			return err
		}
	}
	return nil
}

// endGroupOperations ends the operations of a group that is gone, and drops the oldest ones of all groups that are.
func endGroupOperations(tx *store.Tx, group string, at time.Time) error {
	open, err := openOperations(tx, group)
	if err != nil {
		return err
	}
	if err := follow(tx, open, cache.Topology{}, operation.Origin{At: at}); err != nil {
		return err
	}
	return dropGone(tx, at)
}

// dropGone drops the oldest operations of groups that are gone, when there are more than are kept.
func dropGone(tx *store.Tx, at time.Time) error {
	all, err := operationsOf(tx, operation.AllEnded)
	if err != nil {
		return err
	}
	groups, err := ReplicationGroups.Keys(tx)
	if err != nil {
		return err
	}
	gone := slices.DeleteFunc(all, func(o operation.Operation) bool { return slices.Contains(groups, o.Group) })
	slices.SortStableFunc(gone, func(a, b operation.Operation) int { return b.Ended.Compare(a.Ended) })
	for newer, o := range gone {
		if o.Expired(newer, operation.MaxGone, at) {
			err = errors.Join(err, operations.Delete(tx, o.RowKey()))
		}
	}
	return err
}

// CheckOperations makes the rows of all operations agree with the records, for a store that something else than this
// package may have changed: one of an earlier larder shows requests that have no row, of which it is not known who made
// them.
func CheckOperations(tx *store.Tx, at time.Time) error {
	groups, err := Groups(tx)
	if err != nil {
		return err
	}
	for _, t := range groups {
		if err := recordOperations(tx, t, operation.Origin{At: at}); err != nil {
			return err
		}
	}
	return endOrphanOperations(tx, at)
}

// endOrphanOperations ends the operations of groups that are not recorded.
func endOrphanOperations(tx *store.Tx, at time.Time) error {
	open, err := operationsOf(tx, operation.AllOpen)
	if err != nil {
		return err
	}
	groups, err := ReplicationGroups.Keys(tx)
	if err != nil {
		return err
	}
	orphans := slices.DeleteFunc(open, func(o operation.Operation) bool { return slices.Contains(groups, o.Group) })
	if err := follow(tx, orphans, cache.Topology{}, operation.Origin{At: at}); err != nil {
		return err
	}
	return dropGone(tx, at)
}

// Operations are those of a group, or of all groups where none is named, with how far each is: open ones first, and of
// these and the ended ones the newest first. What is being copied is told by copying, for a group.
func Operations(tx *store.Tx, group string, copying func(group string) *operation.Copy) (all []Progress, err error) {
	prefixes := []string{operation.AllOpen, operation.AllEnded}
	if group != "" {
		prefixes = []string{operation.OpenKeys(group), operation.EndedKeys(group)}
	}
	for _, prefix := range prefixes {
		some, err := operationsOf(tx, prefix)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(some, func(a, b operation.Operation) int {
			return cmp.Or(b.Ended.Compare(a.Ended), b.Began.Compare(a.Began), cmp.Compare(a.Group, b.Group),
				cmp.Compare(b.Number, a.Number))
		})
		for _, o := range some {
			p := Progress{Operation: o}
			if o.Open() {
				if p.State, err = progressOf(tx, o, copying); err != nil {
					return nil, err
				}
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// Progress is an operation, and how far it is where it is open.
type Progress struct {
	operation.Operation
	operation.State
}

// progressOf tells how far an open operation is. Of a group whose records are gone or cannot be read that is unknown.
func progressOf(
	tx *store.Tx, o operation.Operation, copying func(string) *operation.Copy,
) (s operation.State, err error) {
	t, err := Group(tx, o.Group)
	if store.IsUnreadable(err) || errors.Is(err, store.ErrNotFound) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	f, err := factsOf(tx, []operation.Operation{o}, t)
	f.Copy = copying(o.Group)
	return o.Look(f), err
}
