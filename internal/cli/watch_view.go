package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/smithy-go"

	"larder/internal/doctor"
	"larder/internal/event"
)

// view is what there is to see at one moment.
type view struct {
	groups   []groupStatus
	events   []listedEvent         // the last ones, oldest first
	damage   []doctor.Damage       // what of the engine's cannot be read
	warnings []doctor.GroupWarning // of the groups, the worst first
}

// listedEvent is an entry of the event list.
type listedEvent struct {
	Time    time.Time `json:"time"`
	Source  string    `json:"source"`
	Message string    `json:"event"`
}

const (
	eventsShown = 100     // are kept
	eventsPast  = 24 * 60 // minutes that the first look goes back
)

// eye looks at an engine again and again. It finds it again after a restart, and reads only the events that are new.
type eye struct {
	connect func(context.Context) (*client, error)
	ids     []string // of the groups; none for all

	engine *client
	events []listedEvent

	losses   map[string][]loss // of the groups' regions
	lossesAt time.Time         // when they were read
}

// lossesStay is for how long losses are not read again where no event tells of one: they are told for a day.
const lossesStay = time.Minute

func (e *eye) look(ctx context.Context) (v view, err error) {
	if e.engine == nil {
		if e.engine, err = e.connect(ctx); err != nil {
			return v, err
		}
	}
	defer func() {
		var refused smithy.APIError
		if err != nil && !errors.As(err, &refused) { // the next engine may listen elsewhere
			e.engine = nil
		}
	}()
	if v.damage, err = e.engine.damage(ctx); err != nil {
		return v, err
	}
	if v.groups, err = e.engine.statuses(ctx, e.ids); err != nil {
		return v, err
	}
	latest, err := e.engine.events(ctx, e.latest())
	fresh := unknown(e.events, slices.DeleteFunc(latest, func(ev listedEvent) bool { return !e.concerns(ev) }))
	e.events = merge(e.events, fresh)
	v.events = e.events
	if err == nil {
		v.warnings, err = e.warnings(ctx, v.groups, fresh)
	}
	return v, err
}

// warnings are those of the groups. Events of the last day are read again for losses only where a fresh one tells of a
// loss, a group is in a region that was not looked at, or they were read a while ago.
func (e *eye) warnings(ctx context.Context, groups []groupStatus, fresh []listedEvent) ([]doctor.GroupWarning, error) {
	stale := time.Since(e.lossesAt) > lossesStay ||
		slices.ContainsFunc(groups, func(g groupStatus) bool { _, read := e.losses[g.Region]; return !read }) ||
		slices.ContainsFunc(fresh, func(ev listedEvent) bool { _, lost := event.LostWith(ev.Message); return lost })
	if stale {
		losses, err := e.engine.lossesOf(ctx, groups)
		if err != nil {
			return nil, err
		}
		e.losses, e.lossesAt = losses, time.Now()
	}
	return warningsOf(groups, e.losses)
}

// latest is the time of the newest event that is known, or zero.
func (e *eye) latest() time.Time {
	if len(e.events) == 0 {
		return time.Time{}
	}
	return e.events[len(e.events)-1].Time
}

// memberSuffix makes a member's id from its group's, without and with cluster mode.
var memberSuffix = regexp.MustCompile(`^(-\d{4})?(-\d{3})?$`)

func (e *eye) concerns(ev listedEvent) bool {
	return len(e.ids) == 0 || slices.ContainsFunc(e.ids, func(id string) bool {
		rest, ok := strings.CutPrefix(ev.Source, id)
		return ok && memberSuffix.MatchString(rest)
	})
}

// merge appends the events that are not known yet, and keeps as many as are shown.
func merge(known, latest []listedEvent) []listedEvent {
	all := slices.Concat(known, unknown(known, latest))
	return all[max(0, len(all)-eventsShown):]
}

// unknown returns those of the latest events that are not known yet. Several may have one time: the API's has
// milliseconds.
func unknown(known, latest []listedEvent) []listedEvent {
	return slices.DeleteFunc(slices.Clone(latest), func(e listedEvent) bool {
		return slices.ContainsFunc(known,
			func(k listedEvent) bool {
				return k.Time.Equal(e.Time) && k.Source == e.Source && k.Message == e.Message
			})
	})
}

// events returns what happened to groups and nodes since then, oldest first; with a zero time, in the last day.
func (c *client) events(ctx context.Context, since time.Time) (all []listedEvent, err error) {
	clients, err := c.each(ctx)
	if err != nil {
		return nil, err
	}
	for _, regional := range clients {
		here, err := regional.eventsHere(ctx, since)
		if err != nil {
			return nil, err
		}
		all = append(all, here...)
	}
	slices.SortStableFunc(all, func(a, b listedEvent) int { return a.Time.Compare(b.Time) })
	return all, nil
}

// eventsHere are those of the client's region.
func (c *client) eventsHere(ctx context.Context, since time.Time) ([]listedEvent, error) {
	in := &elasticache.DescribeEventsInput{MaxRecords: aws.Int32(eventsShown)}
	if since.IsZero() {
		in.Duration = aws.Int32(eventsPast)
	} else {
		in.StartTime = &since
	}
	page, err := c.cache.DescribeEvents(ctx, in)
	if err != nil {
		return nil, err
	}
	var all []listedEvent
	for _, ev := range slices.Backward(page.Events) { // the newest come first
		if ev.SourceType == ectypes.SourceTypeReplicationGroup || ev.SourceType == ectypes.SourceTypeCacheCluster {
			all = append(all, listedEvent{aws.ToTime(ev.Date), aws.ToString(ev.SourceIdentifier), aws.ToString(ev.Message)})
		}
	}
	return all, nil
}

// change is one thing that is not as it was.
type change struct {
	Source string `json:"source"` // a group or a node
	Field  string `json:"field"`
	From   string `json:"from"` // empty for what is new
	To     string `json:"to"`   // empty for what is gone
}

func (c change) String() string {
	switch {
	case c.From == "":
		return fmt.Sprintf("%s  %s: %s", c.Source, c.Field, c.To)
	case c.To == "":
		return fmt.Sprintf("%s  %s: %s → none", c.Source, c.Field, c.From)
	}
	return fmt.Sprintf("%s  %s: %s → %s", c.Source, c.Field, c.From, c.To)
}

// changes tells what differs between two looks. How many bytes a replica is behind differs all the time, and is left
// out.
func changes(before, after []groupStatus) []change {
	var all []change
	was, is := facts(before), facts(after)
	for _, f := range is {
		if old := find(was, f); old != f.To {
			all = append(all, change{f.Source, f.Field, old, f.To})
		}
	}
	for _, f := range was {
		if f.To != "" && !slices.ContainsFunc(is,
			func(i change) bool { return i.Source == f.Source && i.Field == f.Field }) {
			all = append(all, change{f.Source, f.Field, f.To, ""})
		}
	}
	return all
}

// facts spells groups as changes from nothing.
func facts(groups []groupStatus) []change {
	var all []change
	for _, g := range groups {
		id := g.ID + g.where
		all = append(all, change{id, "status", "", g.Status}, change{id, "reason", "", g.Reason},
			change{id, "primary endpoint", "", g.Primary}, change{id, "reader endpoint", "", g.Reader})
		for _, n := range g.Nodes {
			id := n.ID + g.where
			all = append(all, change{id, "role", "", n.Role}, change{id, "status", "", n.Status},
				change{id, "link", "", n.Link}, change{id, "process", "", processID(n.PID)})
		}
	}
	return all
}

func processID(pid int) string {
	if pid == 0 {
		return ""
	}
	return strconv.Itoa(pid)
}

func find(facts []change, like change) string {
	for _, f := range facts {
		if f.Source == like.Source && f.Field == like.Field {
			return f.To
		}
	}
	return ""
}
