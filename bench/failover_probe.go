package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	retryPause = 2 * time.Millisecond   // between two tries of a client that lost its server
	writePace  = 500 * time.Microsecond // between two writes, so that the client leaves the cores to the servers
	steadyRun  = 20                     // writes on one connection that count as being served
	trialLimit = 2 * time.Minute        // of one trial; the default of sentinel takes half a minute
	trialPoll  = 20 * time.Millisecond  // between two looks at whether all is back
	probeKey   = "bench:failover:"      // begins the key of a trial's writes
)

// probe is one TLS client that writes numbers, and never gives up. Its methods but run may be called while it runs.
type probe struct {
	access
	// primary says where to write. After a failure it is asked again before each try.
	primary func(ctx context.Context) (netip.AddrPort, error)

	mu       sync.Mutex
	conn     *redisConn
	address  netip.AddrPort // of it
	trial    int
	acked    []ack // of the trial
	streak   int   // writes on the present connection
	failures int   // since it began
}

type ack struct {
	number int
	at     time.Time
}

// run writes until ctx ends.
func (p *probe) run(ctx context.Context) {
	defer p.drop()
	for number := 0; ctx.Err() == nil; number++ {
		pause := writePace
		if err := p.write(ctx, number); err != nil {
			p.drop()
			pause = retryPause
		}
		if rest(ctx, pause) != nil {
			return
		}
	}
}

// write connects if need be, and has one number acknowledged.
func (p *probe) write(ctx context.Context, number int) error {
	p.mu.Lock()
	c, key := p.conn, probeKey+strconv.Itoa(p.trial)
	trial := p.trial
	p.mu.Unlock()
	if c == nil {
		address, err := p.primary(ctx)
		if err != nil {
			return err
		}
		if c, err = p.connect(ctx, address, answerLimit); err != nil {
			return err
		}
		p.mu.Lock()
		p.conn, p.address, p.streak = c, address, 0
		p.mu.Unlock()
	}
	if _, err := c.do(answerLimit, "SADD", key, strconv.Itoa(number)); err != nil {
		return err
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.streak++
	if trial == p.trial {
		p.acked = append(p.acked, ack{number, now})
	}
	return nil
}

// drop gives the connection up: the client's own doing, or because it was told of another primary.
func (p *probe) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.conn.Close() // an error is what ended it
		p.conn = nil
		p.failures++
	}
}

// begin begins a trial: what was acknowledged before no longer counts.
func (p *probe) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trial++
	p.acked = nil
}

// served waits until the client has written for a while on one connection, a new one after that many failures.
func (p *probe) served(ctx context.Context, failures int) error {
	for {
		p.mu.Lock()
		ok := p.conn != nil && p.streak >= steadyRun && len(p.acked) >= steadyRun && p.failures > failures
		p.mu.Unlock()
		if ok {
			return nil
		}
		if rest(ctx, retryPause) != nil {
			return errors.New("the client was not served again")
		}
	}
}

func (p *probe) failed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures
}

// at is where the client is connected to, or zero.
func (p *probe) at() netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return netip.AddrPort{}
	}
	return p.address
}

func (p *probe) acknowledged() []ack {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.acked)
}

// outcome is what one failover did to the client.
type outcome struct {
	gap  time.Duration // the longest between two acknowledged writes
	lost int           // acknowledged writes that are not there afterwards
	of   int           // acknowledged writes
}

// observe runs one trial: the client writes, harm is done, and recovered returns when all is back.
func (p *probe) observe(ctx context.Context, harm, recovered func(context.Context) error) (o outcome, err error) {
	ctx, cancel := context.WithTimeout(ctx, trialLimit)
	defer cancel()
	p.begin()
	if err := p.served(ctx, -1); err != nil {
		return o, err
	}
	failures := p.failed()
	if err := harm(ctx); err != nil {
		return o, err
	}
	if err := p.served(ctx, failures); err != nil {
		return o, err
	}
	if err := recovered(ctx); err != nil {
		return o, err
	}
	all := p.acknowledged()
	o.gap, o.of = longestGap(all), len(all)
	o.lost, err = p.missing(ctx, all)
	return o, err
}

func longestGap(all []ack) (longest time.Duration) {
	for i := 1; i < len(all); i++ {
		longest = max(longest, all[i].at.Sub(all[i-1].at))
	}
	return longest
}

// missing counts the acknowledged writes that the primary does not have, and removes them all.
func (p *probe) missing(ctx context.Context, all []ack) (int, error) {
	p.mu.Lock()
	key := probeKey + strconv.Itoa(p.trial)
	p.mu.Unlock()
	address, err := p.primary(ctx)
	if err != nil {
		return 0, err
	}
	answer, err := p.once(ctx, address, "SMEMBERS", key)
	if err != nil {
		return 0, err
	}
	members, err := texts(answer)
	if err != nil {
		return 0, err
	}
	_, err = p.once(ctx, address, "UNLINK", key)
	return lost(all, members), err
}

func lost(all []ack, members []string) (n int) {
	there := map[string]bool{}
	for _, m := range members {
		there[m] = true
	}
	for _, a := range all {
		if !there[strconv.Itoa(a.number)] {
			n++
		}
	}
	return n
}

// rest waits for d, or returns why it could not.
func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until asks again and again until the answer is yes.
func until(ctx context.Context, what string, pause time.Duration, yes func() (bool, error)) error {
	for {
		ok, err := yes()
		if err != nil || ok {
			return err
		}
		if rest(ctx, pause) != nil {
			return fmt.Errorf("still not after %s: %s", trialLimit, what)
		}
	}
}
