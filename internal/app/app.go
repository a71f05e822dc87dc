// Package app builds an engine with everything it needs, in one straight function, and takes it down in reverse.
package app

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/alarm"
	"larder/internal/cache"
	"larder/internal/engine"
	"larder/internal/exporter"
	"larder/internal/gateway"
	"larder/internal/logdelivery"
	"larder/internal/logstore"
	"larder/internal/loopback"
	"larder/internal/network"
	"larder/internal/node/process"
	"larder/internal/notifier"
	"larder/internal/redisnode"
	"larder/internal/seal"
	"larder/internal/services/cloudwatch"
	"larder/internal/services/ec2"
	"larder/internal/services/elasticache"
	"larder/internal/services/kms"
	"larder/internal/services/larder"
	"larder/internal/services/logs"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sns"
	"larder/internal/services/sts"
	"larder/internal/sigv4"
	"larder/internal/snapshot"
	"larder/internal/standin"
	"larder/internal/store"
)

// The region and account that larder is.
const (
	Region  = "us-east-1"
	Account = "000000000000"
	// regionName is the region as messages about alarms name it.
	regionName = "US East (N. Virginia)"
)

// Version is larder's own.
const Version = "0.1.0"

// Options say how to run an engine. Every field but BusyLimit, RestoreLost, MetricsInterval and Clock is needed.
type Options struct {
	Home        Home
	Listen      string        // address of the API, on loopback
	SearchPath  string        // directories in which redis-server is looked for, in PATH's form
	Relay       []string      // command line of the process behind a reader endpoint
	BusyLimit   time.Duration // see engine.Config; zero stands for the engine's own
	RestoreLost bool          // see engine.Config
	// MetricsInterval is the time between two readings of a node's metrics, see monitor.CheckInterval; zero stands for a minute.
	MetricsInterval time.Duration
	Logger          *slog.Logger
	Now             func() time.Time
	// Clock is what metrics and alarms go by; the zero value stands for Now with real timers.
	Clock Clock
	Ready func(Info) // called when the API answers
}

// Clock tells the time and waits for it.
type Clock struct {
	Now   func() time.Time
	After func(time.Duration) <-chan time.Time
}

// clock is that of metrics and alarms.
func (o Options) clock() Clock {
	if o.Clock.Now == nil {
		return Clock{o.Now, time.After}
	}
	return o.Clock
}

const (
	shutdownGrace = 2 * time.Second
	// gcPercent has the garbage collector work harder than it does by itself, so that the engine stays small. A limit on memory would
	// do that too until what is in use comes near it; then there is nothing but collection.
	gcPercent = 50
)

// Run runs an engine until ctx ends or a client stops it. The nodes outlive it unless the client asked for their end.
func Run(ctx context.Context, o Options) (err error) {
	debug.SetGCPercent(gcPercent)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := CheckListen(o.Listen); err != nil {
		return err
	}
	if err := o.Home.prepare(); err != nil {
		return err
	}
	state, err := o.Home.openState()
	if err != nil {
		return err
	}
	defer closing(&err, state.Close)

	sealer, err := seal.Open(o.Home.masterKey())
	if err != nil {
		return err
	}
	self, err := loadIdentity(state, sealer, o.Now())
	if err != nil {
		return err
	}
	authority, err := self.authority(sealer)
	if err != nil {
		return err
	}
	if err := o.Home.writeTrust(self.Certificate); err != nil {
		return fmt.Errorf("cannot write what clients shall trust: %w", err)
	}
	versions, err := discover(ctx, o.SearchPath)
	if err != nil {
		return err
	}
	block, err := claim(state, self)
	if err != nil {
		return err
	}
	defer closing(&err, block.Close)
	standIns, err := standin.Ensure(state, Region, Account)
	if err != nil {
		return err
	}
	nodeTypes, err := cache.LoadNodeTypes()
	if err != nil {
		return err
	}
	parameters, err := cache.LoadParameters()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("cannot serve the API: %w; choose another address with --listen or LARDER_LISTEN", err)
	}
	defer listener.Close()

	keys := kms.New(kms.Config{Store: state, Sealer: sealer, Account: Account, Region: Region, Random: crand.Reader, Now: o.Now})
	nodes := &process.Runtime{Dir: o.Home.nodes(), OwnLog: o.Home.LogFile()}
	defer closing(&err, nodes.Close)
	var shipper *logdelivery.Shipper // which needs the engine; it is there before the engine runs
	runner := engine.New(engine.Config{
		Store: state, Nodes: nodes, Sealer: sealer, Authority: authority, Versions: versions, NodeTypes: nodeTypes,
		Parameters: parameters, Relay: o.Relay, BusyLimit: o.BusyLimit, RestoreLost: o.RestoreLost, Logger: o.Logger, Now: o.Now,
		Snapshots:   &snapshot.Vault{Dir: o.Home.snapshots(), Sealer: sealer, Keys: keys},
		DrainLogs:   func(ctx context.Context, group, node string) { shipper.Drain(ctx, group, node) },
		SlowLogGrew: func(group string) { shipper.SlowLogGrew(group) },
	})
	if err := runner.Adopt(ctx); err != nil {
		return err
	}
	info, err := o.info(self, sealer, listener)
	if err != nil {
		return err
	}
	end, clock := &ending{stop: stop}, o.clock()
	metrics, err := o.openMetrics(clock.Now)
	if err != nil {
		return err
	}
	defer closing(&err, metrics.Close)
	nodeMetrics, err := o.newMonitor(runner, state, nodeTypes, metrics)
	if err != nil {
		return err
	}
	events, err := logstore.Open(logstore.Config{Dir: o.Home.logs(), Keys: logKeys{keys, sealer}, MaxBytes: maxLogBytes, Logger: o.Logger})
	if err != nil {
		return err
	}
	defer closing(&err, events.Close)
	logGroups := logs.New(logs.Config{
		Store: state, Account: Account, Region: Region, Keys: keys, Events: events, Metrics: filtered(metrics, o.failed("metric filters")), NewID: standin.UUID, Now: o.Now,
		Failed: o.failed("log events"),
	})
	shipper = logdelivery.New(logdelivery.Config{
		Store: state, Destination: logGroups, EngineLogs: nodes, Running: runner.Running, Logger: o.Logger,
	})
	topics := sns.New(sns.Config{
		Store: state, Sealer: sealer, Keys: keys, Certifier: authority, Account: Account, Region: Region, Endpoint: info.Endpoint,
		MailDir: o.Home.MailDir(), Client: sns.NewClient(), Timeout: sns.DefaultTimeout, Random: crand.Reader, Now: o.Now, After: time.After,
		Logger: o.Logger,
	})
	if err := makeStandIns(standIns, keys, topics); err != nil {
		return err
	}
	news := &notifier.Notifier{Store: state, Publish: topics.PublishWith, Logger: o.Logger}
	watching := cloudwatch.New(cloudwatch.Config{
		Store: state, Account: Account, Region: Region, RegionName: regionName, Metrics: metrics, Publish: topics.PublishWith,
		Failed: o.failed("alarms"), Now: clock.Now, After: clock.After,
	})
	evaluator := &alarm.Runner{Book: watching, Metrics: metrics, Now: clock.Now, After: clock.After, Failed: o.failed("alarms")}
	defer state.Subscribe(cloudwatch.AlarmTable, evaluator.Changed)()
	scrapes, err := exporter.New(exporter.Config{
		Store: state, NodeTypes: nodeTypes, Nodes: running(runner), Observed: observed(runner), Alarms: alarmStates(watching),
		Version: Version, Logger: o.Logger, Now: o.Now,
	})
	if err != nil {
		return err
	}
	api, err := gateway.New(gateway.Config{
		Services: []gateway.Service{
			elasticache.New(elasticache.Config{
				Store: state, Sealer: sealer, Versions: versions, NodeTypes: nodeTypes, Parameters: parameters, Block: block.Prefix,
				Account: Account, Region: Region, DefaultVPC: standIns.VPCID, Keys: keys, PortFree: loopback.PortFree,
				ParametersChanged: runner.ReconfigureAll, Observed: observed(runner), Now: o.Now,
			}).Gateway(),
			secretsmanager.New(secretsmanager.Config{
				Store: state, Sealer: sealer, Account: Account, Region: Region, Keys: keys, Random: crand.Reader, Now: o.Now,
			}).Gateway(),
			ec2.New(ec2.Config{
				Store: state, Account: Account, Region: Region, Builder: network.Builder{NewID: network.RandomID}, Users: networkUsers{},
			}).Gateway(),
			keys.Gateway(),
			topics.Gateway(),
			watching.Gateway(),
			logGroups.Gateway(),
			sts.Service{Account: Account}.Gateway(),
			larder.New(larder.Config{
				Store: state, Sealer: sealer, PIDs: nodes.PIDs, Trouble: runner.Trouble,
				StopSoon: func() { shipper.DrainAll(ctx); end.withNodes() },
				Observed: observed(runner), Measure: measure(runner, o.Now),
				Engine: larder.DescribeEngineOutput{
					PID: int32(os.Getpid()), Home: string(o.Home), Version: Version, EngineVersions: full(versions),
					Addresses: block.String(), StandIns: standIns,
				},
			}).Gateway(),
		},
		Verifier: &sigv4.Verifier{Secret: info.secret, Now: o.Now},
		Logger:   o.Logger, Region: Region, NewRequestID: standin.UUID,
	})
	if err != nil {
		return err
	}
	server := &http.Server{Handler: scrapes.Public(topics.Public(api)), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug)}
	server.RegisterOnShutdown(api.EndStreams)
	if err := o.Home.writeInfo(info); err != nil {
		return err
	}
	o.Logger.Info("serving", "endpoint", info.Endpoint, "home", o.Home, "redis", versions.String(), "addresses", block.String())

	var work errgroup.Group
	work.Go(func() error { defer stop(); return runner.Run(ctx) })
	work.Go(func() error { defer stop(); return metrics.Run(ctx) })
	work.Go(func() error { defer stop(); return nodeMetrics.Run(ctx) })
	work.Go(func() error { defer stop(); return evaluator.Run(ctx) })
	work.Go(func() error { defer stop(); return watching.Run(ctx) })
	work.Go(func() error { defer stop(); return watching.KeepHistory(ctx) })
	work.Go(func() error { defer stop(); return serve(server, listener) })
	work.Go(func() error { defer stop(); return logGroups.Run(ctx, o.Logger) })
	work.Go(func() error { defer stop(); return topics.Run(ctx) })
	work.Go(func() error { defer stop(); return shipper.Run(ctx) })
	work.Go(func() error { defer stop(); return news.Run(ctx) })
	work.Go(func() error { defer stop(); return nodes.KeepLogs(ctx, o.Logger) })
	o.Ready(info)
	<-ctx.Done()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	err = errors.Join(server.Shutdown(grace), work.Wait())
	if end.nodesToo() {
		err = errors.Join(err, stopNodes(context.WithoutCancel(ctx), nodes))
	}
	return err
}

// failed logs what goes wrong in the background, by where it does.
func (o Options) failed(where string) func(error) {
	return func(err error) { o.Logger.Error("background work failed", "where", where, "error", err) }
}

// closing runs a teardown step and keeps its error.
func closing(err *error, f func() error) { *err = errors.Join(*err, f()) }

func serve(s *http.Server, l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the API ended: %w", err)
	}
	return nil
}

// CheckListen refuses an address that is none for the API, and keeps the API on this machine: it is plain HTTP.
func CheckListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("cannot listen on %q: want host:port, such as 127.0.0.1:4566: %w", address, err)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Errorf("cannot listen on %q: larder serves this machine only: use an address of the loopback range, such as 127.0.0.1:4566", address)
	}
	return nil
}

func discover(ctx context.Context, searchPath string) (cache.EngineVersions, error) {
	versions, found, err := redisnode.Discover(ctx, searchPath)
	if err != nil {
		return nil, err
	}
	if len(versions) > 0 {
		return versions, nil
	}
	what := "there is none on this machine"
	if len(found) > 0 {
		what = "this machine has " + strings.Join(found, ", ")
	}
	return nil, fmt.Errorf("larder runs redis-server %s or later, and %s: install it (Debian, Ubuntu: `apt-get install redis-server`, or `make up`) and see that it is in PATH", cache.OldestServed, what)
}

// claim claims the installation's address block, and keeps a new one.
func claim(s *store.Store, self identity) (*loopback.Block, error) {
	block, err := loopback.Claim(self.Block, rand.IntN)
	if err != nil || block.Prefix == self.Block {
		return block, err
	}
	self.Block = block.Prefix
	err = s.Update(func(tx *store.Tx) error { return identities.Put(tx, "self", self) })
	if err != nil {
		return nil, errors.Join(err, block.Close())
	}
	return block, nil
}

func (o Options) info(self identity, sealer *seal.Sealer, l net.Listener) (Info, error) {
	secret, err := sealer.Open("identity/secret-access-key", self.SecretAccessKey)
	return Info{
		Endpoint: "http://" + l.Addr().String(), Region: Region, PID: os.Getpid(),
		AccessKeyID: self.AccessKeyID, SecretAccessKey: string(secret),
	}, err
}

// secret is the one credential there is.
func (i Info) secret(accessKeyID string) (string, bool) {
	return i.SecretAccessKey, accessKeyID == i.AccessKeyID
}

func full(versions cache.EngineVersions) []string {
	var out []string
	for _, v := range versions {
		out = append(out, v.Version)
	}
	return out
}
