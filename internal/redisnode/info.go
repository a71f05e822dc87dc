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
	// errorSection is read separately from the other sections of INFO, because clients determine its size. redis-server
	// before 7.2 counts every first word of an error forever, and a script can return any error (redis.error_reply).
	// 380,000 of them take 0.2 s and 10 MB.
	errorSection = "errorstats"
	// maxErrorKinds is how many kinds of errors a node may count before Info resets its statistics. Later versions of
	// redis-server stop at 128.
	maxErrorKinds = 1024
	// errorTime bounds the time for reading the errors.
	errorTime = 5 * time.Second
)

// ResetsField is a field that Info adds: how often the node's statistics were reset. Counters from before and after a
// reset cannot be compared.
const ResetsField = "larder_resets"

// Info returns the fields of sections of INFO. If the errors cannot be read, or are too many so that Info reset the
// statistics, it returns the other fields with an error.
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

// errorKinds returns the fields of INFO errorstats: how often the node returned each kind of error. It has its own
// deadline, because the other answers are there already.
func (n *Node) errorKinds(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), errorTime)
	defer cancel()
	info, err := n.patient.Info(ctx, errorSection).Result()
	if err != nil {
		return nil, fmt.Errorf("cannot read what errors the node counts: %w", err)
	}
	return Fields(info), nil
}

// someErrors returns at most maxErrorKinds kinds, and always those about denied access.
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

// AccessLog returns ACL LOG: who was denied what, newest first.
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

// Fields parses an answer of INFO.
func Fields(info string) map[string]string {
	f := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			f[name] = value
		}
	}
	return f
}

// slowAsk reads the newest entry of the slow log in a pipeline with other commands. An entry contains the client's
// name, which may be as long as any argument. After a long name or an error, the slow log is skipped for a number of
// pipelines; the other answers remain valid.
type slowAsk struct {
	node *Node
	cmd  *redis.SlowLogCmd // nil if the slow log is skipped
}

const (
	longName = 64 << 10 // bytes of a client's name from which on the log is skipped
	slowRest = 64       // how many pipelines skip the log
)

// askSlow adds the command to a pipeline. It must be the last one.
func (n *Node) askSlow(ctx context.Context, pipe redis.Pipeliner) slowAsk {
	if n.slowRest.Add(-1) >= 0 {
		return slowAsk{node: n}
	}
	return slowAsk{n, pipe.SlowLogGet(ctx, 1)}
}

// newest returns the newest entry, or the last one that was read. Its ID is -1 if there is none.
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
