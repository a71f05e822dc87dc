package redisnode

import (
	"context"
	"fmt"
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

// Vitals reads them in one round trip.
func (n *Node) Vitals(ctx context.Context) (Vitals, error) {
	pipe := n.client.Pipeline()
	info := pipe.Info(ctx, "all")
	length := redis.NewIntCmd(ctx, "SLOWLOG", "LEN")
	if err := pipe.Process(ctx, length); err != nil {
		return Vitals{}, err
	}
	newest := pipe.SlowLogGet(ctx, 1)
	if _, err := pipe.Exec(ctx); err != nil {
		return Vitals{}, fmt.Errorf("cannot read what the node counts: %w", err)
	}
	v := Vitals{Info: Fields(info.Val()), SlowLogLength: length.Val(), SlowLogLast: -1}
	for _, entry := range newest.Val() {
		v.SlowLogLast, v.SlowLogTook = entry.ID, entry.Duration
	}
	return v, nil
}
