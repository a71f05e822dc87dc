package engine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"larder/internal/cache"
	"larder/internal/plan"
)

const (
	firstRetry = 50 * time.Millisecond // after a failure, doubling up to
	lastRetry  = 5 * time.Second       // this
	// maxFailures is how many plans may fail, without a success of what failed, before a group that never was
	// available is given up.
	maxFailures = 5
	// maxTold bounds how many failures are remembered that the log has.
	maxTold = 32
)

// failures are those of a group's work since it last succeeded. A step that succeeds does not end the failure of
// another one: the pause between tries grows also when the two take turns.
type failures struct {
	count int             // plans and looks that failed
	open  map[string]bool // work that failed and has not succeeded since, by name
	told  map[string]bool // what the log has been told of
	last  atomic.Pointer[lastError]
}

// lastError is a failure that has not been followed by a success.
type lastError struct {
	err      error
	failures int // since the last success
}

// snapshotWork names a snapshot job, which takes longer than one plan.
const snapshotWork = "transfer"

// workOf names what a step does. The same step of a later plan has the same name.
func workOf(s plan.Step) string { return string(s.Kind) + " " + s.Member }

// record takes in how a piece of work ended.
func (f *failures) record(work string, err error) {
	if err == nil {
		delete(f.open, work)
		return
	}
	if f.open == nil {
		f.open = map[string]bool{}
	}
	f.open[work] = true
}

// add counts a failure, which others can read.
func (f *failures) add(err error) {
	f.count++
	f.last.Store(&lastError{shown(err), f.count})
}

// pause is how long to wait before the next try.
func (f *failures) pause() time.Duration { return min(firstRetry<<min(f.count, 10), lastRetry) }

// news tells whether an error has not been logged since the last success. Errors that differ in numbers only are the
// same: a process that is started again has another id.
func (f *failures) news(err error) bool {
	text := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return -1
		}
		return r
	}, err.Error())
	if f.told[text] {
		return false
	}
	if f.told == nil || len(f.told) == maxTold {
		f.told = map[string]bool{}
	}
	f.told[text] = true
	return true
}

// level is the log level of a failure: debug when it was logged before.
func (f *failures) level(err error) slog.Level {
	if f.news(err) {
		return slog.LevelError
	}
	return slog.LevelDebug
}

// forget ends all failures: the work has succeeded.
func (f *failures) forget() {
	f.count, f.told = 0, nil
	f.last.Store(nil)
}

// logFailure logs a failure once, until the group's work succeeds.
func (r *shardRunner) logFailure(ctx context.Context, err error) {
	r.log.Log(ctx, r.failures.level(err), "cannot bring the group to where it should be: larder goes on trying, and "+
		"writes this once",
		"error", err, "failures", r.failures.count)
}

// fail counts a failure. After too many it gives up a group that is being created.
func (r *shardRunner) fail(shard *cache.Shard, err error) error {
	r.failures.add(err)
	return errors.Join(err, r.diverge(shard), r.giveUp(shard, shown(err)))
}

// succeed ends all failures, unless some work that failed has not succeeded yet.
func (r *shardRunner) succeed() {
	f := &r.failures
	if len(f.open) > 0 {
		return
	}
	if len(f.told) > 0 {
		r.log.Info("what failed of the group has succeeded", "failures", f.count)
	}
	f.forget()
}
