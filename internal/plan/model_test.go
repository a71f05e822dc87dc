package plan_test

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/endpoint"
	"larder/internal/operation"
	"larder/internal/plan"
)

// model is a model of a group's processes: of redis-server, the kernel and the engine it has what a plan can tell
// apart. Its data sets are lists of the writes that a client was told to be done.
type model struct {
	*rapid.T
	g             *cache.Shard
	parameters    string
	verified      bool
	servers       map[string]*server
	relay         *relay
	writes        int
	required      int // min-replicas-to-write, of the parameters
	added         int // the number of the member that was added last
	owed          []debt
	moving        bool // a planned move is under way
	streams       int  // how many replication streams there have been
	calm          bool // nothing fails any more
	snapshotJob   *snapshotJob
	kept          []int // what the last snapshot holds
	restored      bool  // the group was made of a snapshot
	restoreSource string
	open          []operation.Operation // those that go on
	asked         int                   // how many there have been
}

func newModel(t *rapid.T) *model {
	w := &model{T: t, parameters: "1", servers: map[string]*server{}}
	w.added = rapid.IntRange(1, 4).Draw(t, "members")
	w.g = newShard(w.added)
	for i := range w.g.Members {
		w.g.Members[i].Spec, w.g.Members[i].Access = "", ""
	}
	w.g.Group.AutomaticFailover = len(w.g.Members) > 1 && rapid.Bool().Draw(t, "failover")
	if w.restored = rapid.Bool().Draw(t, "restored"); w.restored {
		w.g.Group.Restore = "s"
	}
	w.restoreSource = rapid.SampledFrom([]string{"", "s"}).Draw(t, "restoreSource")
	return w
}

func (w *model) sorted() []*server {
	var out []*server
	for _, id := range slices.Sorted(maps.Keys(w.servers)) {
		out = append(out, w.servers[id])
	}
	return out
}

func (w *model) observe() plan.Observed {
	o := plan.Observed{Nodes: map[string]plan.NodeState{}, Verified: w.verified, Transferring: w.snapshotJob != nil,
		Loading: w.snapshotJob != nil && w.snapshotJob.load}
	for id, s := range w.servers {
		o.Nodes[id] = s.state()
	}
	if w.relay != nil {
		o.Relay = endpoint.Relay{Running: true, Backends: w.relay.backends}
	}
	return o
}

// reconcile is one round of the engine. It returns true when the plan found nothing left to do.
func (w *model) reconcile() bool {
	w.carry()
	w.sweep()
	w.follow()
	defer w.follow()
	steps, settled := plan.Shard(plan.Desired{Shard: w.g, Parameters: w.parameters, MinReplicas: w.required,
		RestoreSource: w.restoreSource}, w.observe())
	if settled {
		if !w.verified {
			w.Fatal("settled without a client's answer from the endpoints")
		}
		w.fire(cache.Converged)
		w.g.Group.Restore = ""
		for i := range w.g.Members {
			w.g.Members[i].Created, w.g.Members[i].Status = created, cache.MemberAvailable
		}
		if w.g.Promote != "" {
			w.Fatalf("settled with %s to be promoted", w.g.Promote)
		}
		return true
	}
	w.checkHandOver(steps)
	w.checkStops(steps)
	disturbs := func(s plan.Step) bool {
		return s.Kind != plan.Verify && s.Kind != plan.Configure && s.Kind != plan.Authorize
	}
	if w.g.Group.Status == cache.Available && (len(steps) == 0 || slices.ContainsFunc(steps, disturbs)) {
		w.fire(cache.Diverged)
	}
	failed := false
	for _, i := range rapid.Permutation(upTo(len(steps))).Draw(w.T, "order") {
		s := steps[i]
		w.Logf("step %s %s %v%v in %s", s.Kind, s.Member, s.Target, s.Addresses, w)
		w.mishap()
		if failed && rapid.Bool().Draw(w.T, "cancelled") {
			continue
		}
		if err := w.run(s); err != nil {
			w.Logf("%v: %v", s, err)
			failed = true
			if w.calm {
				w.Fatalf("%v failed although nothing is wrong: %v", s, err)
			}
		}
		w.checkPrimaryAddress()
		w.follow()
	}
	if len(steps) > 0 {
		w.verified = steps[0].Kind == plan.Verify && !failed
	}
	return false
}

func (w *model) fire(e cache.Event) {
	next, err := cache.Transition(w.g.Group.Status, e)
	if err != nil {
		w.Fatal(err)
	}
	w.g.Group.Status = next
}

// follow keeps the operations as the store does when the records are written.
func (w *model) follow() {
	f := operation.Facts{Topology: cache.Topology{ReplicationGroup: w.g.Group, Shards: []cache.Shard{*w.g}},
		Snapshots: map[string]cache.Snapshot{"s": {Status: cache.SnapshotAvailable}}}
	over, begun := operation.Follow(w.open, f, operation.Origin{})
	for _, o := range over {
		w.open = slices.DeleteFunc(w.open, func(other operation.Operation) bool { return other.Number == o.Number })
	}
	for _, o := range begun {
		w.asked++
		o.Number = w.asked
		w.open = append(w.open, o)
	}
	for _, o := range w.open {
		if s := o.Look(f); s.Outcome != "" {
			w.Fatalf("%s %v goes on, and is %s", o.Kind, o.Members, s.Outcome)
		}
	}
}

// run does a step as the engine does.
func (w *model) run(s plan.Step) error {
	switch s.Kind {
	case plan.StartNode:
		n := &server{id: s.Member, role: cache.Primary, history: plan.History{ID: w.newStream()}, required: w.required}
		n.parameters, n.spec, n.access = w.parameters, w.g.Group.Spec(), cache.AccessFingerprint(w.g.Group.AuthTokens)
		w.servers[s.Member] = n
		if err := w.mayGoOn(); err != nil {
			return err // and nothing is recorded of it
		}
		n.knowsTokens, n.knowsParameters = true, true
		m := w.g.Member(s.Member)
		m.Replacement, m.Status = "", cache.MemberModifying
		m.Parameters, m.Spec, m.Access = w.parameters, w.g.Group.Spec(), cache.AccessFingerprint(w.g.Group.AuthTokens)
		return nil
	case plan.Failover:
		if !w.g.Group.AutomaticFailover {
			w.Fatal("a failover, which is off")
		}
		return w.failOver(s)
	case plan.Drop:
		if w.servers[s.Member] != nil {
			w.Fatalf("%s is forgotten and runs", s.Member)
		}
		w.g.Remove(s.Member)
		return nil
	case plan.Switchover:
		return w.switchover(s.Member)
	case plan.StartRelay:
		w.relay = &relay{}
		return nil
	case plan.SetBackends:
		return w.setBackends(s.Addresses)
	case plan.StopRelay:
		w.relay = nil
		return nil
	case plan.Verify:
		return w.verify()
	case plan.TakeSnapshot, plan.LoadSnapshot:
		w.begin(s)
		return nil
	case plan.AbandonSnapshot:
		w.abandon()
		return nil
	case plan.RestoreSnapshot:
		w.fallBack(s)
		return nil
	}
	n := w.servers[s.Member]
	switch {
	case n == nil:
		return errors.New("it is gone")
	case s.Kind == plan.StopNode, s.Kind == plan.Fence:
		w.kill(n)
		return nil
	case n.hung:
		return errors.New("it does not answer")
	}
	switch s.Kind {
	case plan.Configure:
		n.required, n.parameters = w.required, w.parameters
		if err := w.mayGoOn(); err != nil {
			return err // it has them, and nothing is recorded of it
		}
		n.knowsParameters = true
		w.g.Member(n.id).Parameters = n.parameters
	case plan.Authorize:
		n.access = cache.AccessFingerprint(w.g.Group.AuthTokens)
		if err := w.mayGoOn(); err != nil {
			return err
		}
		n.knowsTokens = true
		w.g.Member(n.id).Access = n.access
	case plan.Resize:
		n.spec = w.g.Group.Spec()
		if err := w.mayGoOn(); err != nil {
			return err
		}
		w.g.Member(n.id).Spec = n.spec
	case plan.Promote:
		w.promote(n)
	case plan.RecordHistory:
		noted := n.history.ID
		if err := w.mayGoOn(); err != nil {
			return err
		}
		w.g.SetHistory(noted)
	case plan.SetMinReplicas:
		n.required = s.MinReplicas
	case plan.Follow:
		n.role, n.follows, n.source = cache.Replica, netip.AddrPortFrom(s.Target, uint16(w.g.Group.Port)), nil
	case plan.Serve:
		if w.g.Primary().ID == n.id {
			w.g.SetHistory(n.history.ID)
		}
		return w.serve(n, s)
	default:
		w.Fatalf("a plan for a living group holds %v", s)
	}
	return nil
}

// mayGoOn tells, in the middle of a step, whether the engine lives to do the rest.
func (w *model) mayGoOn() error {
	w.mishap()
	if !w.calm && rapid.IntRange(0, 9).Draw(w.T, "engine") == 0 {
		for _, s := range w.servers {
			s.knowsTokens, s.knowsParameters = false, false
		}
		w.snapshotJob, w.verified = nil, false // a snapshot is begun again
		return errors.New("the engine ends, and another begins")
	}
	return nil
}

// failOver promotes a server, records it, and has it listen, with whatever happens in between.
func (w *model) failOver(s plan.Step) error {
	for _, move := range []func(*server) error{
		func(n *server) error { w.promote(n); return nil },
		func(n *server) error { return w.failover(s.Member) },
		func(n *server) error { return w.serve(n, s) },
	} {
		if err := w.mayGoOn(); err != nil {
			return err
		}
		n := w.servers[s.Member]
		if n == nil || n.hung {
			return errors.New("it does not answer")
		}
		if err := move(n); err != nil {
			return err
		}
	}
	return nil
}

// serve binds a server's listeners, which the kernel refuses where another process listens, and cuts the given-up ones'
// clients.
func (w *model) serve(n *server, s plan.Step) error {
	for _, a := range s.Addresses {
		if other := w.listener(a); other != "" && other != n.id {
			return fmt.Errorf("%s listens on %s", other, a)
		}
	}
	if slices.Contains(s.Addresses, w.g.PrimaryAddress) && w.g.Histories[0] != n.history.ID {
		w.Fatalf("%s serves %v before its stream is recorded: %v", n.id, n.history, w.g.Histories)
	}
	fresh := !n.synced && len(n.serves) == 0 && n.role == cache.Primary
	beginning := w.g.Group.Status == cache.Creating
	if s.Kind == plan.Serve && s.DataLost && len(n.data) > 0 || !s.DataLost && fresh && !beginning {
		w.Fatalf("%s begins to serve %v: that data were lost is said to be %v", n.id, n.data, s.DataLost)
	}
	for _, r := range w.servers {
		if r.source == n && !slices.Contains(s.Addresses, r.follows.Addr()) {
			r.source = nil
		}
	}
	if s.DataLost && s.Kind == plan.Serve && w.restoreSource != "" {
		w.Fatalf("%s begins empty, and there is a snapshot", n.id)
	}
	if w.g.Group.Restore != "" && n.role == cache.Primary && !slices.Equal(n.data[:min(1, len(n.data))], restoredData) {
		w.Fatalf("%s begins to serve %v before it has the snapshot's data", n.id, n.data)
	}
	n.serves = s.Addresses
	return nil
}

func (w *model) setBackends(addrs []netip.Addr) error {
	switch {
	case w.relay == nil:
		return errors.New("the relay is gone")
	case w.listener(w.g.ReaderAddress) != "" && w.listener(w.g.ReaderAddress) != "relay":
		return fmt.Errorf("%s listens on the reader endpoint's address", w.listener(w.g.ReaderAddress))
	}
	w.relay.backends = addrs
	return nil
}

// listener names the process that listens on an address, hung ones included: the kernel does not ask them.
func (w *model) listener(a netip.Addr) string {
	for _, s := range w.sorted() {
		if slices.Contains(s.serves, a) {
			return s.id
		}
	}
	if a == w.g.ReaderAddress && w.relay != nil && w.relay.backends != nil {
		return "relay"
	}
	return ""
}

func (w *model) answers(a netip.Addr) bool {
	s := w.servers[w.listener(a)]
	return s != nil && !s.hung
}

func (w *model) verify() error {
	for _, m := range w.g.Staying() {
		if s := w.servers[m.ID]; s != nil && s.access != cache.AccessFingerprint(w.g.Group.AuthTokens) {
			w.Fatalf("%s takes other tokens when the plan is done with it", m.ID)
		}
	}
	for _, a := range w.g.Reachable() {
		ok := w.answers(a)
		if w.listener(a) == "relay" {
			ok = slices.ContainsFunc(w.relay.backends, w.answers)
		}
		if !ok {
			return fmt.Errorf("%s does not answer", a)
		}
	}
	return nil
}

// settle lets nothing fail any more until the plans are done.
func (w *model) settle() {
	w.calm = true
	for _, s := range w.servers {
		s.hung, s.paused = s.stuck, s.held
	}
	for i := range 100 {
		for _, s := range w.servers {
			s.timedOut = s.stuck && i > 10
		}
		if i < 20 {
			w.replicate(w.some)
		} else {
			w.replicate(all)
		}
		if w.reconcile() && w.snapshotJob == nil {
			w.replicate(all)
			return
		}
	}
	w.Fatalf("not settled: %+v", w.observe())
}

// String shows the servers, for the log of a failure.
func (w *model) String() string {
	var b strings.Builder
	for _, s := range w.sorted() {
		fmt.Fprintf(&b, " %s:%s on %v follows %v up=%t hung=%t %v %v;", s.id, s.role, s.serves, s.follows,
			s.source != nil, s.hung, s.history, s.data)
	}
	return b.String()
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
