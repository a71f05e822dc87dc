package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Kind names a fault, or a move that is asked for.
type Kind string

// Every kind.
const (
	KillPrimary      Kind = "kill -9 primary"
	KillReplica      Kind = "kill -9 replica"
	KillReplicas     Kind = "kill -9 every replica"
	KillAll          Kind = "kill -9 every node"
	KillBoth         Kind = "kill -9 primary and larder"
	KillMidFailover  Kind = "kill -9 larder during a failover"
	KillCandidate    Kind = "kill -9 primary, then its candidate"
	KillPastStale    Kind = "kill -9 primary with a replica stopped"
	StopUnwatched    Kind = "SIGSTOP primary, kill -9 larder"
	CrashPrimary     Kind = "SIGSEGV primary"
	StopPrimary      Kind = "SIGSTOP primary"
	StopReplica      Kind = "SIGSTOP replica"
	ExhaustPrimary   Kind = "no file descriptors left, primary"
	FillDisk         Kind = "disk full, kill -9 primary"
	KillEngine       Kind = "kill -9 larder"
	StopEngine       Kind = "SIGTERM larder"
	ResetConnections Kind = "reset every connection"
	CutLinks         Kind = "cut the replication links"
	Promote          Kind = "promote a replica"
	Resize           Kind = "change the node type"
	Scale            Kind = "add a replica and remove it"
	KillMidPromotion Kind = "kill -9 larder during a promotion"
	KillMidResize    Kind = "kill -9 larder during a node type change"
	KillMidScale     Kind = "kill -9 larder during a scale-out"
	TestFailover     Kind = "TestFailover"
	Reboot           Kind = "RebootCacheCluster"
	JumpClocks       Kind = "clock jump"
	JumpAndKill      Kind = "clock jump, kill -9 primary"
	JumpMidPromotion Kind = "clock jump during a promotion"
	SetToken         Kind = "set another token"
	RotateToken      Kind = "rotate the token"
	KillMidRotation  Kind = "kill -9 larder during a token change"
	KillUnrecorded   Kind = "kill -9 larder before it records a node"
)

// Class says what a fault may cost.
type Class string

// The classes.
const (
	Planned    Class = "planned"    // no acknowledged write is lost
	Unaffected Class = "unaffected" // nothing happens to the primary: it stays, and no acknowledged write is lost
	Unplanned  Class = "unplanned"  // what only the old primary had may be lost: its last moments
	Cascading  Class = "cascading"  // several primaries die, and what only they had may be lost
	Total      Class = "total"      // no process is left that has the data: all may be lost, and an event says so
)

// trait is what holds for every fault of a kind.
type trait struct {
	kind  Kind
	class Class
	hold  [2]time.Duration // how long the cause lasts, at least and at most
	often int              // in each round of the schedule
	most  int              // in a schedule; 0 for any number
}

const ms = time.Millisecond

var traits = []trait{
	{KillPrimary, Unplanned, [2]time.Duration{}, 2, 0},
	{KillReplica, Unaffected, [2]time.Duration{}, 1, 0},
	{KillReplicas, Unaffected, [2]time.Duration{}, 1, 0},
	{KillAll, Total, [2]time.Duration{}, 1, 0},
	{KillBoth, Unplanned, [2]time.Duration{100 * ms, 2000 * ms}, 1, 0},
	{KillMidFailover, Unplanned, [2]time.Duration{0, 30 * ms}, 1, 0},
	{KillCandidate, Cascading, [2]time.Duration{0, 400 * ms}, 1, 0},
	{KillPastStale, Unplanned, [2]time.Duration{1200 * ms, 3000 * ms}, 1, 0},
	{StopUnwatched, Unplanned, [2]time.Duration{100 * ms, 2000 * ms}, 1, 0},
	{CrashPrimary, Unplanned, [2]time.Duration{}, 1, 0},
	{StopPrimary, Unplanned, [2]time.Duration{100 * ms, 4000 * ms}, 2, 0},
	{StopReplica, Unaffected, [2]time.Duration{100 * ms, 4000 * ms}, 1, 0},
	{ExhaustPrimary, Unplanned, [2]time.Duration{500 * ms, 3000 * ms}, 1, 0},
	{FillDisk, Unplanned, [2]time.Duration{200 * ms, 2000 * ms}, 1, 0},
	{KillEngine, Unaffected, [2]time.Duration{100 * ms, 2000 * ms}, 1, 0},
	{StopEngine, Unaffected, [2]time.Duration{100 * ms, 2000 * ms}, 1, 0},
	{ResetConnections, Unaffected, [2]time.Duration{200 * ms, 1000 * ms}, 1, 0},
	{CutLinks, Unaffected, [2]time.Duration{200 * ms, 1500 * ms}, 1, 0},
	{Promote, Planned, [2]time.Duration{}, 3, 0},
	{Resize, Planned, [2]time.Duration{}, 1, 0},
	{Scale, Planned, [2]time.Duration{}, 1, 0},
	{KillMidPromotion, Planned, [2]time.Duration{0, 15 * ms}, 2, 0},
	{KillMidResize, Planned, [2]time.Duration{0, 1500 * ms}, 1, 0},
	{KillMidScale, Planned, [2]time.Duration{0, 300 * ms}, 1, 0},
	{TestFailover, Planned, [2]time.Duration{}, 1, 15}, // as many as the service takes in a day
	{Reboot, Planned, [2]time.Duration{}, 2, 0},
	{JumpClocks, Unaffected, [2]time.Duration{200 * ms, 2500 * ms}, 2, 0},
	{JumpAndKill, Unplanned, [2]time.Duration{100 * ms, 2000 * ms}, 1, 0},
	{JumpMidPromotion, Planned, [2]time.Duration{0, 15 * ms}, 2, 0},
	{SetToken, Unaffected, [2]time.Duration{}, 1, 0},
	{RotateToken, Unaffected, [2]time.Duration{}, 1, 0},
	{KillMidRotation, Unaffected, [2]time.Duration{0, 30 * ms}, 1, 0},
	{KillUnrecorded, Planned, [2]time.Duration{}, 1, 0},
}

func traitOf(k Kind) trait {
	return traits[slices.IndexFunc(traits, func(t trait) bool { return t.kind == k })]
}

// Kinds lists every kind, or those that a comma separated list names.
func Kinds(list string) ([]Kind, error) {
	var all, chosen []Kind
	for _, t := range traits {
		all = append(all, t.kind)
	}
	if list == "" {
		return all, nil
	}
	for name := range strings.SplitSeq(list, ";") {
		k := Kind(strings.TrimSpace(name))
		if !slices.Contains(all, k) {
			return nil, fmt.Errorf("there is no fault %q; there are %q", k, all)
		}
		chosen = append(chosen, k)
	}
	return chosen, nil
}

// Fault is one entry of a schedule.
type Fault struct {
	Kind  Kind
	Pause time.Duration // of undisturbed load before it
	Hold  time.Duration // how long its cause lasts, for kinds that have one
	Pick  int           // chooses among the replicas
}

func (f Fault) class() Class { return traitOf(f.Kind).class }

func (f Fault) String() string {
	return fmt.Sprintf("%s (after %s, for %s, replica %d)", f.Kind, f.Pause, f.Hold, f.Pick)
}

// The bounds of a pause.
const leastPause, mostPause = 200 * ms, 1200 * ms

// Schedule returns n faults of the given kinds. The same seed gives the same schedule, and a longer one begins with a
// shorter one. Each kind comes as often as its trait says before any comes again.
func Schedule(seed uint64, n int, kinds []Kind) []Fault {
	random := rand.New(rand.NewPCG(seed, 0))
	var out []Fault
	seen := map[Kind]int{}
	for len(out) < n {
		for _, k := range shuffled(random, kinds) {
			t := traitOf(k)
			if seen[k]++; t.most > 0 && seen[k] > t.most {
				k, t = Promote, traitOf(Promote) // a planned move too
			}
			out = append(out, Fault{k, between(random, leastPause, mostPause), between(random, t.hold[0], t.hold[1]),
				random.IntN(2)})
		}
	}
	return out[:n]
}

func shuffled(random *rand.Rand, kinds []Kind) []Kind {
	var bag []Kind
	for _, k := range kinds {
		bag = append(bag, slices.Repeat([]Kind{k}, traitOf(k).often)...)
	}
	random.Shuffle(len(bag), func(i, j int) { bag[i], bag[j] = bag[j], bag[i] })
	return bag
}

func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)/int64(ms)+1))*ms
}
