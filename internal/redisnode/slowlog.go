package redisnode

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"larder/internal/cachelog"
	"larder/internal/node"
)

// SlowLog is the slow log of one run of a redis-server. In each run, ids begin with 0.
type SlowLog struct {
	Run     string // identifies the run
	Newest  int64  // id of the newest entry; -1 if there is none
	Oldest  int64  // id of the oldest entry that was read; -1 if there is none
	Read    int    // number of entries that were read, including those left out
	Entries []cachelog.Slow
}

// NewestSlow returns the id of the slow log's newest entry, or -1 if there is none.
func (n *Node) NewestSlow(ctx context.Context) (int64, error) {
	newest, err := n.client.SlowLogGet(ctx, 1).Result()
	if err != nil {
		return 0, fmt.Errorf("cannot read the slow log: %w", err)
	}
	return newestSlow(newest), nil
}

func newestSlow(log []redis.SlowLog) int64 {
	if len(log) == 0 {
		return -1
	}
	return log[0].ID
}

// slowEntry is the newest entry of the slow log that was read. Its ID is -1 before the first. It keeps only ID and
// Duration.
type slowEntry struct{ last atomic.Pointer[redis.SlowLog] }

func (e *slowEntry) set(entry redis.SlowLog) { e.last.Store(&entry) }

func (e *slowEntry) get() redis.SlowLog {
	if last := e.last.Load(); last != nil {
		return *last
	}
	return redis.SlowLog{ID: -1}
}

// SlowLog reads the newest entries of the slow log, oldest first. It leaves out larder's own commands, which come over
// the unix socket that only larder uses.
func (n *Node) SlowLog(ctx context.Context, entries int) (SlowLog, error) {
	pipe := n.client.Pipeline()
	server, read := pipe.Info(ctx, "server"), pipe.SlowLogGet(ctx, int64(entries))
	if _, err := pipe.Exec(ctx); err != nil {
		return SlowLog{}, fmt.Errorf("cannot read the slow log: %w", err)
	}
	out := SlowLog{Run: Fields(server.Val())["run_id"], Newest: -1, Oldest: -1, Read: len(read.Val())}
	all := read.Val()
	if len(all) > 0 {
		out.Newest, out.Oldest = all[0].ID, all[len(all)-1].ID
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].ClientAddr != ownAddress {
			out.Entries = append(out.Entries, slow(all[i]))
		}
	}
	return out, nil
}

// ownAddress is redis-server's name for a client on its unix socket.
const ownAddress = node.Socket + ":0"

// maxSlowArgs is how many arguments an entry has at most. If there were more, the last one says how many are missing.
// Source: slowlog.c, SLOWLOG_ENTRY_MAX_ARGC.
const maxSlowArgs = 32

func slow(e redis.SlowLog) cachelog.Slow {
	out := cachelog.Slow{ID: e.ID, Time: e.Time, Duration: e.Duration, Args: e.Args, ClientAddress: e.ClientAddr,
		ClientName: e.ClientName}
	if len(e.Args) != maxSlowArgs || !strings.HasPrefix(e.Args[maxSlowArgs-1], "... (") {
		return out
	}
	if _, err := fmt.Sscanf(e.Args[maxSlowArgs-1], "... (%d more arguments)", &out.More); err == nil {
		out.Args = e.Args[:maxSlowArgs-1]
	}
	return out
}
