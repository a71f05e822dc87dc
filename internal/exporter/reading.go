package exporter

import (
	"context"
	"sync"
	"time"

	"larder/internal/isolate"
	"larder/internal/redisnode"
)

// Node is a running member.
type Node struct {
	Group, ID string
	Redis     Redis
}

// Redis tells what a node counts.
type Redis interface {
	Vitals(ctx context.Context) (redisnode.Vitals, error)
}

// Reading is what a node said when it was asked, or why it did not.
type Reading struct {
	At   time.Time     // when it had answered
	Took time.Duration // until then
	redisnode.Vitals
	Err error
}

// Number is a field of INFO that is one; a field that a version of redis-server lacks is none.
func (r Reading) Number(field string) float64 {
	n, _ := number(r.Info[field])
	return n
}

// patience is what a node has to answer in. A busy one that takes longer counts as down for a scrape, as it is for its
// clients.
const patience = time.Second

// Read asks all nodes side by side: those that hang, however many, delay the others' answer by patience. The guard
// keeps apart what panics.
func Read(ctx context.Context, guard *isolate.Guard, nodes []Node, now func() time.Time) map[string]Reading {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	readings := map[string]Reading{}
	var mu sync.Mutex
	var asked sync.WaitGroup
	for _, n := range nodes {
		asked.Go(func() {
			begin := now()
			var v redisnode.Vitals
			err := guard.Do("the node "+n.ID, func() (err error) {
				v, err = n.Redis.Vitals(ctx)
				return err
			})
			at := now()
			mu.Lock()
			defer mu.Unlock()
			readings[n.ID] = Reading{At: at, Took: at.Sub(begin), Vitals: v, Err: err}
		})
	}
	asked.Wait()
	return readings
}
