package redisnode

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/redis/go-redis/v9"
)

// Vitals is all that a node counts of itself.
type Vitals struct {
	Info map[string]string // the fields of INFO, commands' and errors' too

	SlowLogLength int64         // entries
	SlowLogLast   int64         // id of the newest entry; -1 when there is none
	SlowLogTook   time.Duration // what the newest entry's command took
}

// vitalSections are those of "INFO all", without the errors.
var vitalSections = []string{
	"server", "clients", "memory", "persistence", "stats", "replication", "cpu", "modules", "commandstats",
	"latencystats", "cluster", "keyspace",
}

// Vitals reads them in one round trip, and in a second the errors, of which it returns maxErrorKinds at most; where
// these cannot be read in time, none.
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
	if err != nil && info.Val() == "" { // else it is the slow log, which is read last, that cannot be read
		return Vitals{}, fmt.Errorf("cannot read what the node counts: %w", err)
	}
	v := Vitals{Info: Fields(info.Val()), SlowLogLength: length.Val(), SlowLogLast: newest.ID,
		SlowLogTook: newest.Duration}
	if kinds, err := n.client.Info(ctx, errorSection).Result(); err == nil {
		maps.Copy(v.Info, someErrors(Fields(kinds)))
	}
	return v, nil
}
