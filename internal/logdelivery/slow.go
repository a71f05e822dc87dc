package logdelivery

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"larder/internal/cache"
	"larder/internal/cachelog"
	"larder/internal/node"
	"larder/internal/redisnode"
)

const (
	maxBatch = 1000 // records in one write
	// readAhead is how many entries more than are known to be new are read: others come while they are.
	readAhead = 64
	// maxRead bounds how many entries are asked for at once, and so for how long a node is held up: for about 0.1 s.
	maxRead = 50_000
	// readTime is how long a node may take to give them.
	readTime = time.Second
)

// slowTrack is how far a node's slow log is delivered. What the node drops from it before it is read (slowlog-max-len)
// is lost, as on AWS; so is what a node that died held.
type slowTrack struct {
	sink
	process node.Process // whose log it is: ids begin anew with the next one
	source  string
	last    int64 // id of the newest entry that was read; -1 before the first
	limit   int   // how many are asked for at most; zero means maxRead
}

func (t *slowTrack) ship(ctx context.Context, to cache.LogDelivery, running *Node) error {
	if running == nil {
		return nil
	}
	newest, err := t.newest(ctx, running)
	if err != nil || newest < 0 || t.process == running.Process && newest <= t.last {
		return err
	}
	n := readAhead
	if t.process == running.Process {
		n += int(newest - t.last)
	}
	log, skipped, err := t.read(ctx, to, n, running.Redis.SlowLog)
	if err != nil {
		return err
	}
	t.process = running.Process
	if err := t.deliver(to, log); err != nil {
		return err
	}
	if skipped > 0 {
		return skippedError{skipped}
	}
	return nil
}

// skippedError says that so many entries are not delivered, because the node does not give them in time or they are
// more than are read at once. The ones after them are.
type skippedError struct{ entries int64 }

func (e skippedError) Error() string {
	return fmt.Sprintf("%d entries of the slow log are skipped", e.entries)
}

func (t *slowTrack) grown(running *Node) bool {
	return running != nil && (running.Process != t.process && running.NewestSlow >= 0 ||
		running.NewestSlow > t.last)
}

func (t *slowTrack) newest(ctx context.Context, running *Node) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return running.Redis.NewestSlow(ctx)
}

// read reads the entries after the last, at most maxRead, and says how many more there are that it leaves out. A log
// can be read from its newest entry only; how many there are after the last is not known of a process that is met for
// the first time: n is where it begins. After one that did not come in time the next read asks for half as many.
func (t *slowTrack) read(
	ctx context.Context, to cache.LogDelivery, n int, get func(context.Context, int) (redisnode.SlowLog, error),
) (log redisnode.SlowLog, skipped int64, err error) {
	limit := cmp.Or(t.limit, maxRead)
	for ; ; n *= 8 {
		n = min(n, limit)
		asked, cancel := context.WithTimeout(ctx, readTime)
		log, err = get(asked, n)
		late := asked.Err() != nil && ctx.Err() == nil
		cancel()
		if err != nil {
			if late {
				t.limit = max(1, n/2)
			}
			return log, 0, err
		}
		if source := cachelog.SlowLog + "/" + t.member + "/" + log.Run; t.source != source {
			if err := t.begin(to, source); err != nil {
				return log, 0, err
			}
		}
		whole := log.Read < n || log.Oldest <= t.last+1 || len(log.Entries) > 0 && !since(to, log.Entries[0].Time)
		if whole || n == limit {
			t.limit = 0
			if !whole {
				skipped = log.Oldest - t.last - 1
			}
			return log, skipped, nil
		}
	}
}

// begin takes up the log of another run of the node, and has that of the one before forgotten.
func (t *slowTrack) begin(to cache.LogDelivery, source string) error {
	mark, err := t.delivered(to, source)
	if err != nil {
		return err
	}
	if err := t.forget(to); err != nil {
		return err
	}
	t.source, t.last = source, int64(mark)-1 // a mark is one more than the id: ids begin with 0
	return nil
}

func (t *slowTrack) deliver(to cache.LogDelivery, log redisnode.SlowLog) error {
	var events []Event
	for i, e := range log.Entries {
		if e.ID > t.last && since(to, e.Time) {
			events = append(events, Event{Time: e.Time, Message: e.Record(t.sink.source(to))})
		}
		if len(events) == maxBatch || len(events) > 0 && i == len(log.Entries)-1 {
			if err := t.put(to, t.source, uint64(e.ID)+1, events); err != nil {
				return err
			}
			t.last, events = e.ID, nil
		}
	}
	t.last = max(t.last, log.Newest)
	return nil
}

func (t *slowTrack) forget(to cache.LogDelivery) error {
	if t.source == "" {
		return nil
	}
	return t.put(to, t.source, 0, nil)
}
