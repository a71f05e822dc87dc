package engine

import (
	"errors"
	"sync"

	"larder/internal/isolate"
)

// guarded runs a part of a group's work. A panic in it is that part's failure: it ends neither the engine nor the rest
// of the group's work. Every part that has a goroutine of its own is run by it: no recovery elsewhere reaches those.
func (r *shardRunner) guarded(f func() error) error {
	return r.e.guard.Do("the replication group "+r.groupID, f)
}

// background runs the whole of a goroutine of the group's. What ends it early is in the log, and in nothing else's way.
func (r *shardRunner) background(work *sync.WaitGroup, f func()) {
	work.Go(func() { r.e.guard.Run(r.log, "the replication group "+r.groupID, f) })
}

// isFault tells whether an error is a panic that guarded has caught, which says nothing of the node that was worked on.
func isFault(err error) bool {
	_, is := errors.AsType[*isolate.PanicError](err)
	return is
}

// shown is a failure as users of the API see it: the stack of a panic is for the log.
func shown(err error) error {
	if fault, is := errors.AsType[*isolate.PanicError](err); is {
		return errors.New(fault.Short())
	}
	return err
}
