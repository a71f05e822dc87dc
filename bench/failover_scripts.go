package main

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

const (
	scriptSpan  = 4 * time.Second // a server that runs one answers nobody else meanwhile
	peerScripts = 3
	busyScript  = `local function now() local t = redis.call('TIME') return t[1] + t[2] / 1e6 end
		local begin = now() while now() - begin < tonumber(ARGV[1]) do end return redis.call('INCR', KEYS[1])`
)

// busy runs a script of that length on a primary.
func (a access) busy(ctx context.Context, address netip.AddrPort, span time.Duration) error {
	c, err := a.connect(ctx, address, trialLimit)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.do(trialLimit, "EVAL", busyScript, "1", "bench:busy", strconv.FormatFloat(span.Seconds(), 'f', 3, 64))
	return err
}

// scripted is what long scripts did.
type scripted struct {
	scripts, failovers, broken int // a broken script did not end with its answer
}

// scripts keeps larder's primary busy for as long as asked.
func (c *contender) scripts(ctx context.Context, span time.Duration) (r scripted, err error) {
	before, primary, err := c.look(ctx)
	if err != nil {
		return r, err
	}
	for deadline := time.Now().Add(span); r.scripts == 0 || time.Now().Before(deadline); {
		r.scripts++
		broken := c.probe.busy(ctx, c.group.primary, scriptSpan)
		if broken != nil {
			r.broken++
		}
		after, now, err := c.look(ctx)
		if err != nil {
			return r, err
		}
		if after.Nodes[now].ID != before.Nodes[primary].ID || after.Nodes[now].PID != before.Nodes[primary].PID {
			r.failovers++
		} else if broken != nil {
			return r, fmt.Errorf("a script was broken without a failover: %w", broken)
		}
		before, primary = after, now
	}
	return r, c.whole("")(ctx)
}

// scripts does the same to servers that sentinels watch, a few times.
func (w *watchedServers) scripts(ctx context.Context) (r scripted, err error) {
	for range peerScripts {
		at, err := w.ready(ctx)
		if err != nil {
			return r, err
		}
		old := w.servers[at]
		r.scripts++
		broken := w.probe.busy(ctx, old.address, scriptSpan)
		if broken != nil {
			r.broken++
		}
		now, err := w.believed(ctx)
		if err != nil {
			return r, err
		}
		if now[0] == old.address && broken != nil {
			return r, fmt.Errorf("a script was broken without a failover: %w", broken)
		}
		if now[0] == old.address {
			continue
		}
		r.failovers++
		promoted, err := w.switched(ctx, old)
		if err != nil {
			return r, err
		}
		if err := old.follow(ctx, promoted); err != nil {
			return r, err
		}
		if err := w.agreed(ctx); err != nil {
			return r, err
		}
	}
	return r, nil
}

func scriptsSection(span time.Duration, larder, peer scripted) section {
	s := section{
		title: "A busy primary is not a dead one",
		how: fmt.Sprintf("Lua scripts that compute for %s each, one after the other on the primary, for %s (`-scripts`). "+
			"A script is broken when its client did not get its answer.", scriptSpan, span),
		goals: []string{goal(larder.failovers == 0, "no failover while scripts run")},
		table: table{{"", "scripts", "failovers", "broken scripts"}},
	}
	for i, r := range []scripted{larder, peer} {
		s.table.add([]string{"larder", fastest.name}[i], fmt.Sprint(r.scripts), fmt.Sprint(r.failovers),
			fmt.Sprint(r.broken))
	}
	return s
}
