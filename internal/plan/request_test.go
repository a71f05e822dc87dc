package plan_test

import (
	"errors"
	"net/netip"

	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/plan"
)

// ask is what may be asked of a group at any time.
func (w *model) ask() {
	switch rapid.SampledFrom([]string{"", "", "", "", "parameters", "tokens", "modify", "snapshot"}).Draw(w.T, "ask") {
	case "parameters":
		w.parameters = w.value()
		w.required = len(w.parameters) % 3
	case "tokens":
		w.g.Group.AuthTokens = [][]byte{[]byte(w.value())}
	case "modify":
		if w.g.Group.Status == cache.Available {
			w.modify()
			w.fire(cache.ModifyAsked)
		}
	case "snapshot":
		if w.g.Group.Status == cache.Available {
			w.backup()
			w.fire(cache.SnapshotAsked)
		}
	}
}

// value is one of few, so that what was asked for before is asked for again: what is recorded of a node may be that,
// and the node have another.
func (w *model) value() string {
	return rapid.SampledFrom([]string{"1", "22", "333"}).Draw(w.T, "value")
}

// modify is what may be asked of an available group only.
func (w *model) modify() {
	m := w.g.Members[rapid.IntRange(0, len(w.g.Members)-1).Draw(w.T, "member")]
	staying := len(w.g.Staying())
	switch rapid.SampledFrom([]string{"node type", "promote", "renew", "add", "remove"}).Draw(w.T, "modify") {
	case "node type":
		w.g.Group.NodeType = w.value()
	case "promote":
		if m.Role == cache.Replica && !w.g.Group.AutomaticFailover {
			w.g.Promote = m.ID
		}
	case "renew":
		if staying > 1 {
			w.g.Member(m.ID).Replacement = cache.Rebooting
		}
	case "add":
		if staying < 4 {
			w.added++
			w.g.Members = append(w.g.Members, newMember(w.added))
			w.g.SetPrimary(w.g.Primary().ID)
		}
	case "remove":
		if m.Role == cache.Replica && (staying > 2 || !w.g.Group.AutomaticFailover) {
			w.g.Member(m.ID).Removing = true
		}
	}
}

// failover records a primary and its replication stream.
func (w *model) failover(id string) error {
	w.g.SetPrimary(id)
	w.g.SetHistory(w.servers[id].history.ID)
	if w.g.Promote == id {
		w.g.Promote = ""
	}
	return nil
}

// switchover moves the primary's role to a replica as the engine does, which may itself end in the middle.
func (w *model) switchover(to string) error {
	from := w.g.Primary().ID
	old, candidate := w.servers[from], w.servers[to]
	if old == nil || old.hung {
		return errors.New("the old primary does not answer")
	}
	old.paused, w.moving = true, true
	defer func() { w.moving = false }()
	w.mishap()
	if candidate == nil || w.servers[to] != candidate || candidate.hung || candidate.source != old {
		old.paused = false
		return errors.New("the replica does not catch up")
	}
	if err := w.mayGoOn(); err != nil {
		return err
	}
	old.held = true
	candidate.data = append([]int{}, old.data...)
	own, next := w.g.Member(from).Address, w.g.Member(to).Address
	for _, move := range []func() error{
		func() error {
			n := w.servers[to]
			if n == nil || n.hung {
				return errors.New("it does not answer")
			}
			w.promote(n)
			return nil
		},
		func() error {
			if n := w.servers[to]; n == nil || n.hung {
				return errors.New("it does not answer")
			}
			return w.failover(to)
		},
		func() error {
			n := w.servers[to]
			if n == nil || n.hung {
				return errors.New("it does not answer")
			}
			n.paused = true
			return nil
		},
		func() error { return w.run(plan.Step{Kind: plan.Serve, Member: from, Addresses: []netip.Addr{own}}) },
		func() error {
			return w.run(plan.Step{Kind: plan.Serve, Member: to, Addresses: []netip.Addr{next, w.g.PrimaryAddress}})
		},
		func() error { return w.run(plan.Step{Kind: plan.Follow, Member: from, Target: next}) },
	} {
		if err := w.mayGoOn(); err != nil {
			return err
		}
		if err := move(); err != nil {
			if w.servers[from] == old {
				w.kill(old)
			}
			return err
		}
		w.checkPrimaryAddress()
	}
	old.paused, old.held = false, false
	if n := w.servers[to]; n != nil {
		n.paused = false
	}
	return nil
}

// sweep lets writes go on that a move has held back: on a node that answers and is no primary beside another.
func (w *model) sweep() {
	for _, s := range w.sorted() {
		if !s.hung && (s.role == cache.Replica || s.id == w.g.Primary().ID) {
			s.paused, s.held = false, false
		}
	}
}
