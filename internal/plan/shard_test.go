package plan_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/cache"
	"larder/internal/endpoint"
	"larder/internal/plan"
)

var created = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// In these tests the address 127.64.0.N is called N: the primary endpoint's is 1, the reader endpoint's 2, the members'
// 11 and up.
const (
	primaryEndpoint = 1
	readerEndpoint  = 2
)

func addr(n int) netip.Addr { return netip.AddrFrom4([4]byte{127, 64, 0, byte(n)}) }

func addrs(ns ...int) (out []netip.Addr) {
	for _, n := range ns {
		out = append(out, addr(n))
	}
	return out
}

// newShard makes the shard of a group of n members in creation, in turn in the zones a and b, with failover where it
// can have one.
func newShard(n int) *cache.Shard {
	g := &cache.Shard{
		GroupID: "g", ID: cache.FirstShard, PrimaryAddress: addr(primaryEndpoint), ReaderAddress: addr(readerEndpoint),
		Group: &cache.ReplicationGroup{ID: "g", Status: cache.Creating, Port: 6379, AutomaticFailover: n > 1},
	}
	for i := range n {
		g.Members = append(g.Members, newMember(i+1))
	}
	g.SetPrimary("g-001")
	for i := range g.Members {
		g.Members[i].Spec, g.Members[i].Access = g.Group.Spec(), cache.AccessFingerprint(nil)
	}
	return g
}

func newMember(n int) cache.Member {
	return cache.Member{ID: cache.MemberID("g", n), Zone: string(rune('a' + (n-1)%2)), Address: addr(10 + n)}
}

// up is a process that has just started: it serves nobody.
func up() plan.NodeState { return plan.NodeState{Running: true, Answers: true, Role: cache.Primary} }

// hung is a process that does not answer.
func hung() plan.NodeState { return plan.NodeState{Running: true} }

// stuck is one that does nothing any more.
func stuck() plan.NodeState { return plan.NodeState{Running: true, Hung: true} }

// timedOut is one that has not answered for longer than a node may be busy.
func suspended() plan.NodeState {
	s := timedOut()
	s.Hung, s.Suspended = true, true
	return s
}

// held is one that did not go on when it was told to.
func held() plan.NodeState {
	s := suspended()
	s.Held = true
	return s
}

func timedOut() plan.NodeState { return plan.NodeState{Running: true, Hung: true, TimedOut: true} }

// working is one that has worked for as long.
func working() plan.NodeState { return plan.NodeState{Running: true, TimedOut: true} }

// lagging is a replica that has lacked something for so many seconds.
func lagging(s plan.NodeState, seconds int) plan.NodeState {
	s.Lag = time.Duration(seconds) * time.Second
	return s
}

// of gives a node's data set a history: its stream, and, where it has one, the stream before and the offset of the
// fork.
func of(s plan.NodeState, id, before string, fork int64) plan.NodeState {
	s.History = plan.History{ID: id, Before: before, Fork: fork}
	return s
}

// primary is one at an offset of 100 that listens on those addresses.
func primary(serves ...int) plan.NodeState {
	s := up()
	s.Serves, s.Offset = addrs(serves...), 100
	return s
}

// follows is a replica that has yet to get its primary's data.
func follows(of int, serves ...int) plan.NodeState {
	s := up()
	s.Role, s.Follows, s.Serves, s.Offset = cache.Replica, netip.AddrPortFrom(addr(of), 6379), addrs(serves...), -1
	return s
}

// synced is a replica in sync with its primary, at an offset of 100.
func synced(of int, serves ...int) plan.NodeState {
	s := follows(of, serves...)
	s.InSync, s.Offset = true, 100
	return s
}

// cut is a replica whose primary died.
func cut(of int, offset int64, serves ...int) plan.NodeState {
	s := follows(of, serves...)
	s.Offset = offset
	return s
}

type change func(*cache.Shard)

func status(s cache.Status) change { return func(g *cache.Shard) { g.Group.Status = s } }

// lived makes a group one that has been available, and is being repaired.
func lived(g *cache.Shard) {
	g.Group.Status = cache.Modifying
	for i := range g.Members {
		g.Members[i].Created = created
	}
}

func noFailover(g *cache.Shard) { lived(g); g.Group.AutomaticFailover = false }

func recorded(id string) change {
	return func(g *cache.Shard) { lived(g); g.SetPrimary(id) }
}

func step(k plan.StepKind, member string) plan.Step { return plan.Step{Kind: k, Member: member} }

func serve(member string, on ...int) plan.Step {
	return plan.Step{Kind: plan.Serve, Member: member, Addresses: addrs(on...)}
}

func failover(member string, on ...int) plan.Step {
	return plan.Step{Kind: plan.Failover, Member: member, Addresses: addrs(on...)}
}

func follow(member string, target int) plan.Step {
	return plan.Step{Kind: plan.Follow, Member: member, Target: addr(target)}
}

func backends(ns ...int) endpoint.Relay {
	return endpoint.Relay{Running: true, Backends: addrs(ns...)}
}

// planCase is what is seen of a group, and the plan for it. No steps and not settled means that the plan is to wait.
type planCase struct {
	members       int
	change        change
	nodes         []plan.NodeState // in the order of the members; one that is missing does not run
	relay         endpoint.Relay
	verified      bool
	snapshotJob   bool   // a snapshot is being taken or loaded
	loading       bool   // loaded
	restoreSource string // see plan.Desired
	want          []plan.Step
	settled       bool
}

func checkSteps(t *testing.T, want, got []plan.Step) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func checkPlans(t *testing.T, cases map[string]planCase) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			g := newShard(c.members)
			if c.change != nil {
				c.change(g)
			}
			o := plan.Observed{Nodes: map[string]plan.NodeState{}, Relay: c.relay, Verified: c.verified,
				Transferring: c.snapshotJob, Loading: c.loading}
			for i, s := range c.nodes {
				o.Nodes[g.Members[i].ID] = s
			}
			steps, settled := plan.Shard(plan.Desired{Shard: g, RestoreSource: c.restoreSource}, o)
			checkSteps(t, c.want, steps)
			if settled != c.settled {
				t.Errorf("settled: %v, want %v", settled, c.settled)
			}
		})
	}
}
