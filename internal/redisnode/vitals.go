package redisnode

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/redis/go-redis/v9"
)

// Vitals holds all counters of a node.
type Vitals struct {
	Info map[string]string // the fields of INFO, including commands and errors

	SlowLogLength int64         // number of entries
	SlowLogLast   int64         // id of the newest entry; -1 if there is none
	SlowLogTook   time.Duration // duration of the newest entry's command
}

// vitalSections are the sections of "INFO all" without the errors.
var vitalSections = []string{
	"server", "clients", "memory", "persistence", "stats", "replication", "cpu", "modules", "commandstats",
	"latencystats", "cluster", "keyspace",
}

// Vitals reads all counters in one round trip, and the errors in a second one. It returns at most maxErrorKinds kinds
// of errors, and none if they cannot be read in time.
func (n *Node) Vitals(ctx context.Context) (Vitals, error) {
	pipe := n.client.Pipeline()
	length := redis.NewIntCmd(ctx, "SLOWLOG", "LEN")
	if err := pipe.Process(ctx, length); err != nil {
		return Vitals{}, err
	}
	info := pipe.Info(ctx, vitalSections...)
	slow := n.askSlow(ctx, pipe)
	_, err := pipe.Exec(ctx)
	newest := slow.newest()
	if err != nil && info.Val() == "" { // otherwise only the slow log, which comes last, cannot be read
		return Vitals{}, fmt.Errorf("cannot read what the node counts: %w", err)
	}
	v := Vitals{Info: Fields(info.Val()), SlowLogLength: length.Val(), SlowLogLast: newest.ID,
		SlowLogTook: newest.Duration}
	if kinds, err := n.client.Info(ctx, errorSection).Result(); err == nil {
		maps.Copy(v.Info, someErrors(Fields(kinds)))
	}
	return v, nil
}
