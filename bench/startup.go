package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// How long `larder up` of the production example may take.
const (
	upWanted      = 2.0 // seconds, with an engine
	nothingWanted = 3.0 // seconds, without
)

// startup compares `larder up` with starting the same redis-servers by hand.
func (b *bench) startup(ctx context.Context) (_ []section, err error) {
	bare, err := b.newBareServers("by-hand", anywhere)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.close(ctx)) }()
	var nothing, up, hand sample
	for round := range b.rounds {
		b.say("start-up: round %d of %d", round+1, b.rounds)
		n, u, set, err := b.upTwice(ctx, fmt.Sprintf("startup-%d", round))
		if err != nil {
			return nil, err
		}
		h, err := bare.byHand(ctx, set)
		if err != nil {
			return nil, err
		}
		nothing, up, hand = append(nothing, n), append(up, u), append(hand, h)
	}
	seconds := decimals(3)
	return []section{{
		title: "`larder up` of the production example",
		how: "From starting the command to its end: a primary and two replicas are in sync and answer over TLS, both " +
			"endpoints serve. Beside it the same three redis-servers, started side by\n" +
			"side with the same configuration and certificates, two told to follow the third as soon as they listen, until " +
			"both links are up and all three answer PING over TLS.",
		goals: []string{
			goal(up.median() < upWanted, "less than %.0f s with the engine running", upWanted),
			goal(nothing.median() < nothingWanted, "less than %.0f s from nothing", nothingWanted),
		},
		table: table{
			{"", "seconds", "÷ by hand"},
			{"`larder up`, engine running", up.show(seconds), decimals(1)(ratio(up, hand))},
			{"`larder up`, no engine and no state", nothing.show(seconds), decimals(1)(ratio(nothing, hand))},
			{"three bare redis-servers by hand", hand.show(seconds), "1.0"},
		},
	}}, nil
}

// upTwice brings production up on a machine without an engine, and again with one, and says what its nodes' settings
// were.
func (b *bench) upTwice(ctx context.Context, name string) (nothing, up float64, set settings, err error) {
	d := b.newHarness(name, anywhere)
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	if nothing, _, err = d.timedUp(ctx, b.production); err != nil {
		return nothing, up, set, err
	}
	if err = d.destroy(ctx); err != nil {
		return nothing, up, set, err
	}
	up, set, err = d.timedUp(ctx, b.production)
	return nothing, up, set, errors.Join(err, d.destroy(ctx))
}

// timedUp returns the seconds that an up took, after a look at what it brought up.
func (d *harness) timedUp(ctx context.Context, path string) (float64, settings, error) {
	id, took, err := d.up(ctx, path)
	if err != nil {
		return 0, settings{}, err
	}
	g, err := d.group(ctx, id, true)
	if err != nil {
		return 0, settings{}, err
	}
	if len(g.nodes) != 3 {
		return 0, settings{}, fmt.Errorf("cannot compare: %s has %d nodes, want a primary and two replicas", id,
			len(g.nodes))
	}
	return took.Seconds(), g.settings, nil
}

// byHand starts a primary and two replicas, waits until they are in sync and answer, and returns the seconds that took.
func (s *bareServers) byHand(ctx context.Context, set settings) (float64, error) {
	begin := time.Now()
	servers, err := s.start(ctx, set, "by-hand-1", "by-hand-2", "by-hand-3")
	if err != nil {
		return 0, err
	}
	if err := s.replicate(ctx, servers); err != nil {
		return 0, err
	}
	all, pingCtx := errgroup.WithContext(ctx)
	for _, server := range servers {
		all.Go(func() error { return s.ping(pingCtx, server, set) })
	}
	err = all.Wait()
	took := time.Since(begin)
	return took.Seconds(), errors.Join(err, s.stop(ctx))
}
