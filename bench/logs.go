package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// What taking and searching log events may take, and how many there are.
const (
	ingestWanted  = 20_000.0 // events a second
	filterWanted  = 300.0    // ms over logEvents
	logEvents     = 1_000_000
	eventsOfBatch = 5000
	rareEvery     = 5000 // one event in so many has the word that is looked for
	rareWord      = "needle"
	logGroup      = "bench"
)

// logs puts a million events and looks for few of them. Beside it the same lines are appended to a file, which is made
// durable after each batch, as the engine's is; and grep looks through it.
func (b *bench) logs(ctx context.Context, d *harness) (_ section, err error) {
	config, err := d.config(nil)
	if err != nil {
		return section{}, err
	}
	api := cloudwatchlogs.NewFromConfig(config)
	if _, err := api.CreateLogGroup(ctx,
		&cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(logGroup)}); err != nil {
		return section{}, err
	}
	if _, err := api.CreateLogStream(ctx,
		&cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String(logGroup),
			LogStreamName: aws.String(logGroup)}); err != nil {
		return section{}, err
	}
	plain, err := os.Create(filepath.Join(b.dir, "events.log"))
	if err != nil {
		return section{}, err
	}
	defer func() { err = errors.Join(err, plain.Close()) }()
	begin := time.Now().Add(-time.Hour)
	var put, written sample // events a second, by batch
	for first := 0; first < logEvents; first += eventsOfBatch {
		if first%(logEvents/10) == 0 {
			b.say("logs: %d of %d events", first, logEvents)
		}
		events := batch(begin, first)
		start := time.Now()
		if _, err := api.PutLogEvents(ctx,
			&cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String(logGroup), LogStreamName: aws.String(logGroup),
				LogEvents: events}); err != nil {
			return section{}, err
		}
		middle := time.Now()
		if err := appendLines(plain, events); err != nil {
			return section{}, err
		}
		put = append(put, eventsOfBatch/middle.Sub(start).Seconds())
		written = append(written, eventsOfBatch/time.Since(middle).Seconds())
	}
	filter, grep, err := b.search(ctx, api, plain.Name())
	if err != nil {
		return section{}, err
	}
	return logsSection(put, written, filter, grep), nil
}

// batch is a request's events: lines as an engine log has them, a millisecond apart.
func batch(begin time.Time, first int) []types.InputLogEvent {
	events := make([]types.InputLogEvent, eventsOfBatch)
	for i := range events {
		n := first + i
		word := "accepted"
		if n%rareEvery == 0 {
			word = rareWord
		}
		at := begin.Add(time.Duration(n) * time.Millisecond)
		message := fmt.Sprintf(`{"CacheClusterId":"shop-prod-redis-%03d","CacheNodeId":"0001","LogLevel":"VERBOSE","Role":`+
			`"M","Message":"%s 10.0.%d.%d:%d"}`,
			n%3+1, word, n%251, n%241, 1024+n%60000)
		events[i] = types.InputLogEvent{Timestamp: aws.Int64(at.UnixMilli()), Message: &message}
	}
	return events
}

// appendLines makes a batch durable as plain lines.
func appendLines(f *os.File, events []types.InputLogEvent) error {
	w := bufio.NewWriter(f)
	for _, e := range events {
		if _, err := fmt.Fprintf(w, "%d %s\n", *e.Timestamp, *e.Message); err != nil {
			return err
		}
	}
	return errors.Join(w.Flush(), f.Sync())
}

// search looks for the rare word in all events.
func (b *bench) search(ctx context.Context, api *cloudwatchlogs.Client, plain string) (filter, grep sample, err error) {
	for round := range b.rounds {
		b.say("logs: search %d of %d", round+1, b.rounds)
		took, err := repeatedly(b.span, func() error {
			found := 0
			pages := cloudwatchlogs.NewFilterLogEventsPaginator(api,
				&cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(logGroup),
					FilterPattern: aws.String(rareWord)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				if err != nil {
					return err
				}
				found += len(page.Events)
			}
			return wantRare(found)
		})
		if err != nil {
			return nil, nil, err
		}
		filter = append(filter, took)
		took, err = repeatedly(b.span, func() error {
			out, err := output(exec.CommandContext(ctx, "grep", rareWord, plain))
			return errors.Join(err, wantRare(strings.Count(string(out), "\n")))
		})
		if err != nil {
			return nil, nil, err
		}
		grep = append(grep, took)
	}
	return filter, grep, nil
}

func wantRare(found int) error {
	if want := logEvents / rareEvery; found != want {
		return fmt.Errorf("found %d events, want %d", found, want)
	}
	return nil
}

func logsSection(put, written, filter, grep sample) section {
	return section{
		title: "Log events",
		how: fmt.Sprintf("PutLogEvents of %s events by the Go SDK, in batches of %s, one at a time, each durable and "+
			"sealed when it is answered; the median batch. FilterLogEvents looks for a word that %d of\n"+
			"them have, all pages. Beside it the same lines, appended to a plain file with an fsync after each batch, and "+
			"grep over that file.",
			whole(logEvents), whole(eventsOfBatch), logEvents/rareEvery),
		goals: []string{
			goal(put.median() >= ingestWanted, "at least %s events a second", whole(ingestWanted)),
			goal(filter.median() < filterWanted, "FilterLogEvents over %s events in less than %.0f ms",
				whole(logEvents), filterWanted),
		},
		table: table{
			{"", "larder", "plain file", "÷"},
			{"events a second", put.show(whole), written.show(whole), decimals(3)(ratio(put, written))},
			{"search, ms", filter.show(whole), grep.show(whole), decimals(1)(ratio(filter, grep))},
		},
	}
}
