// Package nodestats asks running nodes what they count. The Prometheus exporter and `larder top` show it.
package nodestats

import (
	"context"
	"strconv"
	"sync"
	"time"

	"larder/internal/isolate"
	"larder/internal/redisnode"
)

// Node is a running member of a replication group.
type Node struct {
	Group, ID string
	Redis     Redis
}

// Redis tells what a node counts.
type Redis interface {
	Vitals(ctx context.Context) (redisnode.Vitals, error)
}

// Reading is what a node answered. Err says why it did not; the vitals are empty then.
type Reading struct {
	At   time.Time     // when the node answered
	Took time.Duration // between the request and the answer
	redisnode.Vitals
	Err error
}

// Number returns the value of a field of INFO that is a number. It returns 0 for a field that is none, and for one that
// the node's version of redis-server lacks.
func (r Reading) Number(field string) float64 {
	n, _ := Number(r.Info[field])
	return n
}

// Number parses a value of INFO that is a number, or an outcome: ok counts as 1, err and fail as 0.
func Number(value string) (n float64, isNumber bool) {
	switch value {
	case "":
		return 0, false
	case "ok":
		return 1, true
	case "err", "fail":
		return 0, true
	}
	n, err := strconv.ParseFloat(value, 64)
	return n, err == nil
}

// patience is how long a node may take to answer. A busy node that takes longer counts as down, as it is for its
// clients.
const patience = time.Second

// Read asks all nodes at the same time and returns their readings by node ID. Nodes that hang delay the answer by
// patience, however many they are. A panic while one node is read is that node's error.
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
