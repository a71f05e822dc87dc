package plan_test

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/plan"
)

// TestPlanSurvivesMishaps kills and hangs processes at any moment. Whatever happens, a plan never needs an address that
// another process has, an empty server is never replicated while another has data, and what a replica in sync held when
// its primary died is served by the next primary (the model checks these); when nothing fails any more, the group
// settles.
func TestPlanSurvivesMishaps(t *testing.T) {
	for range 5 { // what goes wrong once in a hundred runs still does
		rapid.Check(t, mishaps)
	}
}

func mishaps(t *rapid.T) {
	w := newModel(t)
	for range rapid.IntRange(20, 60).Draw(t, "rounds") {
		w.mishap()
		w.checkPrimaryAddress()
		w.ask()
		w.reconcile()
	}
	w.settle()
	w.checkSettled()
	if rapid.Bool().Draw(t, "final snapshot") {
		w.checkFinalSnapshot()
	}
	w.g.Group.Status = cache.Deleting
	w.checkDeleted()
}

// TestPlanSurvivesForks: a node that misses an election comes back with more of the old stream than the new primary
// went on from, as that one dies. Its offset is the highest, and it lacks what was written since.
func TestPlanSurvivesForks(t *testing.T) { rapid.Check(t, forks) }

func forks(t *rapid.T) {
	w := newModel(t)
	w.added = rapid.IntRange(3, 4).Draw(t, "members of a fork")
	w.g, w.restored = newShard(w.added), false
	w.g.Group.AutomaticFailover = true
	w.settle()
	first := w.servers[w.g.Primary().ID]
	stray := w.servers[w.g.Members[rapid.IntRange(1, w.added-1).Draw(t, "stray")].ID]
	w.writeSome("before the fork")
	w.replicate(w.some)
	stray.data = slices.Clone(first.data)
	stray.hung = true
	w.kill(first)
	w.awaitServed()
	w.writeSome("after the fork")
	for range 10 { // the lost node is back, and the others have what was written
		w.reconcile()
		w.replicate(all)
	}
	stray.hung = false
	w.kill(w.servers[w.g.Primary().ID])
	w.awaitServed()
	w.calm = false
	for range rapid.IntRange(0, 10).Draw(t, "rounds") {
		w.mishap()
		w.reconcile()
	}
	w.settle()
	w.checkSettled()
}

// TestPlanSurvivesDepartures: the primary dies when replicas have been told to leave, and are still there. One of them
// may have most.
func TestPlanSurvivesDepartures(t *testing.T) { rapid.Check(t, departures) }

func departures(t *rapid.T) {
	w := newModel(t)
	w.added = rapid.IntRange(2, 4).Draw(t, "members of a departure")
	w.g, w.restored = newShard(w.added), false
	w.g.Group.AutomaticFailover = rapid.Bool().Draw(t, "failover of a departure")
	w.settle()
	w.writeSome("before the departure")
	w.replicate(w.some)
	w.fire(cache.ModifyAsked)
	for i := range w.g.Members[1:] {
		w.g.Members[1+i].Removing = rapid.Bool().Draw(t, "removing")
	}
	w.kill(w.servers[w.g.Primary().ID])
	w.calm = false
	for range rapid.IntRange(0, 20).Draw(t, "rounds") {
		w.reconcile()
		w.mishap()
		w.checkPrimaryAddress()
	}
	w.settle()
	w.checkSettled()
}

func (w *model) writeSome(when string) {
	for range rapid.IntRange(0, 5).Draw(w.T, when) {
		w.write()
	}
}

// awaitServed looks until the primary endpoint is served, while nothing fails. Who serves it has what is owed, or the
// look fails.
func (w *model) awaitServed() {
	for range 20 {
		if w.reconcile(); w.listener(w.g.PrimaryAddress) != "" {
			return
		}
	}
	w.Fatalf("nobody serves the primary endpoint: %+v", w.observe())
}

// checkSettled checks a settled group against what its endpoints promise.
func (w *model) checkSettled() {
	primary := w.g.Primary()
	if w.g.Group.Status != cache.Available || w.g.Group.Snapshot != nil {
		w.Fatalf("settled as %s with %v to be backed up", w.g.Group.Status, w.g.Group.Snapshot)
	}
	if w.follow(); len(w.open) > 0 {
		w.Fatalf("settled, and %+v goes on", w.open)
	}
	if got := w.listener(w.g.PrimaryAddress); got != primary.ID {
		w.Fatalf("%q listens on the primary endpoint's address, want %s", got, primary.ID)
	}
	if len(w.servers) != len(w.g.Members) {
		w.Fatalf("%d servers run for %d members", len(w.servers), len(w.g.Members))
	}
	for _, m := range w.g.Members {
		s := w.servers[m.ID]
		if got := w.listener(m.Address); got != m.ID {
			w.Fatalf("%q listens on the address of %s", got, m.ID)
		}
		if s.role != m.Role {
			w.Fatalf("%s is %s, recorded as %s", m.ID, s.role, m.Role)
		}
		if s.paused {
			w.Fatalf("the writes of %s are held", m.ID)
		}
		if m.Replacement != "" {
			w.Fatalf("%s was to get a new process", m.ID)
		}
		if s.parameters != w.parameters || s.spec != w.g.Group.Spec() ||
			s.access != cache.AccessFingerprint(w.g.Group.AuthTokens) {
			w.Fatalf("%s has other parameters or tokens than asked for, or is another process: %+v", m.ID, s)
		}
		if m.Parameters != w.parameters || m.Spec != w.g.Group.Spec() ||
			m.Access != cache.AccessFingerprint(w.g.Group.AuthTokens) || m.Removing {
			w.Fatalf("not brought up to date: %+v", m)
		}
		if m.Role == cache.Replica && (s.source == nil || s.source.id != primary.ID ||
			!slices.Equal(s.data, w.servers[primary.ID].data)) {
			w.Fatalf("%s does not replicate %s", m.ID, primary.ID)
		}
	}
	if want := min(w.required*(len(w.g.Members)-1), w.required); w.servers[primary.ID].required != want {
		w.Fatalf("the primary takes writes with %d replicas, want %d", w.servers[primary.ID].required, want)
	}
	w.checkReader()
}

// checkReader checks that the reader endpoint leads to every replica, or to the primary where there is none.
func (w *model) checkReader() {
	var replicas []netip.Addr
	for _, m := range w.g.Members {
		if m.Role == cache.Replica {
			replicas = append(replicas, m.Address)
		}
	}
	want := w.g.Primary().ID
	switch len(replicas) {
	case 0:
	case 1:
		want = w.g.Members[slices.IndexFunc(w.g.Members,
			func(m cache.Member) bool { return m.Role == cache.Replica })].ID
	default:
		want = "relay"
		slices.SortFunc(w.relay.backends, netip.Addr.Compare)
		if !slices.Equal(w.relay.backends, replicas) {
			w.Fatalf("the reader endpoint leads to %v, want %v", w.relay.backends, replicas)
		}
	}
	if got := w.listener(w.g.ReaderAddress); got != want {
		w.Fatalf("%q listens on the reader endpoint's address, want %s", got, want)
	}
}

// checkDeleted checks that the plans of a group that is being deleted end everything, and only then say that nothing is
// left to do.
func (w *model) checkDeleted() {
	for range 3 {
		steps, settled := plan.Shard(plan.Desired{Shard: w.g, Parameters: w.parameters, MinReplicas: w.required},
			w.observe())
		if settled {
			if len(w.servers) > 0 || w.relay != nil || len(steps) > 0 {
				w.Fatalf("settled with %v running and %v to do", w.servers, steps)
			}
			return
		}
		for _, s := range steps {
			if err := w.run(s); err != nil {
				w.Fatal(err)
			}
		}
	}
	w.Fatal("not ended")
}

// checkHandOver checks that no step needs an address that another process still has, or that another step takes.
func (w *model) checkHandOver(steps []plan.Step) {
	takes := map[netip.Addr]string{}
	for _, s := range steps {
		addrs, who := s.Addresses, s.Member
		switch s.Kind {
		case plan.SetBackends:
			addrs, who = []netip.Addr{w.g.ReaderAddress}, "relay"
			if s := w.servers[w.listener(w.g.ReaderAddress)]; s != nil && s.hung {
				continue // the relay is refused the address, which disturbs nobody, until the server is gone or answers
			}
		case plan.Serve:
		default:
			continue
		}
		for _, a := range addrs {
			holder := w.listener(a)
			if s := w.servers[holder]; s != nil && s.hung {
				// Nobody can know where it listens: it goes on being refused until the server is gone or answers.
				continue
			}
			if holder != "" && holder != who {
				w.Fatalf("%s shall listen on %s, where %s listens", who, a, holder)
			}
			if other := takes[a]; other != "" {
				w.Fatalf("%s and %s shall both listen on %s", other, who, a)
			}
			takes[a] = who
		}
	}
}

// checkStops checks that no server is ended that holds what is owed, unless the primary has it.
func (w *model) checkStops(steps []plan.Step) {
	p := w.servers[w.g.Primary().ID]
	for _, s := range steps {
		for _, d := range w.owed {
			if s.Kind == plan.StopNode && s.Member == d.holder &&
				(p == nil || p.hung || p.role != cache.Primary || !d.heldBy(p)) {
				w.Fatalf("%s is ended, and was in sync with %v", s.Member, d.data)
			}
		}
	}
}

// checkPrimaryAddress checks that only a primary serves the primary endpoint, and that it has what is owed.
func (w *model) checkPrimaryAddress() {
	s := w.servers[w.listener(w.g.PrimaryAddress)]
	if s == nil {
		return
	}
	if s.role != cache.Primary {
		w.Fatalf("%s serves the primary endpoint as %s", s.id, s.role)
	}
	for _, d := range w.owed {
		if !d.heldBy(s) {
			w.Fatalf("the primary endpoint is served by %s with %v; %s was in sync and has %v", s.id, s.data, d.holder,
				d.data)
		}
	}
	w.owed = nil
}
