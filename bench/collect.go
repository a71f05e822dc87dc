package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"larder/internal/cachemetric"
	"larder/internal/catalog"
	"larder/internal/monitor"
	"larder/internal/redisnode"
	"larder/internal/series"
)

const (
	collectWanted = 2.0              // % of a core
	askWanted     = 50.0             // µs of a node's time
	collectEvery  = 15 * time.Second // redis_exporter's dashboards expect as much
	collectRounds = 2
	collectSettle = 4 * time.Second // for first readings
	startedAtOnce = 16
)

// cost is what a round took of the collector's processor and of each node's time.
type cost struct {
	collector time.Duration
	commands  float64 // µs that commands ran in a node, by its commandstats
	calls     float64 // commands
}

// collecting measures what reading the metrics of many nodes costs, beside what redis_exporter asks them.
func (b *bench) collecting(ctx context.Context) (_ []section, err error) {
	set, err := plainSettings(ctx)
	if err != nil {
		return nil, err
	}
	servers, err := b.newBareServers("collected", anywhere)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, servers.close(ctx)) }()
	b.say("starting %d nodes", b.watched)
	for first := 0; first < b.watched; first += startedAtOnce {
		var names []string
		for i := first; i < min(first+startedAtOnce, b.watched); i++ {
			names = append(names, fmt.Sprintf("node-%03d", i))
		}
		if _, err := servers.start(ctx, set, names...); err != nil {
			return nil, err
		}
	}
	w := newWard(servers)
	defer w.close()
	b.say("%d nodes do nothing", b.watched)
	idle, err := w.measure(ctx, rest)
	if err != nil {
		return nil, err
	}
	b.say("larder reads them")
	stop, err := b.monitorNodes(ctx, servers)
	if err != nil {
		return nil, err
	}
	if err := rest(ctx, collectSettle); err != nil {
		return nil, errors.Join(err, stop())
	}
	ours, err := w.measure(ctx, rest)
	if err = errors.Join(err, stop()); err != nil {
		return nil, err
	}
	b.say("all that redis_exporter asks is asked")
	theirs, err := w.measure(ctx, w.export)
	if err != nil {
		return nil, err
	}
	return []section{collectSection(b.watched, idle, ours, theirs)}, nil
}

// plainSettings are those of a node of a group without TLS and token.
func plainSettings(ctx context.Context) (settings, error) {
	versions, _, err := redisnode.Discover(ctx, os.Getenv("PATH"))
	if err != nil || len(versions) == 0 {
		return settings{}, errors.Join(errors.New("cannot find redis-server"), err)
	}
	types, errTypes := catalog.LoadNodeTypes()
	parameters, errParameters := catalog.LoadParameters()
	if err := errors.Join(errTypes, errParameters); err != nil {
		return settings{}, err
	}
	d, err := parameters.Directives(nil, types["cache.t4g.micro"])
	all := maps.Clone(d.Live)
	maps.Copy(all, d.Boot)
	newest := versions[len(versions)-1]
	return settings{server: newest.Path, version: newest.Version, directives: all}, err
}

// monitorNodes has larder's own monitor read the servers, two to a group, and keep the metrics as an engine does.
func (b *bench) monitorNodes(ctx context.Context, servers *bareServers) (stop func() error, err error) {
	metrics, err := series.Open(series.Config{Dir: filepath.Join(b.dir, "metrics"), Now: time.Now})
	if err != nil {
		return nil, err
	}
	var nodes []monitor.Node
	for i, s := range servers.running {
		nodes = append(nodes, monitor.Node{Group: fmt.Sprint("pair-", i/2), ID: s.process.ID(), Process: s.process,
			Redis: s.admin, Lag: func() time.Duration { return 0 }})
	}
	m, err := monitor.New(monitor.Config{
		Members: func() []monitor.Node { return nodes },
		Size:    func(string) (cachemetric.Node, error) { return cachemetric.Node{VCPU: 2, Memory: 1 << 30}, nil },
		Keep:    metrics.Add, Interval: collectEvery, Now: time.Now, After: time.After,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return nil, errors.Join(err, metrics.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	var work sync.WaitGroup
	var errs [2]error
	work.Go(func() { errs[0] = m.Run(ctx) })
	work.Go(func() { errs[1] = metrics.Run(ctx) })
	return func() error {
		cancel()
		work.Wait()
		return errors.Join(errs[0], errs[1], metrics.Close())
	}, nil
}

// ward are connections to servers, to measure by and to ask as redis_exporter does.
type ward struct{ clients []*redis.Client }

func newWard(s *bareServers) *ward {
	w := &ward{}
	for _, server := range s.running {
		w.clients = append(w.clients, redis.NewClient(&redis.Options{
			Dialer:   func(ctx context.Context, _, _ string) (net.Conn, error) { return server.process.Dial(ctx) },
			Username: redisnode.AdminUser, Password: s.password, Protocol: 2, PoolSize: 1, MaxRetries: -1,
			DisableIdentity:          true,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		}))
	}
	return w
}

func (w *ward) close() {
	for _, c := range w.clients {
		c.Close() // the server is about to end
	}
}

// measure has do run for some rounds, and returns what one of them cost.
func (w *ward) measure(ctx context.Context, do func(context.Context, time.Duration) error) (cost, error) {
	for _, c := range w.clients {
		if err := c.ConfigResetStat(ctx).Err(); err != nil {
			return cost{}, fmt.Errorf("cannot set a server's statistics back: %w", err)
		}
	}
	before, errBefore := cpuTime(os.Getpid())
	err := do(ctx, collectRounds*collectEvery)
	after, errAfter := cpuTime(os.Getpid())
	if err := errors.Join(errBefore, err, errAfter); err != nil {
		return cost{}, err
	}
	c, per := cost{collector: (after - before) / collectRounds}, float64(collectRounds*len(w.clients))
	for _, client := range w.clients {
		stats, err := client.Info(ctx, "commandstats").Result()
		if err != nil {
			return cost{}, fmt.Errorf("cannot read a server's statistics: %w", err)
		}
		calls, usec := spent(redisnode.Fields(stats))
		c.calls, c.commands = c.calls+calls/per, c.commands+usec/per
	}
	return c, nil
}

// spent adds up INFO commandstats, but for the command that set it back.
func spent(stats map[string]string) (calls, usec float64) {
	for name, value := range stats {
		if name == "cmdstat_config|resetstat" {
			continue
		}
		for part := range strings.SplitSeq(value, ",") {
			key, text, _ := strings.Cut(part, "=")
			n, err := strconv.ParseFloat(text, 64)
			switch {
			case err != nil:
			case key == "calls":
				calls += n
			case key == "usec":
				usec += n
			}
		}
	}
	return calls, usec
}

// export asks every node in each round what redis_exporter asks by default, one after another with equal pauses.
func (w *ward) export(ctx context.Context, span time.Duration) error {
	tick := time.NewTicker(collectEvery / time.Duration(len(w.clients)))
	defer tick.Stop()
	for range int(span / collectEvery) {
		for _, c := range w.clients {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
			for _, command := range [][]any{
				{"CONFIG", "GET", "*"}, {"INFO", "ALL"}, {"LATENCY", "LATEST"}, {"LATENCY", "HISTOGRAM"},
				{"SLOWLOG", "LEN"}, {"SLOWLOG", "GET", "1"},
			} {
				answer, err := c.Do(ctx, command...).Result()
				if err != nil {
					return fmt.Errorf("cannot ask what redis_exporter asks: %v: %w", command, err)
				}
				if text, ok := answer.(string); ok {
					redisnode.Fields(text)
				}
			}
		}
	}
	return nil
}

func collectSection(nodes int, idle, ours, theirs cost) section {
	share := func(c cost, every time.Duration) string {
		return decimals(2)(100 * (c.collector - idle.collector).Seconds() / every.Seconds())
	}
	row := func(name string, c cost) []string {
		return []string{name, share(c, collectEvery), share(c, time.Minute), decimals(1)(c.calls),
			decimals(0)(c.commands)}
	}
	percent := 100 * (ours.collector - idle.collector).Seconds() / time.Minute.Seconds()
	return section{
		title: "Collecting metrics",
		how: fmt.Sprintf("Idle redis-servers are read every %s, %d times, by larder's monitor, which derives their metrics "+
			"and keeps them on disk; then they are asked what redis_exporter asks\n"+
			"by default, by the same client library, the answers thrown away. The processor time of the process that asks, "+
			"beyond that of as long a rest; a node's time in commands, by its\n"+
			"own clock (commandstats). Half of it is INFO commandstats, without which there are no metrics of commands: "+
			"redis-server goes through its whole table of commands.", collectEvery, collectRounds),
		goals: []string{
			goal(percent < collectWanted, "less than %.0f %% of a core for 200 nodes (here: %d) once a minute",
				collectWanted, nodes),
			goal(ours.commands < askWanted, "less than %.0f µs of a node's time per round", askWanted),
		},
		table: table{
			{"", "% of a core, every 15 s", "every 60 s", "commands per node and round", "µs in commands"},
			row("larder", ours), row("redis_exporter's questions", theirs),
		},
	}
}
