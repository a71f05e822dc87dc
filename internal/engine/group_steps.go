package engine

import (
	"context"
	"fmt"
	"slices"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/state"
	"larder/internal/store"
)

// settle records that the group is as desired.
func (g *group) settle(tx *store.Tx, t cache.Topology) (err error) {
	created := t.Status == cache.Creating
	t.TransitBefore, t.MembersModified = nil, false
	if t.Scaling != "" {
		if err := g.e.notice(tx, event.ScalingSucceeded, g.id, t.Scaling); err != nil {
			return err
		}
		t.Scaling, t.ScaledFrom = "", ""
	}
	if t.Status, err = cache.Transition(t.Status, cache.Converged); err != nil {
		return err
	}
	if err := g.e.release(tx, t.ReplicationGroup); err != nil || !created {
		return err
	}
	if err := g.e.notice(tx, event.GroupCreated, g.id, g.id); err != nil {
		return err
	}
	return g.failoverTurned(tx, t, false)
}

// maintain makes what waited for the maintenance window the desired state.
func (g *group) maintain(tx *store.Tx, t cache.Topology) (err error) {
	was := t.AutomaticFailover
	t.Only().Apply(*t.Deferred)
	if err := g.failoverTurned(tx, t, was); err != nil {
		return err
	}
	t.Status, err = cache.Transition(t.Status, cache.ModifyAsked)
	return err
}

// failoverTurned records that automatic failover was turned on or off, where it is not as it was.
func (g *group) failoverTurned(tx *store.Tx, t cache.Topology, was bool) error {
	kind, turned := event.FailoverTurned(was, t.AutomaticFailover)
	if !turned {
		return nil
	}
	return g.e.notice(tx, kind, g.id, g.id)
}

// forget removes the group's files and then its records. Nothing of it is left running.
func (g *group) forget(ctx context.Context, t cache.Topology) error {
	names := []string{g.id + cache.RelaySuffix}
	for _, m := range t.Members() {
		g.e.drainLogs(ctx, &g.work, g.id, m.ID)
		names = append(names, m.ID)
	}
	for _, name := range names {
		if err := g.e.Nodes.Remove(name); err != nil {
			return fmt.Errorf("cannot remove the files of %s: %w", name, err)
		}
	}
	return g.e.Store.UpdateReserved(func(tx *store.Tx) error { return g.forgetRecords(tx, t, names[1:]) })
}

func (g *group) forgetRecords(tx *store.Tx, t cache.Topology, members []string) error {
	for _, id := range slices.Backward(members) {
		if err := g.e.notice(tx, event.MemberDeleted, id); err != nil {
			return err
		}
	}
	if err := g.e.notice(tx, event.GroupDeleted, g.id, g.id); err != nil {
		return err
	}
	if err := g.e.release(tx, t.ReplicationGroup); err != nil {
		return err
	}
	if err := state.Credentials.Delete(tx, g.id); err != nil {
		return err
	}
	return state.DeleteGroup(tx, g.id, g.e.Now())
}

// notice writes an event into the list. The arguments are for its text.
func (e *Engine) notice(tx *store.Tx, kind event.Kind, source string, args ...any) error {
	return state.AddNotice(tx, event.New(kind, e.Now(), source, args...))
}
