package app

import (
	"context"
	crand "crypto/rand"
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/alarm"
	"larder/internal/awsregion"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/defaultdeps"
	"larder/internal/engine"
	"larder/internal/exporter"
	"larder/internal/gateway"
	"larder/internal/iampolicy"
	"larder/internal/isolate"
	"larder/internal/logdelivery"
	"larder/internal/logstore"
	"larder/internal/loopback"
	"larder/internal/monitor"
	"larder/internal/network"
	"larder/internal/node/process"
	"larder/internal/notifier"
	"larder/internal/pki"
	"larder/internal/seal"
	"larder/internal/series"
	"larder/internal/services/cloudwatch"
	"larder/internal/services/ec2"
	"larder/internal/services/elasticache"
	"larder/internal/services/kms"
	"larder/internal/services/larder"
	"larder/internal/services/logs"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sns"
	"larder/internal/services/sts"
	"larder/internal/snapshot"
	"larder/internal/store"
)

// installation is what the regions of an engine have in common.
type installation struct {
	Options
	held      *os.File // the state directory
	sealer    *seal.Sealer
	authority *pki.Authority
	versions  catalog.EngineVersions
	nodeTypes catalog.NodeTypes
	families  catalog.Families
	endpoint  string // of the API
	// stopSoon ends the engine, and its nodes, after the answer that is under way.
	stopSoon func()
	regions  func() []string // those that there are
}

// region is one region of an engine. It has everything of its own: records, nodes, addresses, metrics, logs.
type region struct {
	name     string
	home     Home // the directory of its files
	keys     *kms.Service
	state    *store.Store
	sealer   *seal.Sealer // its own places
	block    *loopback.Block
	defaults defaultdeps.Defaults
	nodes    *process.Runtime
	engine   *engine.Engine

	metrics     *series.Store
	nodeMetrics *monitor.Monitor
	events      *logstore.Store
	shipper     *logdelivery.Shipper
	topics      *sns.Service
	news        *notifier.Notifier
	watching    *cloudwatch.Service
	evaluator   *alarm.Runner
	logGroups   *logs.Service
	scraped     exporter.Source
	services    []gateway.Service
	served      *gateway.Services // the same, made ready

	closers closers
}

// open makes a region of its records and of what it finds running. The store and the addresses stay the caller's.
func (in *installation) open(ctx context.Context, name string, home Home, state *store.Store,
	block *loopback.Block) (_ *region, err error) {
	r := &region{name: name, home: home, state: state, sealer: in.sealer, block: block}
	if name != awsregion.Home {
		r.sealer = in.sealer.Within(regionsName + "/" + name)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	for _, build := range []func(context.Context, *region) error{
		in.openDefaults, in.openKeys, in.openNodes, in.openMetrics, in.openLogs, in.openEngine, in.openMonitor,
		in.openTopics, in.openAlarms, in.openServices,
	} {
		if err := build(ctx, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// openDefaults makes the default dependencies, or reads those that there are.
func (in *installation) openDefaults(_ context.Context, r *region) (err error) {
	r.defaults, err = defaultdeps.Ensure(r.state, r.name, Account)
	return err
}

func (in *installation) openKeys(_ context.Context, r *region) error {
	r.keys = kms.New(kms.Config{
		Store: r.state, Sealer: r.sealer, Account: Account, Region: r.name, Lent: lentKeys(r.defaults),
		Random: crand.Reader, Now: in.Now, Failed: in.failed("keys"),
	})
	return nil
}

// openNodes makes the runtime, which starts and watches processes.
func (in *installation) openNodes(_ context.Context, r *region) error {
	r.nodes = &process.Runtime{Dir: r.home.nodes()}
	if r.home == in.Home {
		r.nodes.OwnLog = in.Home.LogFile()
	}
	r.closers.add(r.nodes.Close)
	return nil
}

// openEngine makes the engine, which adopts the nodes that run.
func (in *installation) openEngine(ctx context.Context, r *region) error {
	r.engine = engine.New(engine.Config{
		Store: r.state, Nodes: r.nodes, Sealer: r.sealer, Authority: in.authority, Versions: in.versions,
		NodeTypes: in.nodeTypes,
		Families:  in.families, Relay: in.Relay, BusyLimit: in.BusyLimit, RestoreLost: in.RestoreLost,
		Logger: in.Logger, Now: in.Now,
		Snapshots: &snapshot.Vault{Dir: r.home.snapshots(), Sealer: r.sealer, Keys: r.keys.For("elasticache")},
		DrainLogs: r.shipper.Drain, SlowLogGrew: r.shipper.SlowLogGrew,
		Listener: listener,
	})
	if err := r.engine.Adopt(ctx); err != nil {
		return err
	}
	return r.refuseMoved(ctx)
}

// listener names the process that has an address.
func listener(a netip.AddrPort) (pid int, name string) {
	p, found := loopback.Listener(a)
	if !found {
		return 0, ""
	}
	return p.PID, named(p)
}

// openMetrics opens the metrics on disk.
func (in *installation) openMetrics(_ context.Context, r *region) (err error) {
	if r.metrics, err = in.openSeries(r.home, in.clock().Now); err != nil {
		return err
	}
	r.closers.add(r.metrics.Close)
	return nil
}

// openMonitor makes the monitor, which reads the nodes' metrics.
func (in *installation) openMonitor(_ context.Context, r *region) (err error) {
	r.nodeMetrics, err = in.newMonitor(r.engine, r.state, in.nodeTypes, r.metrics)
	return err
}

// openLogs opens the log events, and makes what nodes' logs are delivered by.
func (in *installation) openLogs(_ context.Context, r *region) (err error) {
	r.events, err = logstore.Open(logstore.Config{
		Dir: r.home.logs(), Keys: logKeys{r.keys.For("logs"), r.sealer}, MaxBytes: maxLogBytes, Logger: in.Logger,
	})
	if err != nil {
		return err
	}
	r.closers.add(r.events.Close)
	r.logGroups = logs.New(logs.Config{
		Store: r.state, Account: Account, Region: r.name, Keys: r.keys.For("logs"), Events: r.events,
		Metrics: filtered(r.metrics, in.failed("metric filters")), NewID: defaultdeps.UUID, Now: in.Now,
		Failed: in.failed("log events"),
	})
	r.shipper = logdelivery.New(logdelivery.Config{
		Store: r.state, Destination: destination{r.logGroups}, EngineLogs: r.nodes, Logger: in.Logger,
	})
	return nil
}

// openTopics makes the topics, and the notifier, which publishes events to them. Mail of all regions goes to the same
// mailboxes.
func (in *installation) openTopics(_ context.Context, r *region) error {
	r.topics = sns.New(sns.Config{
		Store: r.state, Sealer: r.sealer, Keys: r.keys.For("sns"), Certifier: in.authority, Account: Account,
		Region: r.name, Endpoint: in.endpoint,
		MailDir: in.Home.MailDir(), Client: sns.NewClient(), Timeout: sns.DefaultTimeout, Random: crand.Reader,
		Now: in.Now, After: time.After,
		Logger: in.Logger,
	})
	r.news = &notifier.Notifier{Store: r.state, Logger: in.Logger,
		Publish: func(topic, subject, body string, also func(*store.Tx) error) error {
			by := caller.Service(iampolicy.ElastiCache, Account, "")
			return r.topics.PublishWith(by, topic, subject, body, also)
		}}
	return nil
}

// openAlarms makes the alarms, and the runner that evaluates them.
func (in *installation) openAlarms(_ context.Context, r *region) error {
	clock := in.clock()
	r.watching = cloudwatch.New(cloudwatch.Config{
		Store: r.state, Account: Account, Region: r.name, RegionName: awsregion.LongName(r.name), Metrics: r.metrics,
		Publish: func(alarm, topic, subject, body string, also func(*store.Tx) error) error {
			by := caller.Service("cloudwatch.amazonaws.com", Account, alarm)
			return r.topics.PublishWith(by, topic, subject, body, also)
		},
		Failed: in.failed("alarms"), Now: clock.Now, After: clock.After,
	})
	r.evaluator = &alarm.Runner{
		Store: r.watching, Metrics: r.metrics, Now: clock.Now, After: clock.After, Failed: in.failed("alarms"),
	}
	unsubscribe := r.state.Subscribe(cloudwatch.AlarmTable, r.evaluator.Changed)
	r.closers.add(func() error { unsubscribe(); return nil })
	return nil
}

// openServices makes what the region shows of itself: its services, and the source of a scrape.
func (in *installation) openServices(_ context.Context, r *region) (err error) {
	r.scraped = exporter.Source{
		Region: r.name, Store: r.state, Nodes: running(r.engine), Observed: observed(r.engine),
		Alarms: alarmStates(r.watching),
	}
	r.services = in.servicesOf(r)
	r.served, err = gateway.NewServices(r.services)
	return err
}

// servicesOf are the services of a region.
func (in *installation) servicesOf(r *region) []gateway.Service {
	return []gateway.Service{
		elasticache.New(elasticache.Config{
			Store: r.state, Sealer: r.sealer, Versions: in.versions, NodeTypes: in.nodeTypes, Families: in.families,
			StrictVersions: in.StrictVersions,
			Block:          r.block.Prefix,
			Account:        Account, Region: r.name, DefaultVPC: r.defaults.VPCID, Keys: r.keys.For("elasticache"),
			PortFree:          loopback.PortFree,
			ParametersChanged: r.engine.ReconfigureAll, Observed: observed(r.engine),
			CheckSnapshot: r.engine.CheckSnapshot, UnlockSnapshot: r.engine.UnlockSnapshot,
			DataSize: dataSize(r.engine), Now: in.Now,
		}).Gateway(),
		secretsmanager.New(secretsmanager.Config{
			Store: r.state, Sealer: r.sealer, Account: Account, Region: r.name, Keys: r.keys.For("secretsmanager"),
			Random: crand.Reader, Now: in.Now, Failed: in.failed("secrets"),
		}).Gateway(),
		ec2.New(ec2.Config{
			Store: r.state, Account: Account, Region: r.name, Builder: network.Builder{NewID: network.RandomID},
			Users: networkUsers{}, Now: in.Now,
		}).Gateway(),
		r.keys.Gateway(),
		r.topics.Gateway(),
		r.watching.Gateway(),
		r.logGroups.Gateway(),
		sts.Service{}.Gateway(),
		larder.New(larder.Config{
			Store: r.state, Sealer: r.sealer, PIDs: r.nodes.PIDs, Trouble: r.engine.LastError, StopSoon: in.stopSoon,
			Observed: observed(r.engine), Measure: measure(r.engine, in.Now), Regions: in.regions,
			DamagedFiles: r.damagedFiles, Copying: r.engine.Copying,
			Tables: tables(), Irreplaceable: irreplaceable, TakeAlong: takeAlong(in.Now), Forgotten: r.home.forgotten(),
			Logger: in.Logger,
			Now:    in.Now,
			Engine: larder.DescribeEngineOutput{
				PID: int32(os.Getpid()), Home: string(in.Home), Endpoint: in.endpoint, Version: Version,
				EngineVersions: full(in.versions),
				Region:         r.name, Addresses: r.block.String(), StandIns: r.defaults,
			},
		}).Gateway(),
	}
}

// run does the region's work in goroutines of a group, until ctx ends; the end of one of them calls stop.
func (r *region) run(ctx context.Context, in *installation, work *errgroup.Group, stop func()) {
	var guard isolate.Guard
	for _, f := range []func(context.Context) error{
		r.engine.Run, r.metrics.Run, r.nodeMetrics.Run, r.evaluator.Run, r.watching.Run, r.watching.KeepHistory,
		r.topics.Run, r.news.Run,
		func(ctx context.Context) error { return r.shipper.Run(ctx, logged(r.engine)) },
		func(ctx context.Context) error { return r.logGroups.Run(ctx, in.Logger) },
		func(ctx context.Context) error { return r.nodes.KeepLogs(ctx, in.Logger) },
		in.newScrubber(r).Run,
	} {
		work.Go(func() error {
			defer stop()
			return guard.Do("the work of the region "+r.name, func() error { return f(ctx) })
		})
	}
	work.Go(func() error {
		err := guard.Do("the check of the records", func() error { return r.state.Check(tables()...) })
		if fault, is := errors.AsType[*isolate.PanicError](err); is {
			in.Logger.Error("cannot check the records", "region", r.name, "error", fault)
			return nil
		}
		return err
	})
}

// close lets go of everything. The nodes go on.
func (r *region) close() error { return r.closers.close() }
