package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// quietEnough is the part of the cores' time that others may take from a load before its round is repeated.
const quietEnough = 0.08

// result is what one target of a contest showed.
type result struct {
	rates sample
	cpu   sample // µs per request
}

// round holds one load on each target.
type round struct {
	loads  []measured
	others float64 // what others took from the load that they took most from
}

// compete puts the same workload on every target in turn, round by round, each round beginning with another one, so
// that whatever else the machine does hits all alike. Rounds in which others worked are repeated as long as patience
// lasts, and the quietest count.
func (b *bench) compete(ctx context.Context, w workload, targets ...target) ([]round, error) {
	requests, err := b.calibrate(ctx, w, targets[len(targets)-1])
	if err != nil {
		return nil, err
	}
	var rounds []round
	for quiet := 0; quiet < b.rounds; {
		begin := time.Now()
		r := round{loads: make([]measured, len(targets))}
		for i := range targets {
			at := (len(rounds) + i) % len(targets)
			if r.loads[at], err = targets[at].load(ctx, w, requests, b.cores); err != nil {
				return nil, err
			}
			r.others = max(r.others, r.loads[at].others)
		}
		rounds = append(rounds, r)
		if r.others > quietEnough && b.patience > 0 {
			b.patience -= time.Since(begin)
		} else {
			quiet++
		}
	}
	slices.SortStableFunc(rounds, func(a, b round) int { return cmp.Compare(a.others, b.others) })
	return rounds[:b.rounds], nil
}

// calibrate finds how many requests take the span of one load. It warms up as well.
func (b *bench) calibrate(ctx context.Context, w workload, t target) (int, error) {
	requests := 5000 * w.pipeline
	m, err := t.load(ctx, w, requests, b.cores)
	return max(requests, int(m.rate*b.span.Seconds())), err
}

// results sorts rounds by target.
func results(rounds []round) []result {
	all := make([]result, len(rounds[0].loads))
	for _, r := range rounds {
		for i, m := range r.loads {
			all[i].rates = append(all[i].rates, m.rate)
			all[i].cpu = append(all[i].cpu, float64(m.cpu)/float64(time.Microsecond))
		}
	}
	return all
}

// ratio compares the medians of two samples.
func ratio(a, b sample) float64 { return a.median() / b.median() }

// showRatio prints it, with the least and the greatest of single rounds.
func showRatio(a, b sample) string {
	var each sample
	for i := range a {
		each = append(each, a[i]/b[i])
	}
	three := decimals(3)
	return fmt.Sprintf("%s (%s … %s)", three(ratio(a, b)), three(slices.Min(each)), three(slices.Max(each)))
}
