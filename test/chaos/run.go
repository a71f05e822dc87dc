// Package chaos proves what larder promises of a replication group by breaking it: a seeded schedule of faults is put
// on a group of real processes under load, and after each the group must be whole again and every acknowledged write
// accounted for.
//
// What is decided (the schedule, which writes are missing, whether two primaries took writes, whether a history is
// linearizable) is pure and has tests of its own; the rest runs it.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// linearPatience is how long the search for an order of a round's operations may take.
const linearPatience = time.Minute

// warmUp is how many acknowledged writes there must be before a fault's pause begins.
const warmUp = 20

// Config is what a run works with. Every field is needed.
type Config struct {
	Program string // path of test/chaos/larder
	Dir     string // an empty directory
	Faults  []Fault
	Say     func(format string, args ...any)
}

// run is one schedule on its way.
type run struct {
	*harness
	begin  time.Time
	report *Report
	ended  []Write // the last round's writes: the next round's terms must not overlap theirs
}

// Run puts a schedule on a group of its own. Broken promises are in the report, and the schedule goes on; the error is
// what ended it.
func Run(ctx context.Context, c Config) (_ *Report, err error) {
	report := &Report{}
	d, err := newHarness(ctx, c.Program, c.Dir, c.Say)
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\nthe engine's last words:\n%s", err, d.tail())
		}
		err = errors.Join(err, d.close())
	}()
	if err != nil {
		return report, err
	}
	c.Say("the disk is %s; %s", d.disk, d.clocks)
	r := &run{harness: d, begin: time.Now(), report: report}
	for i, f := range c.Faults {
		row, err := r.round(ctx, i, f)
		if err != nil {
			return report, fmt.Errorf("fault %d, %s: %w", i+1, f, err)
		}
		report.Rows = append(report.Rows, row)
		c.Say("%3d %s", i+1, row)
	}
	return report, nil
}

// round runs one fault under load and accounts for every write.
func (r *run) round(ctx context.Context, n int, f Fault) (Row, error) {
	before, since, unattended := r.group, time.Now(), r.unattended
	l := startLoad(ctx, r.harness, r.begin, n)
	row, err := r.suffer(ctx, l, f)
	seen := l.stop()
	if err != nil {
		return row, err
	}
	row.start = r.unattended - unattended
	if err := r.agree(ctx); err != nil {
		return row, err
	}
	lists, err := r.lists(ctx, n)
	if err != nil {
		return row, err
	}
	told, err := r.announced(ctx, since)
	if err != nil {
		return row, err
	}
	o := Outcome{Class: f.class(), Before: before.terms[0], After: r.group.terms[0], Struck: row.at, Announced: told}
	if r.struck.After(since) {
		o.Struck = r.struck.Sub(r.begin)
	}
	row.judge(o, seen, lists, r.ended)
	row.Broken = errors.Join(row.Broken, r.takeOnlyTokens(ctx))
	r.ended = seen.writes
	return row, r.forget(ctx, n)
}

// suffer injects a fault under load, and waits until the group is whole.
func (r *run) suffer(ctx context.Context, l *load, f Fault) (Row, error) {
	row := Row{Fault: f}
	err := await(ctx, settlePatience, "the writers write", func(context.Context) error {
		if n := l.acked.Load(); n < warmUp {
			return fmt.Errorf("there are %d acknowledged writes", n)
		}
		return nil
	})
	if err != nil {
		return row, err
	}
	if err := wait(ctx, f.Pause); err != nil {
		return row, err
	}
	if row.Lag, err = r.lag(ctx); err != nil {
		return row, err
	}
	row.at = l.now()
	if err := injections[f.Kind](ctx, r.harness, f); err != nil {
		return row, err
	}
	if err := r.settle(ctx); err != nil {
		return row, err
	}
	row.Recovery = l.now() - row.at
	return row, nil
}

// announced tells whether an event of that time says that a node began without the data that the group had.
func (r *run) announced(ctx context.Context, since time.Time) (bool, error) {
	api, err := r.api()
	if err != nil {
		return false, err
	}
	pages := elasticache.NewDescribeEventsPaginator(api, &elasticache.DescribeEventsInput{StartTime: aws.Time(since)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, e := range page.Events {
			if strings.Contains(aws.ToString(e.Message), "restarted without data") {
				return true, nil
			}
		}
	}
	return false, nil
}
