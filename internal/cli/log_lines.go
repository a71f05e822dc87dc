package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cachelog"
)

// lateness is by how much an event may come later than one that is newer: so far back is looked again.
const lateness = time.Minute

// errWrite is a failure to print, which looking again does not help.
var errWrite = errors.New("cannot write")

// logLine is what `logs --json` prints of an event.
type logLine struct {
	Time    time.Time `json:"time"`
	Node    string    `json:"node"`
	LogType string    `json:"log_type"`
	Group   string    `json:"log_group"`
	Stream  string    `json:"log_stream"`
	Message string    `json:"message"`

	event string // its id
}

// logReader reads what is new in the log groups of a replication group.
type logReader struct {
	id    string
	since time.Time
	seen  map[string]time.Time // events that were read, by id, and their time
	now   func() time.Time
	held  time.Time // until then since stays what it is
	// damaged are the log groups that some events are missing of, and told is called once for each.
	damaged map[string]bool
	told    func(group string)
}

// newLogReader begins to read what is of a replication group. told is called once for each log group of which events
// cannot be read.
func newLogReader(id string, since time.Time, now func() time.Time, told func(group string)) *logReader {
	return &logReader{
		id: id, since: since, seen: map[string]time.Time{}, now: now, damaged: map[string]bool{}, told: told,
	}
}

func incomplete(s types.SearchedLogStream) bool { return !aws.ToBool(s.SearchedCompletely) }

// missing notes that the engine could not read all events that were asked for.
func (r *logReader) missing(group string) {
	if !r.damaged[group] {
		r.damaged[group] = true
		r.told(group)
	}
}

// missed notes that the logs could not be looked at. What was logged meanwhile comes once they can be, one node's after
// another's.
func (r *logReader) missed() { r.held = r.now().Add(lateness) }

// read hands over the events that were not read before, in the order of their time. A log group that cannot be read
// does not keep back another's.
func (r *logReader) read(ctx context.Context, c *client, deliveries []ectypes.LogDeliveryConfiguration,
	write func(logLine) error) error {
	var lines []logLine
	var errs []error
	for _, d := range deliveries {
		group := logGroup(d)
		if group == "" {
			continue
		}
		more, err := r.fresh(ctx, c, string(d.LogType), group)
		errs = append(errs, err)
		lines = append(lines, more...)
	}
	slices.SortStableFunc(lines, func(a, b logLine) int { return a.Time.Compare(b.Time) })
	for _, l := range lines {
		if err := write(l); err != nil {
			return errors.Join(errWrite, err)
		}
		r.seen[l.event] = l.Time
		if l.Time.Add(-lateness).After(r.since) && r.now().After(r.held) {
			r.since = l.Time.Add(-lateness)
		}
	}
	for id, at := range r.seen {
		if at.Before(r.since) {
			delete(r.seen, id)
		}
	}
	return errors.Join(errs...)
}

// logGroup is the one that is delivered to; empty when the delivery goes elsewhere.
func logGroup(d ectypes.LogDeliveryConfiguration) string {
	if d.DestinationDetails == nil || d.DestinationDetails.CloudWatchLogsDetails == nil {
		return ""
	}
	return aws.ToString(d.DestinationDetails.CloudWatchLogsDetails.LogGroup)
}

// fresh reads a log group. Others than this replication group may deliver to it.
func (r *logReader) fresh(ctx context.Context, c *client, logType, group string) ([]logLine, error) {
	own := regexp.MustCompile(`^elasticache/redis/(` + regexp.QuoteMeta(r.id) + `-(?:\d{4}-)?\d{3})/\d{4}/` +
		regexp.QuoteMeta(logType) + `$`)
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(c.config),
		&cloudwatchlogs.FilterLogEventsInput{
			LogGroupName: &group, LogStreamNamePrefix: aws.String("elasticache/redis/" + r.id + "-"),
			StartTime: aws.Int64(r.since.UnixMilli()),
		})
	var lines []logLine
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot read the log group %s: %w", group, err)
		}
		if slices.ContainsFunc(page.SearchedLogStreams, incomplete) {
			r.missing(group)
		}
		for _, e := range page.Events {
			member := own.FindStringSubmatch(aws.ToString(e.LogStreamName))
			if _, known := r.seen[aws.ToString(e.EventId)]; known || member == nil {
				continue
			}
			at := time.UnixMilli(aws.ToInt64(e.Timestamp)).UTC()
			lines = append(lines, logLine{at, member[1], logType, group, aws.ToString(e.LogStreamName),
				aws.ToString(e.Message), aws.ToString(e.EventId)})
		}
	}
	return lines, nil
}

// logLines prints events: each as an object, or as its time and its record in text.
func (t *tool) logLines() func(logLine) error {
	if t.json {
		e := json.NewEncoder(t.Stdout)
		e.SetEscapeHTML(false)
		return func(l logLine) error { return e.Encode(l) }
	}
	coloured := t.coloured()
	return func(l logLine) error {
		return t.Stdout.line(l.spans(), 0, coloured)
	}
}

// warning is how the engine marks a line in text.
var warning = regexp.MustCompile(`^\S+ \d{2} \w{3} \d{4} \S+ UTC # `)

func (l logLine) spans() line {
	text := strings.TrimRight(cachelog.Text(l.Message), "\r\n")
	shown := span{text, uncoloured}
	if warning.MatchString(text) {
		shown.colour = yellow
	}
	return line{{l.Time.Format("2006-01-02T15:04:05.000Z"), green}, {"  ", uncoloured}, shown}
}
