// Command bench measures larder against something that runs beside it in the same minute, and writes what it found as Markdown.
// Everything is on loopback, in a temporary directory, and gone when it ends.
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
	"syscall"
	"time"
)

// runLimit ends a run that hangs; the default one takes five minutes.
const runLimit = 15 * time.Minute

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
	production := flags.String("production", "examples/production", "directory of the module call with a primary and two replicas")
	out := flags.String("out", "", "also write the result to this file")
	rounds := flags.Int("rounds", 13, "rounds of each measurement; figures are medians over them")
	span := flags.Duration("span", 400*time.Millisecond, "how long one load lasts, about")
	patience := flags.Duration("patience", 60*time.Second, "how long, in all, to repeat rounds in which other processes were busy")
	quick := flags.Bool("quick", false, "two short rounds: shows that everything works, the figures mean little")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		*rounds, *span, *patience = 2, 200*time.Millisecond, 0
	}
	if *rounds < 1 || *span <= 0 || flags.NArg() > 0 {
		return fmt.Errorf("cannot run %d rounds of %s with the arguments %q: want at least one round, a positive span, no arguments", *rounds, *span, flags.Args())
	}
	b := &bench{rounds: *rounds, span: *span, patience: *patience, production: *production, progress: os.Stderr}
	var err error
	if b.larder, err = filepath.Abs(*larder); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	var report bytes.Buffer
	if err := b.run(ctx, &report); err != nil {
		if ctx.Err() == context.DeadlineExceeded {
			return fmt.Errorf("not done after %s, the limit: take fewer -rounds or a shorter -span: %w", runLimit, err)
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

	dir   string // holds all that is written
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
	// The first needs every core; from then on servers and load have one each.
	var sections []section
	for _, measure := range []func(context.Context) ([]section, error){b.startup, b.terraform, b.engine, b.throughput} {
		found, err := measure(ctx)
		if err != nil {
			return err
		}
		sections = append(sections, found...)
	}
	m.took = time.Since(begin)
	return writeReport(report, m, b, sections)
}

// say writes a line of progress.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.progress, format+"\n", args...) }
