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
	steadyInterval = time.Second            // between two rounds of a settled group; an exit or a change wakes it at once
	firstInterval  = 2 * time.Millisecond   // between two rounds while something is under way, doubling up to
	lastInterval   = 250 * time.Millisecond // this
)

// shardRunner runs one shard: its nodes, and the relay of its reader endpoint. All but wakeUp, copying, settled
// and report belongs to the goroutine in run.
type shardRunner struct {
	e       *Engine
	groupID string
	id      string
	log     *slog.Logger
	wakes   chan struct{}
	watch   sync.WaitGroup // of the processes' exits
	nodes   map[string]*member
	relay   *member
	offsets offsetHistory // of the primary
	shield  shield

	failures failures

	known    *plan.Desired               // since the last change of it; nil when it is to be read
	job      *snapshotJob                // nil when none goes on
	copying  atomic.Pointer[snapshotJob] // the same, read by others
	cuts     int                         // connections of the snapshot that is being taken that were ended
	verified bool
	issued   issued
	report   atomic.Pointer[Report] // read by others
	// settled is the record as of which the shard is as desired; nil while it is not.
	settled   atomic.Pointer[cache.Shard]
	onSettled func() // called when settled has changed
}

// member is a running process and the connection to it.
type member struct {
	process  node.Process
	redis    *redisnode.Node // nil for the relay
	control  relay.Client    // of the relay
	detector *detector
	probes   chan *probe
	pending  *probe    // that it has yet to answer
	said     time.Time // when it answered the last one, if only that it is busy
	began    time.Time // not before this the command that it is busy with
	silent   bool      // it did not answer the last time
	stranger bool      // it did not take the recorded password then
	cutOff   bool      // nobody could connect to it then, see isCutOff
	// scriptKilledAt is when the engine tried to end the script that it may be busy with; zero since it has answered.
	scriptKilledAt time.Time
	lastScriptKill time.Time // when it last tried
	held           bool      // it was suspended, and did not go on when it was told to; false since it has answered

	// The engine has started the process with the recorded tokens and parameters, or has set them since.
	knowsTokens, knowsParameters bool

	ended  atomic.Bool // by the engine: it is no loss
	full   int         // how many connections it has where it may have no more; 0 where there is room
	warned time.Time   // when an event last said that it is full

	seen          seen
	cleaned       bool         // since it was adopted, or since a change of its addresses failed half way
	cleanFailures failures     // of sweep
	relays        relay.Status // of the relay, as it last told it
	certifying    sync.Mutex   // while the node's files of its certificate are written, and read by it
}

func newShardRunner(e *Engine, group, id string, onSettled func()) *shardRunner {
	return &shardRunner{e: e, groupID: group, id: id, log: e.Logger.With("group", group),
		wakes: make(chan struct{}, 1), nodes: map[string]*member{}, onSettled: onSettled}
}

func (r *shardRunner) wakeUp() { wakeUp(r.wakes) }

// run keeps the shard as desired until it is deleted or ctx ends. Then it calls end, which ends ctx for all of the
// shard's goroutines.
func (r *shardRunner) run(ctx context.Context, end context.CancelFunc) {
	defer r.watch.Wait()
	defer end()
	defer r.disconnect()
	pause := firstInterval
	for ctx.Err() == nil {
		next, err := r.reconcileGuarded(ctx)
		if next != later || err != nil {
			r.known = nil
		}
		switch {
		case errors.Is(err, store.ErrNotFound):
			return
		case r.unreadable(err): // the store has told of it
			pause = lastRetry
		case err != nil && ctx.Err() == nil:
			r.logFailure(ctx, err)
			pause = r.failures.pause()
		case next == again:
			continue
		case next == soon:
			pause = min(pause*2, lastInterval)
		default:
			pause = steadyInterval
		}
		if rest(ctx, r.wakes, pause) {
			r.known = nil
		}
		if next != soon {
			pause = firstInterval
		}
	}
}

// unreadable tells whether the group's own record cannot be read. LastError shows that. The group's nodes go on as they
// are: none is started, ended or moved while it is unknown what they shall be.
func (r *shardRunner) unreadable(err error) bool {
	if !hasDamagedRecord(err, r.groupID) {
		return false
	}
	r.failures.last.Store(&lastError{err, maxFailures})
	return true
}

// rest returns after d, or never if d is 0, or as soon as there is something to see: a change, an exit, or a node that
// does nothing any more. Woken says so.
func rest(ctx context.Context, wakes <-chan struct{}, d time.Duration) (woken bool) {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(alignTick(d))
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-wakes:
		return true
	case <-over:
	case <-ctx.Done():
	}
	return false
}

// alignTick shortens a wait of sampleInterval or more so that those of all groups end at the same time. To wake for
// each by itself would cost an engine more than the work.
func alignTick(d time.Duration) time.Duration {
	if d < sampleInterval {
		return d
	}
	return d - time.Duration(time.Now().UnixNano())%sampleInterval
}

// next says when a runner reconciles again.
type next int

const (
	again next = iota // at once: something was changed
	soon              // something is under way
	later             // all is as desired
)

// reconcileGuarded reconciles, and takes a panic for a failure of this group alone. It counts failures that reconcile
// has not counted.
func (r *shardRunner) reconcileGuarded(ctx context.Context) (wants next, err error) {
	wants = soon
	before := r.failures.count
	err = r.guarded(func() (err error) {
		wants, err = r.reconcile(ctx)
		return err
	})
	if err != nil && ctx.Err() == nil && !hasDamagedRecord(err, r.groupID) && r.failures.count == before {
		r.failures.add(err)
	}
	return wants, err
}

// reconcile observes, plans and runs the plan's steps.
func (r *shardRunner) reconcile(ctx context.Context) (next, error) {
	if r.known == nil {
		d, err := r.desired()
		if err != nil {
			return soon, err
		}
		r.known = &d
	}
	desired := *r.known
	switch ended, err := r.endSnapshotJob(desired.Shard); {
	case err != nil:
		return soon, r.fail(desired.Shard, err)
	case ended:
		return again, nil
	}
	observed := r.observe(ctx, desired.Shard)
	if ctx.Err() != nil { // who did not answer had no time to
		return later, nil
	}
	if err := r.strangers(desired.Shard); err != nil {
		r.failures.add(err)
		return soon, errors.Join(err, r.diverge(desired.Shard)) // a group that is given up has its nodes ended
	}
	steps, settled := plan.Shard(desired, observed)
	switch changed, err := r.keepRoom(ctx, desired, observed, steps); {
	case err != nil:
		return soon, r.fail(desired.Shard, err)
	case changed:
		return again, nil
	}
	if settled {
		return r.reached(desired.Shard)
	}
	r.conclude(nil)
	if err := r.cutOff(desired.Shard, observed); err != nil && len(steps) == 0 {
		r.failures.add(err)
		return soon, errors.Join(err, r.diverge(desired.Shard))
	}
	if len(steps) == 0 && busy(observed) { // which is no reason to call a group anything but available
		return soon, nil
	}
	if disturbs(steps) {
		if err := r.diverge(desired.Shard); err != nil {
			return soon, err
		}
	}
	if len(steps) == 0 {
		r.verified = false
		return soon, nil
	}
	if steps = r.beginSnapshotJobs(ctx, desired.Shard, steps); len(steps) == 0 {
		return soon, nil // how it went is not known yet
	}
	if err := r.runSteps(ctx, desired, steps); err != nil {
		r.noteCut(err)
		return soon, r.fail(desired.Shard, err)
	}
	r.succeed()
	return again, nil
}

// reached records that the shard is as desired. Whatever failed before does not matter any more.
func (r *shardRunner) reached(shard *cache.Shard) (next, error) {
	if !shard.Group.Status.Ending() {
		switch changed, err := r.settle(shard); {
		case err != nil:
			return later, err
		case changed:
			return again, nil
		}
	}
	r.failures.open = nil
	r.succeed()
	r.conclude(shard)
	return later, nil
}

// conclude publishes the record as of which the shard is as desired; nil when it is not.
func (r *shardRunner) conclude(shard *cache.Shard) {
	if r.settled.Swap(shard) != shard {
		r.onSettled()
	}
}

// strangers returns an error that names the nodes that do not take the recorded password. They were started for another
// group of that name, or by a newer record of this installation. Their data may be all that is left, so nothing is done
// to them until somebody decides. A group that is being deleted needs none of their answers.
func (r *shardRunner) strangers(shard *cache.Shard) error {
	if shard.Group.Status.Ending() {
		return nil
	}
	var errs []error
	for _, m := range shard.Members {
		if running := r.nodes[m.ID]; running != nil && running.stranger {
			errs = append(errs,
				fmt.Errorf("%s (process %d) does not take the password that is recorded for the nodes of %s: another "+
					"record than this one started it, "+
					"and it is left alone. Put back the larder.db that belongs to it, or end the process to give "+
					"its data up", m.ID, running.process.PID(), shard.Group.ID))
		}
	}
	return errors.Join(errs...)
}

// cutOffTime is how long a process may be without its socket: one that is about to end has closed it.
const cutOffTime = time.Second

// cutOff returns an error that names the nodes nobody can connect to, when the plan has no steps for them. They are
// left alone: they run, and no other node has their data.
func (r *shardRunner) cutOff(shard *cache.Shard, o plan.Observed) error {
	var errs []error
	for _, m := range shard.Members {
		if s := o.Nodes[m.ID]; s.CutOff && s.Lag > cutOffTime {
			pid := r.nodes[m.ID].process.PID()
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

// disturbs tells whether a group with these steps is not as it should be. Without steps it waits for something, and is
// not either.
func disturbs(steps []plan.Step) bool {
	return len(steps) == 0 || slices.ContainsFunc(steps,
		func(s plan.Step) bool { return !stepKinds[s.Kind].quiet })
}

// shard reads the shard's record.
func (r *shardRunner) shard(tx *store.Tx) (cache.Shard, error) {
	return state.Shard(tx, r.groupID, r.id)
}

// desired reads the group and what its nodes' parameters should be.
func (r *shardRunner) desired() (plan.Desired, error) {
	var shard cache.Shard
	var directives catalog.Directives
	d := plan.Desired{Shard: &shard}
	err := r.e.Store.View(func(tx *store.Tx) (err error) {
		if shard, err = r.shard(tx); err != nil {
			return err
		}
		d.RestoreSource, err = r.restoreSource(tx, &shard)
		switch {
		case store.IsUnreadable(err):
			d.RestoreSourceUnknown = err.Error()
		case err != nil:
			return err
		}
		directives, err = r.directives(tx, shard.Group)
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
func (r *shardRunner) directives(tx *store.Tx, rg *cache.ReplicationGroup) (catalog.Directives, error) {
	d, err := r.askedDirectives(tx, rg)
	if err != nil {
		return catalog.Directives{}, err
	}
	return d, d.KeepMemory(rg.KeptMemory)
}

// askedDirectives are what the group's node type and parameters ask for.
func (r *shardRunner) askedDirectives(tx *store.Tx, rg *cache.ReplicationGroup) (catalog.Directives, error) {
	return state.Directives(tx, rg, r.e.Families, r.e.NodeTypes)
}

// wantedDirectives are what the group's servers should have been told.
func (r *shardRunner) wantedDirectives(shard *cache.Shard) (d catalog.Directives, err error) {
	err = r.e.Store.View(func(tx *store.Tx) error {
		d, err = r.directives(tx, shard.Group)
		return err
	})
	return d, err
}

// update changes the records of the group and its shard in one transaction, also where the disk is full: clients wait
// for an election, and what the nodes are doing is so, whether it is written down or not. It may call change several
// times.
func (r *shardRunner) update(change func(tx *store.Tx, shard *cache.Shard) error) error {
	return r.e.Store.UpdateReserved(func(tx *store.Tx) error {
		shard, err := r.shard(tx)
		if err != nil {
			return err
		}
		if err := change(tx, &shard); err != nil {
			return err
		}
		return state.PutShard(tx, shard, r.e.origin())
	})
}

// diverge takes the word available from a group, and from its members that do not run.
func (r *shardRunner) diverge(seen *cache.Shard) error {
	if seen.Group.Status != cache.Available {
		return nil
	}
	return r.update(func(tx *store.Tx, shard *cache.Shard) (err error) {
		if err := r.markLost(tx, shard); err != nil {
			return err
		}
		shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.Diverged)
		return err
	})
}

// markLost takes the status available from members that do not run. A member that is recovered says so when it is
// started.
func (r *shardRunner) markLost(tx *store.Tx, shard *cache.Shard) error {
	for i, m := range shard.Members {
		if r.nodes[m.ID] == nil && m.Status == cache.MemberAvailable {
			shard.Members[i].Status = cache.MemberModifying
			if err := r.e.replacing(tx, shard, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveUp ends the attempt to create a group after too many failures; its status then says why. The engine stops its
// nodes.
func (r *shardRunner) giveUp(shard *cache.Shard, cause error) error {
	if shard.Group.Status != cache.Creating || r.failures.count < maxFailures {
		return nil
	}
	return r.update(func(tx *store.Tx, shard *cache.Shard) (err error) {
		if err := r.e.release(tx, shard.Group); err != nil {
			return err
		}
		shard.Group.StatusReason = cause.Error()
		shard.Group.Status, err = cache.Transition(shard.Group.Status, cache.GaveUp)
		return err
	})
}

// processes are those of the group that have not ended.
func (r *shardRunner) processes() (all []node.Process) {
	for _, m := range r.nodes {
		all = append(all, m.process)
	}
	if r.relay != nil {
		all = append(all, r.relay.process)
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
func (r *shardRunner) disconnect() {
	for id, m := range r.nodes {
		r.e.detectors.remove(m.detector)
		close(m.probes)
		if err := errors.Join(m.redis.Close(), r.e.running.remove(r.groupID, id)); err != nil {
			r.log.Warn("cannot close the connection to a node", "error", err)
		}
	}
	if r.relay != nil {
		r.e.detectors.remove(r.relay.detector)
	}
}
