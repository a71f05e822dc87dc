// Command bench measures larder against something that runs beside it in the same minute, and writes what it found as
// Markdown. Everything is on loopback, in a temporary directory, and gone when it ends.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// runLimit ends a run that hangs; the default one takes ten minutes. Long scripts, which take as long as asked, come on
// top.
const runLimit = 20 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("interrupted, and nothing was written: %w", err)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == answerCommand {
		return answer(os.Stdin, os.Stdout)
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	larder := flags.String("larder", "./larder", "the larder program to measure")
	production := flags.String("production", "examples/production",
		"directory of the module call with a primary and two replicas")
	out := flags.String("out", "", "also write the result to this file")
	rounds := flags.Int("rounds", 13, "rounds of each measurement; figures are medians over them")
	span := flags.Duration("span", 400*time.Millisecond, "how long one load lasts, about")
	patience := flags.Duration("patience", 60*time.Second,
		"how long, in all, to repeat rounds in which other processes were busy")
	only := flags.String("only", "",
		"measure only these, with commas between: startup, terraform, failover, engine, throughput, metrics, collect, ci")
	var plan failoverPlan
	flags.IntVar(&plan.trials, "trials", 100, "failovers of larder: kill -9, and planned")
	flags.IntVar(&plan.peers, "peer-trials", 40,
		"failovers of those that take seconds: hung primaries, and all of sentinel's")
	flags.IntVar(&plan.defaults, "default-trials", 3,
		"failovers of sentinel with its default setting: half a minute, all side by side")
	flags.IntVar(&plan.big, "big", 1024, "MiB of the data set that a replacement replica copies")
	flags.IntVar(&plan.watched, "watched", 200, "nodes that an idle engine watches")
	flags.DurationVar(&plan.scripts, "scripts", 30*time.Second, "how long to keep a primary busy with long scripts")
	quick := flags.Bool("quick", false, "two short rounds: shows that everything works, the figures mean little")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		*rounds, *span, *patience = 2, 200*time.Millisecond, 0
		plan = failoverPlan{trials: 4, peers: 4, defaults: 0, big: 64, watched: 20, scripts: 5 * time.Second}
	}
	if *rounds < 1 || *span <= 0 || flags.NArg() > 0 {
		return fmt.Errorf("cannot run %d rounds of %s with the arguments %q: want at least one round, a positive span, no "+
			"arguments", *rounds, *span, flags.Args())
	}
	if plan.trials < 1 || plan.peers < 1 || plan.defaults < 0 || plan.big < 1 || plan.watched < 1 || plan.scripts <= 0 {
		return fmt.Errorf("cannot run failovers as in %+v: want at least one of each, a positive time", plan)
	}
	b := &bench{rounds: *rounds, span: *span, patience: *patience, production: *production, progress: os.Stderr,
		failoverPlan: plan, only: *only}
	var err error
	if b.larder, err = filepath.Abs(*larder); err != nil {
		return err
	}
	limit := runLimit + plan.scripts
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var report bytes.Buffer
	if err := b.run(ctx, &report); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return fmt.Errorf("not done after %s, the limit: take fewer -rounds or a shorter -span: %w", limit, err)
		}
		return err
	}
	if _, err := os.Stdout.Write(report.Bytes()); err != nil || *out == "" {
		return err
	}
	return os.WriteFile(*out, report.Bytes(), 0o644)
}

// bench is one run.
type bench struct {
	larder     string // path of the program
	production string // path of the module call
	rounds     int
	span       time.Duration
	patience   time.Duration // left for repeating rounds that others disturbed
	progress   io.Writer
	only       string // names of measurements; empty for all
	failoverPlan

	dir   string       // holds all that is written
	bare  atomic.Int32 // places for bare servers so far
	cores cores
}

// run measures, and writes the report.
func (b *bench) run(ctx context.Context, report io.Writer) (err error) {
	begin := time.Now()
	if b.dir, err = os.MkdirTemp("", "larder-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.cores, err = ownCores(); err != nil {
		return err
	}
	m, err := describeMachine(ctx, b.cores)
	if err != nil {
		return err
	}
	sections, err := b.measureAll(ctx)
	if err != nil {
		return err
	}
	m.took = time.Since(begin)
	return writeReport(report, m, b, sections)
}

// measureAll returns the sections in the order of the report. The first four need every core; from then on servers and
// load have one each.
func (b *bench) measureAll(ctx context.Context) ([]section, error) {
	measurements := []struct {
		name string
		run  func(context.Context) ([]section, error)
		at   int // in the report
	}{{"startup", b.startup, 0}, {"ci", b.ci, 7}, {"terraform", b.terraform, 1}, {"failover", b.failovers, 4}, {"engine",
		b.engine,
		2}, {"throughput", b.throughput, 3},
		{"metrics", b.metrics, 5}, {"collect", b.collecting, 6}}
	chosen := strings.Split(b.only, ",")
	found := make([][]section, len(measurements))
	for _, m := range measurements {
		if b.only != "" && !slices.Contains(chosen, m.name) {
			continue
		}
		var err error
		if found[m.at], err = m.run(ctx); err != nil {
			return nil, err
		}
	}
	sections := slices.Concat(found...)
	if len(sections) == 0 {
		return nil, fmt.Errorf("cannot measure %q: there is startup, terraform, failover, engine, throughput, metrics, "+
			"collect and ci", b.only)
	}
	return sections, nil
}

// say writes a line of progress.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.progress, format+"\n", args...) }
