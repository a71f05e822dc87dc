package logdelivery

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go"

	"larder/internal/cache"
	"larder/internal/cachelog"
)

// route delivers the logs of one replication group.
type route struct {
	*Shipper
	running Running
	end     context.CancelFunc
	grown   chan struct{}                  // a slow log has
	gone    atomic.Bool                    // the group is
	group   atomic.Pointer[cache.Topology] // as it was last read: to be read only

	mu     sync.Mutex // held while logs are delivered
	tracks map[trackKey]track

	unread map[trackKey]int // how often in a row a log could not be read

	checked time.Time // the log groups, the last time
}

type trackKey struct{ member, logType string }

// track is how far one log of one node has been delivered.
type track interface {
	// grown tells, for little, whether there may be something new.
	grown(running *Node) bool
	// ship delivers what is new. The error is a deliveryError where the log group is what fails.
	ship(ctx context.Context, to cache.LogDelivery, running *Node) error
	// forget has the log group forget the source, which will not be read again.
	forget(to cache.LogDelivery) error
}

// deliveryError is a failure of a log group, not of a node.
type deliveryError struct{ error }

func (e deliveryError) Unwrap() error { return e.error }

func newRoute(s *Shipper, running Running, g cache.Topology) *route {
	r := &route{Shipper: s, running: running, grown: make(chan struct{}, 1), tracks: map[trackKey]track{},
		unread: map[trackKey]int{}}
	r.group.Store(&g)
	return r
}

func (r *route) wakeUp() {
	select {
	case r.grown <- struct{}{}:
	default: // it is about to look
	}
}

// run delivers until ctx ends.
func (r *route) run(ctx context.Context) {
	for {
		g := r.group.Load()
		err := r.guard.Do("the logs of "+g.ID, func() error {
			if failures := r.ship(ctx, g, everyMember, false); ctx.Err() == nil {
				r.report(g, failures)
			}
			return nil
		})
		if err != nil {
			r.Logger.Error("cannot deliver a group's logs", "group", g.ID, "error", err)
		}
		// All routes look at the same moments: many looks at once cost a fraction of as many one by one.
		select {
		case <-time.After(pollTime - time.Duration(time.Now().UnixNano())%pollTime):
		case <-r.grown:
		case <-ctx.Done():
			if r.gone.Load() {
				r.forget()
			}
			return
		}
	}
}

// forget has the log groups forget the nodes of a group that is gone.
func (r *route) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tidy(&cache.Topology{ReplicationGroup: r.group.Load().ReplicationGroup})
}

func everyMember(cache.Member) bool { return true }

// ship delivers what is new in the logs of some members, for the last time also where nothing is known to be new, and
// returns the failures of log groups, by log type, and of nodes whose logs could not be read for long. Nodes do not
// wait for each other.
func (r *route) ship(ctx context.Context, g *cache.Topology, some func(cache.Member) bool,
	last bool) map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tidy(g)
	failures, unread := map[string]error{}, map[string]error{}
	r.check(g, failures)
	running := r.running(g.ID)
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, m := range g.Members() {
		if !some(*m) {
			continue
		}
		node := find(running, m.ID)
		grown := map[trackKey]track{}
		for _, d := range g.LogDeliveries {
			key := trackKey{m.ID, d.LogType}
			if t := r.track(key); last || t.grown(node) {
				grown[key] = t
			}
		}
		if len(grown) == 0 {
			continue
		}
		failed := func(d cache.LogDelivery) bool {
			mu.Lock()
			defer mu.Unlock()
			return failures[d.LogType] != nil
		}
		shipOne := func(d cache.LogDelivery) {
			key := trackKey{m.ID, d.LogType}
			item := fmt.Sprintf("the %s of %s", d.LogType, m.ID)
			err := r.guard.Do(item, func() error { return grown[key].ship(ctx, d, node) })
			mu.Lock()
			defer mu.Unlock()
			r.outcome(ctx, key, err, failures, unread)
		}
		all.Go(func() {
			r.guard.Run(r.Logger, "the logs of "+m.ID, func() {
				for _, d := range g.LogDeliveries {
					if grown[trackKey{m.ID, d.LogType}] != nil && !failed(d) {
						shipOne(d)
					}
				}
			})
		})
	}
	all.Wait()
	maps.Copy(unread, failures) // these matter more
	return unread
}

// check looks whether the log groups take events, also when there is nothing to deliver: now and then, and while one is
// known not to.
func (r *route) check(g *cache.Topology, failures map[string]error) {
	well := !slices.ContainsFunc(g.LogDeliveries,
		func(d cache.LogDelivery) bool { return d.Status != cache.LogsActive })
	if well && time.Since(r.checked) < checkTime {
		return
	}
	r.checked = time.Now()
	for _, d := range g.LogDeliveries {
		if _, err := r.Destination.Delivered(d.Name, ""); err != nil {
			failures[d.LogType] = err
		}
	}
}

// maxUnread is how often in a row a log may not be readable, about every second, before that is a failure of its
// delivery.
const maxUnread = 20

// outcome keeps the failure of a log group, and that of a node that fails for long. Before, that is a matter of the
// node's own: it is asked again, and the engine sees to it.
func (r *route) outcome(ctx context.Context, log trackKey, err error, failures, unread map[string]error) {
	destination, skipped := deliveryError{}, skippedError{}
	switch {
	case errors.As(err, &destination):
		failures[log.logType] = destination.error
		return
	case errors.As(err, &skipped):
		r.Logger.Warn("entries of a log are not delivered", "node", log.member, "log", log.logType, "error", err)
		fallthrough
	case err == nil:
		delete(r.unread, log)
		return
	case ctx.Err() != nil:
		return
	}
	r.unread[log]++
	level := slog.LevelDebug
	if r.unread[log] == maxUnread {
		level = slog.LevelWarn
	}
	r.Logger.Log(ctx, level, "cannot read the log of a node", "node", log.member, "log", log.logType, "times",
		r.unread[log], "error", err)
	if r.unread[log] >= maxUnread {
		unread[log.logType] = unreadError{log.member, err}
	}
}

// unreadError says that the log of a node cannot be read.
type unreadError struct {
	member string
	error
}

func (e unreadError) Unwrap() error { return e.error }

func find(running []Node, id string) *Node {
	at := slices.IndexFunc(running, func(n Node) bool { return n.ID == id })
	if at < 0 {
		return nil
	}
	return &running[at]
}

func (r *route) track(key trackKey) track {
	if r.tracks[key] == nil {
		s := sink{r.Destination, cachelog.Stream(key.member, key.logType), key.member}
		if key.logType == cachelog.SlowLog {
			r.tracks[key] = &slowTrack{sink: s, last: -1}
		} else {
			r.tracks[key] = &engineTrack{sink: s, logs: r.EngineLogs}
		}
	}
	return r.tracks[key]
}

// tidy forgets the tracks of deliveries that ended and of members that are gone.
func (r *route) tidy(g *cache.Topology) {
	for key, t := range r.tracks {
		at := slices.IndexFunc(g.LogDeliveries, func(d cache.LogDelivery) bool { return d.LogType == key.logType })
		if at >= 0 && g.Member(key.member) != nil {
			continue
		}
		delete(r.tracks, key)
		delete(r.unread, key)
		if at < 0 {
			continue // a later delivery to the same log group goes on where this one ended
		}
		if err := t.forget(g.LogDeliveries[at]); err != nil {
			r.Logger.Debug("cannot have a log group forget a node that is gone", "node", key.member, "log", key.logType,
				"error", err)
		}
	}
}

// sink is where the records of one log go.
type sink struct {
	Destination
	stream, member string
}

// put delivers events. The mark says how far the source is delivered with them.
func (s sink) put(to cache.LogDelivery, source string, mark uint64, events []Event) error {
	err := s.Deliver(to.Name, Delivery{Stream: s.stream, Events: events, Source: source, Mark: mark})
	if err != nil {
		return deliveryError{err}
	}
	return nil
}

// delivered is how far a source is delivered.
func (s sink) delivered(to cache.LogDelivery, source string) (uint64, error) {
	mark, err := s.Delivered(to.Name, source)
	if err != nil {
		return 0, deliveryError{err}
	}
	return mark, nil
}

func (s sink) source(to cache.LogDelivery) cachelog.Source {
	return cachelog.Source{CacheClusterID: s.member, JSON: to.Format == "json"}
}

// since tells whether a record was made when the delivery was on already. Entries of the slow log have whole seconds.
func since(to cache.LogDelivery, at time.Time) bool {
	return !at.Before(to.Since.Truncate(time.Second))
}

// reason words a failure of a log group for the API's Message.
func reason(d cache.LogDelivery, err error) string {
	if unread := (unreadError{}); errors.As(err, &unread) {
		return fmt.Sprintf("Cannot read the log of the node %s: %s", unread.member, unread.error)
	}
	text := err.Error()
	if api := smithy.APIError(nil); errors.As(err, &api) {
		text = api.ErrorMessage()
	}
	return fmt.Sprintf("Cannot deliver to the log group %s: %s", d.Name, text)
}
