package engine

import (
	"errors"
	"sync"

	"larder/internal/isolate"
)

// guarded runs a part of a group's work. A panic in it is a failure of that part only: the engine and the rest of the
// group go on. Every part that has a goroutine of its own runs in guarded, as no recovery elsewhere reaches it.
func (r *shardRunner) guarded(f func() error) error {
	return r.e.guard.Do("the replication group "+r.groupID, f)
}

// background runs the whole of a goroutine of the group's. A panic that ends it early is logged, and ends nothing else.
func (r *shardRunner) background(work *sync.WaitGroup, f func()) {
	work.Go(func() { r.e.guard.Run(r.log, "the replication group "+r.groupID, f) })
}

// isFault tells whether an error is a panic that guarded has caught, which says nothing of the node that was worked on.
func isFault(err error) bool {
	_, is := errors.AsType[*isolate.PanicError](err)
	return is
}

// shown is a failure as users of the API see it. The stack of a panic is for the log only.
func shown(err error) error {
	if fault, is := errors.AsType[*isolate.PanicError](err); is {
		return errors.New(fault.Short())
	}
	return err
}
