package alarm

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"golang.org/x/sync/errgroup"
)

// Publisher tells a topic.
type Publisher interface {
	Publish(ctx context.Context, topicARN, subject, message string) error
}

// Queue runs the actions of alarms apart from their evaluation: those of one alarm one after another, those of others beside them.
type Queue struct {
	timeout time.Duration
	lanes   []chan func(context.Context)
	seed    maphash.Seed
}

const (
	lanes      = 8
	laneLength = 256
)

// NewQueue makes a queue whose actions may take so long each.
func NewQueue(timeout time.Duration) *Queue {
	q := &Queue{timeout: timeout, seed: maphash.MakeSeed()}
	for range lanes {
		q.lanes = append(q.lanes, make(chan func(context.Context), laneLength))
	}
	return q
}

// ErrQueueFull says that too many actions wait behind one that is stuck.
var ErrQueueFull = errors.New("too many actions wait behind one that does not end")

// Add has an action run, or refuses it when too many wait. It never blocks.
func (q *Queue) Add(alarm string, action func(context.Context)) error {
	select {
	case q.lanes[q.lane(alarm)] <- action:
		return nil
	default:
		return ErrQueueFull
	}
}

func (q *Queue) lane(alarm string) uint64 { return maphash.String(q.seed, alarm) % lanes }

// Run runs actions until ctx ends, and waits for those that run.
func (q *Queue) Run(ctx context.Context) error {
	var all errgroup.Group
	for _, lane := range q.lanes {
		all.Go(func() error {
			for {
				select {
				case <-ctx.Done():
					return nil
				case action := <-lane:
					q.run(ctx, action)
				}
			}
		})
	}
	return all.Wait()
}

func (q *Queue) run(ctx context.Context, action func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	action(ctx)
}
