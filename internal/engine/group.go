package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/node"
	"larder/internal/plan"
	"larder/internal/redisnode"
	"larder/internal/relay"
	"larder/internal/state"
	"larder/internal/store"
)

const (
	steadyLook = time.Second            // between two looks at a settled group; an exit or a change comes at once
	firstLook  = 2 * time.Millisecond   // between two looks at something under way, doubling up to
	lastLook   = 250 * time.Millisecond // this
)

// group runs one replication group. All but wakeUp belongs to the goroutine in run.
type group struct {
	e      *Engine
	id     string
	log    *slog.Logger
	wakes  chan struct{}
	watch  sync.WaitGroup // of the processes' exits
	nodes  map[string]*member
	relay  *member
	trail  trail
	shield shield

	failures failures

	known    *plan.Desired // since the last change of it; nil when it is to be read
	transfer *transfer     // nil when none goes on
	cuts     int           // connections of the snapshot that is being taken that were ended
	verified bool
	issued   issued
	report   atomic.Pointer[Report] // read by others
}

// member is a running process and the connection to it.
type member struct {
	process   node.Process
	redis     *redisnode.Node // nil for the relay
	control   relay.Client    // of the relay
	vigil     *vigil
	questions chan *question
	asked     *question // that it has yet to answer
	said      time.Time // when it answered the last one, if only that it is busy
	began     time.Time // not before this the command that it is busy with
	silent    bool      // it did not answer the last time
	stranger  bool      // it did not take the recorded password then
	cutOff    bool      // nobody could connect to it then, see isCutOff
	// relieved is when the engine tried to end the script that it may be busy with; zero since it has answered.
	relieved time.Time
	killed   time.Time // when it last tried
	held     bool      // it was suspended, and did not go on when it was told to; false since it has answered

	// The engine has started the process with the recorded tokens and parameters, or has set them since.
	knowsTokens, knowsParameters bool

	ended  atomic.Bool // by the engine: it is no loss
	full   int         // how many connections it has where it may have no more; 0 where there is room
	warned time.Time   // when an event last said that it is full

	newestSlow atomic.Int64 // see Node.NewestSlow
	swept      bool         // since it was adopted, or since a change of its addresses failed half way
	sweeps     failures     // of sweep
	relays     relay.Status // of the relay, as it last told it
	certifying sync.Mutex   // while the node's files of its certificate are written, and read by it
}

func newGroup(e *Engine, id string) *group {
	return &group{e: e, id: id, log: e.Logger.With("group", id), wakes: make(chan struct{}, 1),
		nodes: map[string]*member{}}
}

func (g *group) wakeUp() {
	select {
	case g.wakes <- struct{}{}:
	default: // one is waiting already
	}
}

// run keeps the group as desired until it is deleted or ctx ends. Then it calls end, which ends ctx for all of the
// group's goroutines.
func (g *group) run(ctx context.Context, end context.CancelFunc) {
	defer g.watch.Wait()
	defer end()
	defer g.disconnect()
	pause := firstLook
	for ctx.Err() == nil {
		next, err := g.lookGuarded(ctx)
		if next != lookLater || err != nil {
			g.known = nil
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			return
		case g.unreadable(err): // the store has told of it
			pause = lastRetry
		case err != nil && ctx.Err() == nil:
			g.logFailure(ctx, err)
			pause = g.failures.pause()
		case next == lookAgain:
			continue
		case next == lookSoon:
			pause = min(pause*2, lastLook)
		default:
			pause = steadyLook
		}
		if g.rest(ctx, pause) {
			g.known = nil
		}
		if next != lookSoon {
			pause = firstLook
		}
	}
}

// unreadable tells whether the group's own record cannot be read, which is shown as what is wrong with the group. Its
// nodes go on as they are: none is started, ended or moved while it is unknown what they shall be.
func (g *group) unreadable(err error) bool {
	if !g.hasDamagedRecord(err) {
		return false
	}
	g.failures.last.Store(&trouble{err, maxFailures})
	return true
}

// hasDamagedRecord tells whether an error says that the group's own record cannot be read.
func (g *group) hasDamagedRecord(err error) bool {
	row, is := errors.AsType[*store.RowError](err)
	return is && state.IsGroup(row, g.id)
}

// rest returns after d, or as soon as there is something to see, of which it tells that it has woken: a change, an
// exit, or a node that does nothing any more.
func (g *group) rest(ctx context.Context, d time.Duration) (woken bool) {
	timer := time.NewTimer(together(d))
	defer timer.Stop()
	select {
	case <-g.wakes:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// together shortens a wait of pulseTime or more so that all groups' end at the same moments: an engine that wakes for
// each by itself spends more on waking than on looking.
func together(d time.Duration) time.Duration {
	if d < pulseTime {
		return d
	}
	return d - time.Duration(time.Now().UnixNano())%pulseTime
}

// next says when the group wants another look.
type next int

const (
	lookAgain next = iota // at once: something was changed
	lookSoon              // something is under way
	lookLater             // all is as desired
)

// lookGuarded looks, and takes a panic for a failure of this group alone. It counts failures that look has not counted.
func (g *group) lookGuarded(ctx context.Context) (wants next, err error) {
	wants = lookSoon
	before := g.failures.count
	err = g.guarded(func() (err error) {
		wants, err = g.look(ctx)
		return err
	})
	if err != nil && ctx.Err() == nil && !g.hasDamagedRecord(err) && g.failures.count == before {
		g.failures.add(err)
	}
	return wants, err
}

// look observes, plans and runs the plan's steps.
func (g *group) look(ctx context.Context) (next, error) {
	if g.known == nil {
		d, err := g.desired()
		if err != nil {
			return lookSoon, err
		}
		g.known = &d
	}
	desired := *g.known
	switch ended, err := g.endTransfer(desired.Shard); {
	case err != nil:
		return lookSoon, g.fail(desired.Shard, err)
	case ended:
		return lookAgain, nil
	}
	observed := g.observe(ctx, desired.Shard)
	if ctx.Err() != nil { // who did not answer had no time to
		return lookLater, nil
	}
	if err := g.strangers(desired.Shard); err != nil {
		g.failures.add(err)
		return lookSoon, errors.Join(err, g.diverge(desired.Shard)) // a group that is given up has its nodes ended
	}
	steps, settled := plan.Shard(desired, observed)
	switch changed, err := g.keepRoom(ctx, desired, observed, steps); {
	case err != nil:
		return lookSoon, g.fail(desired.Shard, err)
	case changed:
		return lookAgain, nil
	}
	if settled {
		return lookLater, g.reached(desired.Shard)
	}
	if err := g.cutOff(desired.Shard, observed); err != nil && len(steps) == 0 {
		g.failures.add(err)
		return lookSoon, errors.Join(err, g.diverge(desired.Shard))
	}
	if len(steps) == 0 && busy(observed) { // which is no reason to call a group anything but available
		return lookSoon, nil
	}
	if disturbs(steps) {
		if err := g.diverge(desired.Shard); err != nil {
			return lookSoon, err
		}
	}
	if len(steps) == 0 {
		g.verified = false
		return lookSoon, nil
	}
	if steps = g.beginTransfers(ctx, desired.Shard, steps); len(steps) == 0 {
		return lookSoon, nil // how it went is not known yet
	}
	if err := g.runSteps(ctx, desired, steps); err != nil {
		g.noteCut(err)
		return lookSoon, g.fail(desired.Shard, err)
	}
	g.succeed()
	return lookAgain, nil
}

// reached records that the group is as desired: whatever failed before is of no importance now.
func (g *group) reached(shard *cache.Shard) error {
	if err := errors.Join(g.settle(shard), g.maintain(shard)); err != nil {
		return err
	}
	g.failures.open = nil
	g.succeed()
	return nil
}

// strangers says which nodes do not take the password that is recorded for the group's: they were started for another
// group of that name, or by an installation's newer record. Their data may be all that is left, so nothing is done to
// them until somebody decides. A group that is being deleted needs none of their answers.
func (g *group) strangers(shard *cache.Shard) error {
	if shard.Group.Status == cache.Deleting || shard.Group.Status == cache.CreateFailed {
		return nil
	}
	var errs []error
	for _, m := range shard.Members {
		if running := g.nodes[m.ID]; running != nil && running.stranger {
			errs = append(errs,
				fmt.Errorf("%s (process %d) does not take the password that is recorded for the nodes of %s: another "+
					"record than this one started it, "+
					"and it is left alone. Put back the larder.db that belongs to it, or end the process to give "+
					"its data up", m.ID, running.process.PID(), shard.Group.ID))
		}
	}
	return errors.Join(errs...)
}

// cutOffTime is for a process that is about to end, and has closed its socket.
const cutOffTime = time.Second

// cutOff says to which nodes nobody can connect. A plan without steps leaves them alone: they run, and no other node
// has their data.
func (g *group) cutOff(shard *cache.Shard, o plan.Observed) error {
	var errs []error
	for _, m := range shard.Members {
		if s := o.Nodes[m.ID]; s.CutOff && s.Lag > cutOffTime {
			pid := g.nodes[m.ID].process.PID()
			errs = append(errs, fmt.Errorf("nobody can connect to %s (process %d), since its %s is gone, is another "+
				"or cannot be got at. "+
				"The process is left alone, as no other node has its data. Copy what you need from its endpoint; "+
				"`kill %d` then gives its data up, and a new node takes its place", m.ID, pid, node.Socket, pid))
		}
	}
	return errors.Join(errs...)
}

// busy tells whether a node runs and has no time to answer.
func busy(o plan.Observed) bool {
	for _, s := range o.Nodes {
		if s.Running && !s.Answers && !s.Hung {
			return true
		}
	}
	return false
}

// disturbs tells whether steps (or the wait for something, when there are none) mean that the group is not as it should
// be.
func disturbs(steps []plan.Step) bool {
	return len(steps) == 0 || slices.ContainsFunc(steps,
		func(s plan.Step) bool { return !stepKinds[s.Kind].quiet })
}

// shard reads the group's one shard.
func (g *group) shard(tx *store.Tx) (cache.Shard, error) {
	return state.Shard(tx, g.id, cache.FirstShard)
}

// desired reads the group and what its nodes' parameters should be.
func (g *group) desired() (plan.Desired, error) {
	var shard cache.Shard
	var directives catalog.Directives
	d := plan.Desired{Shard: &shard}
	err := g.e.Store.View(func(tx *store.Tx) (err error) {
		if shard, err = g.shard(tx); err != nil {
			return err
		}
		d.Fallback, err = g.fallback(tx, &shard)
		switch {
		case store.IsUnreadable(err):
			d.FallbackUnknown = err.Error()
		case err != nil:
			return err
		}
		directives, err = g.directives(tx, shard.Group)
		return err
	})
	if store.IsUnreadable(err) && shard.ID != "" {
		// The nodes keep the parameters that they have: setting them fails, and says why. Clients are served all the
		// same.
		d.MinReplicas = plan.UnknownMinReplicas
		return d, nil
	}
	if err != nil {
		return plan.Desired{}, err
	}
	d.Parameters = catalog.Fingerprint(directives.Live)
	d.MinReplicas, err = directives.MinReplicas()
	return d, err
}

// directives are what the group's servers should have been told. They keep the memory that their data need.
func (g *group) directives(tx *store.Tx, rg *cache.ReplicationGroup) (catalog.Directives, error) {
	d, err := g.askedDirectives(tx, rg)
	if err != nil {
		return catalog.Directives{}, err
	}
	return d, d.KeepMemory(rg.KeptMemory)
}

// askedDirectives are what the group's node type and parameters ask for.
func (g *group) askedDirectives(tx *store.Tx, rg *cache.ReplicationGroup) (catalog.Directives, error) {
	return state.Directives(tx, rg, g.e.Parameters, g.e.NodeTypes)
}

// wantedDirectives are what the group's servers should have been told.
func (g *group) wantedDirectives(shard *cache.Shard) (d catalog.Directives, err error) {
	err = g.e.Store.View(func(tx *store.Tx) error {
		d, err = g.directives(tx, shard.Group)
		return err
	})
	return d, err
}

// update changes the records of the group and its shard in one transaction, also where the disk is full: clients wait
// for an election, and what the nodes are doing is so, whether it is written down or not. It may call change several
// times.
func (g *group) update(change func(tx *store.Tx, shard *cache.Shard) error) error {
	return g.e.Store.Insist(func(tx *store.Tx) error {
		shard, err := g.shard(tx)
		if err != nil {
			return err
		}
		if err := change(tx, &shard); err != nil {
			return err
		}
		return state.PutShard(tx, shard)
	})
}

// diverge takes the word available from a group, and from its members that do not run.
func (g *group) diverge(seen *cache.Shard) error {
	if seen.Group.Status != cache.Available {
		return nil
	}
	return g.update(func(_ *store.Tx, shard *cache.Shard) (err error) {
		g.markLost(shard)
		shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.Diverged)
		return err
	})
}

// markLost has the members that do not run say so. Recovering one begins with a start, which says that too.
func (g *group) markLost(shard *cache.Shard) {
	for i, m := range shard.Members {
		if g.nodes[m.ID] == nil && m.Status == cache.MemberAvailable {
			shard.Members[i].Status = cache.MemberModifying
		}
	}
}

// giveUp ends the attempt to create a group after too many failures; its status then says why. The engine stops its
// nodes.
func (g *group) giveUp(shard *cache.Shard, cause error) error {
	if shard.Group.Status != cache.Creating || g.failures.count < maxFailures {
		return nil
	}
	return g.update(func(tx *store.Tx, shard *cache.Shard) (err error) {
		if err := g.release(tx, shard); err != nil {
			return err
		}
		shard.Group.StatusReason = cause.Error()
		shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.GaveUp)
		return err
	})
}

// processes are those of the group that have not ended.
func (g *group) processes() (all []node.Process) {
	for _, m := range g.nodes {
		all = append(all, m.process)
	}
	if g.relay != nil {
		all = append(all, g.relay.process)
	}
	return slices.DeleteFunc(all, func(p node.Process) bool {
		select {
		case <-p.Exited():
			return true
		default:
			return false
		}
	})
}

// disconnect closes the connections to the nodes, which go on.
func (g *group) disconnect() {
	for id, m := range g.nodes {
		g.e.pulses.leave(m.vigil)
		close(m.questions)
		if err := errors.Join(m.redis.Close(), g.e.running.leave(g.id, id)); err != nil {
			g.log.Warn("cannot close the connection to a node", "error", err)
		}
	}
	if g.relay != nil {
		g.e.pulses.leave(g.relay.vigil)
	}
}
