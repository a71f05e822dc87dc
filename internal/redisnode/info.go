package redisnode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// errorSection of INFO is read apart from the others: clients decide how large it is. redis-server before 7.2
	// counts every first word of an error for ever, and a script may answer with any (redis.error_reply). 380,000 of
	// them take 0.2 s and 10 MB.
	errorSection = "errorstats"
	// maxErrorKinds is how many kinds of errors a node may count before its statistics begin anew. Later versions stop
	// at 128.
	maxErrorKinds = 1024
	// errorTime is how long reading them may take.
	errorTime = 5 * time.Second
)

// ResetsField is a field that Info adds: how often the node's statistics were made to begin anew. Counters of two
// answers with different values do not go on from each other.
const ResetsField = "larder_resets"

// Info asks for sections of INFO. Where the kinds of errors cannot be read, or are so many that the node was made to
// count anew, it returns the other fields with an error that says so.
func (n *Node) Info(ctx context.Context, sections ...string) (map[string]string, error) {
	apart := slices.Contains(sections, errorSection)
	sections = slices.DeleteFunc(slices.Clone(sections), func(s string) bool { return s == errorSection })
	resets := strconv.FormatInt(n.resets.Load(), 10)
	fields := map[string]string{}
	if len(sections) > 0 || !apart {
		info, err := n.client.Info(ctx, sections...).Result()
		if err != nil {
			return nil, fmt.Errorf("cannot read what the node says of itself: %w", err)
		}
		fields = Fields(info)
	}
	if !apart {
		return fields, nil
	}
	fields[ResetsField] = resets
	kinds, err := n.errorKinds(ctx)
	maps.Copy(fields, kinds)
	if len(kinds) <= maxErrorKinds && !errors.Is(err, ErrTooLarge) {
		return fields, err
	}
	n.resets.Add(1)
	if errReset := n.do(context.WithoutCancel(ctx), "CONFIG", "RESETSTAT"); errReset != nil {
		return fields, errors.Join(err, errReset)
	}
	if err != nil {
		return fields, fmt.Errorf("a node's statistics begin anew, since the errors that it counts cannot be read: %w",
			err)
	}
	return fields, fmt.Errorf("a node's statistics begin anew, since it counts %d kinds of errors: scripts make them "+
		"up (redis.error_reply)", len(kinds))
}

// errorKinds are the fields of INFO errorstats: how often the node answered with which error. The time that it takes is
// its own, as the answer to other questions is there already.
func (n *Node) errorKinds(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), errorTime)
	defer cancel()
	info, err := n.patient.Info(ctx, errorSection).Result()
	if err != nil {
		return nil, fmt.Errorf("cannot read what errors the node counts: %w", err)
	}
	return Fields(info), nil
}

// someErrors are at most maxErrorKinds of them, those that tell of denied access among them.
func someErrors(kinds map[string]string) map[string]string {
	for name := range kinds {
		if len(kinds) <= maxErrorKinds {
			break
		}
		if name != "errorstat_NOPERM" && name != "errorstat_WRONGPASS" {
			delete(kinds, name)
		}
	}
	return kinds
}

// AccessLog is ACL LOG: who was denied what, newest first.
func (n *Node) AccessLog(ctx context.Context) ([]map[string]string, error) {
	entries, err := n.client.Do(ctx, "ACL", "LOG").Slice()
	if err != nil {
		return nil, fmt.Errorf("cannot read what access the node denied: %w", err)
	}
	var log []map[string]string
	for _, entry := range entries {
		pairs, ok := entry.([]any)
		if !ok {
			return nil, fmt.Errorf("cannot read what access the node denied: %v is no entry", entry)
		}
		fields := map[string]string{}
		for i := 0; i+1 < len(pairs); i += 2 {
			fields[fmt.Sprint(pairs[i])] = fmt.Sprint(pairs[i+1])
		}
		log = append(log, fields)
	}
	return log, nil
}

// Fields reads the lines of an INFO answer.
func Fields(info string) map[string]string {
	f := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			f[name] = value
		}
	}
	return f
}

// slowAsk asks for the newest entry of the slow log beside other questions. An entry holds its client's name, which may
// be as long as an argument may be: where it is long, or the answer fails, the log is not asked again for a while, and
// the other answers stand.
type slowAsk struct {
	node *Node
	cmd  *redis.SlowLogCmd // nil where it was not asked
}

const (
	longName = 64 << 10 // bytes of a client's name from which on it is a burden
	slowRest = 64       // questions that go by until the slow log is asked again
)

// askSlow adds the question to a pipeline, as its last.
func (n *Node) askSlow(ctx context.Context, pipe redis.Pipeliner) slowAsk {
	if n.slowRest.Add(-1) >= 0 {
		return slowAsk{node: n}
	}
	return slowAsk{n, pipe.SlowLogGet(ctx, 1)}
}

// newest returns the newest entry, or the last that was read; its ID is -1 when there is none.
func (a slowAsk) newest() redis.SlowLog {
	n := a.node
	if a.cmd == nil {
		return n.newestSlow.get()
	}
	log, err := a.cmd.Result()
	entry := redis.SlowLog{ID: newestSlow(log)}
	if len(log) > 0 {
		entry.Duration = log[0].Duration
	}
	if err != nil || len(log) > 0 && len(log[0].ClientName) > longName {
		n.slowRest.Store(slowRest)
	}
	if err != nil {
		return n.newestSlow.get()
	}
	n.newestSlow.set(entry)
	return entry
}
