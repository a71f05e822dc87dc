package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	apiWanted      = 5000.0 // requests per second of CPU time
	memoryWanted   = 50.0   // MiB
	apiConnections = 8
	// idleSpan is how long the engine is watched with nothing to do.
	idleSpan = 5 * time.Second
)

// engine measures the API and the memory of an engine that runs production, on a core of its own.
func (b *bench) engine(ctx context.Context) (_ []section, err error) {
	if err := keepTo(b.cores.load); err != nil {
		return nil, err
	}
	here := onCore(b.cores.serve)
	d := b.newHarness("engine", here)
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	id, _, err := d.up(ctx, b.production)
	if err != nil {
		return nil, err
	}
	g, err := d.group(ctx, id, true)
	if err != nil {
		return nil, err
	}
	api, err := b.api(ctx, d, here)
	if err != nil {
		return nil, err
	}
	memory, err := b.memory(ctx, d, g, here)
	return []section{api, memory}, err
}

// apiResult is what one server of the API showed.
type apiResult struct {
	rate      sample // requests per second of CPU time
	wall      sample // requests per second
	p50, p99  sample // seconds, one request at a time
	pid       int
	connected request
}

// api compares DescribeReplicationGroups with an HTTP handler that answers the same bytes.
func (b *bench) api(ctx context.Context, d *harness, here launcher) (_ section, err error) {
	info, err := d.engine()
	if err != nil {
		return section{}, err
	}
	describe, err := describeGroups(ctx, info)
	if err != nil {
		return section{}, err
	}
	same, err := describe.once(ctx)
	if err != nil {
		return section{}, err
	}
	p, err := startPeer(here, same)
	if p != nil {
		defer func() { err = errors.Join(err, p.close()) }()
	}
	if err != nil {
		return section{}, err
	}
	larder := &apiResult{pid: info.PID, connected: describe}
	bare := &apiResult{pid: p.cmd.Process.Pid, connected: request{p.address, describe.wire}}
	for round := range b.rounds {
		b.say("API: round %d of %d", round+1, b.rounds)
		for _, r := range []*apiResult{larder, bare} {
			if err := r.measure(ctx, b.span); err != nil {
				return section{}, err
			}
		}
	}
	return apiSection(larder, bare, len(same.Body)), nil
}

// measure runs one round: many connections for the rate, then a single one for how long a request takes.
func (r *apiResult) measure(ctx context.Context, span time.Duration) error {
	before, err := cpuTime(r.pid)
	if err != nil {
		return err
	}
	begin := time.Now()
	all, err := r.connected.repeat(ctx, apiConnections, span)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	after, err := cpuTime(r.pid)
	if err != nil {
		return err
	}
	n := float64(len(all))
	r.rate, r.wall = append(r.rate, n/(after-before).Seconds()), append(r.wall, n/took.Seconds())
	one, err := r.connected.repeat(ctx, 1, span/2)
	r.p50, r.p99 = append(r.p50, one.quantile(0.50)), append(r.p99, one.quantile(0.99))
	return err
}

func apiSection(larder, bare *apiResult, size int) section {
	s := section{
		title: "DescribeReplicationGroups",
		how: fmt.Sprintf("One request, signed once and checked each time, on %d keep-alive connections, with production "+
			"running; the engine has one core. Requests per second of CPU time are requests by the\n"+
			"engine's own user and system time, so that neither the load nor the nodes on that core count. The answer has %s "+
			"bytes. Beside it a net/http handler in a process of its own that answers the\n"+
			"same bytes and does nothing else. Latency is that of one request at a time.", apiConnections,
			whole(float64(size))),
		goals: []string{goal(larder.rate.median() >= apiWanted, "at least %s requests per second of one core",
			whole(apiWanted))},
		table: table{{"", "requests/s of CPU time", "÷ net/http", "requests/s", "p50, µs", "p99, µs"}},
	}
	micros := func(f float64) string { return whole(f * 1e6) }
	for _, r := range []*apiResult{larder, bare} {
		name := "larder"
		if r == bare {
			name = "net/http alone"
		}
		s.table.add(name, r.rate.show(whole), decimals(2)(ratio(r.rate, bare.rate)), r.wall.show(whole),
			r.p50.show(micros), r.p99.show(micros))
	}
	return s
}

// memory looks at the processes of an engine that has just been under load.
func (b *bench) memory(ctx context.Context, d *harness, g *group, here launcher) (_ section, err error) {
	b.say("memory")
	info, err := d.engine()
	if err != nil {
		return section{}, err
	}
	relay, err := d.relay(g)
	if err != nil {
		return section{}, err
	}
	bare, err := b.newBareServers("beside", here)
	if err != nil {
		return section{}, err
	}
	defer func() { err = errors.Join(err, bare.close(ctx)) }()
	servers, err := bare.start(ctx, g.settings, "beside-1")
	if err != nil {
		return section{}, err
	}
	return memorySection(ctx, []watched{
		{"engine", info.PID}, {"relay of the reader endpoint", relay}, {"node: the primary", g.nodes[0].pid},
		{"a bare redis-server", servers[0].process.PID()},
	})
}

// watched is a process under a name.
type watched struct {
	name string
	pid  int
}

// memorySection reads each process's memory, and then what it does with nothing to do.
func memorySection(ctx context.Context, processes []watched) (section, error) {
	s := section{
		title: "Resident memory",
		how: fmt.Sprintf("VmRSS and its greatest value so far (VmHWM) with production running, right after the load of the "+
			"section above; no data is in the nodes. CPU time is that of %s without requests:\n"+
			"the engine asks every node for its state once a second.", idleSpan),
		table: table{{"", "MiB", "at most so far, MiB", "CPU when idle, % of a core"}},
	}
	found := make([]memory, len(processes))
	before := make([]time.Duration, len(processes))
	for i, p := range processes {
		var errMemory, errCPU error
		found[i], errMemory = memoryOf(p.pid)
		before[i], errCPU = cpuTime(p.pid)
		if err := errors.Join(errMemory, errCPU); err != nil {
			return s, err
		}
	}
	select {
	case <-time.After(idleSpan):
	case <-ctx.Done():
		return s, ctx.Err()
	}
	for i, p := range processes {
		after, err := cpuTime(p.pid)
		if err != nil {
			return s, err
		}
		percent := 100 * (after - before[i]).Seconds() / idleSpan.Seconds()
		s.table.add(p.name, decimals(1)(found[i].now), decimals(1)(found[i].most), decimals(1)(percent))
	}
	s.goals = []string{goal(found[0].now < memoryWanted, "the engine needs less than %.0f MiB", memoryWanted)}
	return s, nil
}
