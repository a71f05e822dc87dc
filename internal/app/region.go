package app

import (
	"context"
	crand "crypto/rand"
	"errors"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/alarm"
	"larder/internal/awsregion"
	"larder/internal/caller"
	"larder/internal/catalog"
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
	"larder/internal/standin"
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
	state    *store.Store
	sealer   *seal.Sealer // its own places
	block    *loopback.Block
	standIns standin.StandIns
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

	closers []func() error // in reverse
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
	if r.standIns, err = standin.Ensure(state, name, Account); err != nil {
		return nil, err
	}
	keys := kms.New(kms.Config{
		Store: state, Sealer: r.sealer, Account: Account, Region: name, Lent: lentKeys(r.standIns),
		Random: crand.Reader, Now: in.Now, Failed: in.failed("keys"),
	})
	if err := in.openEngine(ctx, r, keys); err != nil {
		return nil, err
	}
	if err := in.openMeasures(r); err != nil {
		return nil, err
	}
	if err := in.openLogs(r, keys); err != nil {
		return nil, err
	}
	in.openNews(r, keys)
	in.openAlarms(r)
	r.services = in.servicesOf(r, keys)
	r.served, err = gateway.NewServices(r.services)
	return r, err
}

// openEngine makes the engine, and has it know the nodes that run.
func (in *installation) openEngine(ctx context.Context, r *region, keys *kms.Service) error {
	r.nodes = &process.Runtime{Dir: r.home.nodes()}
	if r.home == in.Home {
		r.nodes.OwnLog = in.Home.LogFile()
	}
	r.closers = append(r.closers, r.nodes.Close)
	r.engine = engine.New(engine.Config{
		Store: r.state, Nodes: r.nodes, Sealer: r.sealer, Authority: in.authority, Versions: in.versions,
		NodeTypes:  in.nodeTypes,
		Parameters: in.families[catalog.Family], Relay: in.Relay, BusyLimit: in.BusyLimit, RestoreLost: in.RestoreLost,
		Logger: in.Logger, Now: in.Now,
		Snapshots:   &snapshot.Vault{Dir: r.home.snapshots(), Sealer: r.sealer, Keys: keys.For("elasticache")},
		DrainLogs:   func(ctx context.Context, group, node string) { r.shipper.Drain(ctx, group, node) },
		SlowLogGrew: func(group string) { r.shipper.SlowLogGrew(group) },
		Listener:    listener,
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

// openMeasures opens the metrics, and makes the monitor that reads the nodes.
func (in *installation) openMeasures(r *region) (err error) {
	if r.metrics, err = in.openMetrics(r.home, in.clock().Now); err != nil {
		return err
	}
	r.closers = append(r.closers, r.metrics.Close)
	r.nodeMetrics, err = in.newMonitor(r.engine, r.state, in.nodeTypes, r.metrics)
	return err
}

// openLogs opens the log events, and makes what nodes' logs are delivered by.
func (in *installation) openLogs(r *region, keys *kms.Service) (err error) {
	r.events, err = logstore.Open(logstore.Config{
		Dir: r.home.logs(), Keys: logKeys{keys.For("logs"), r.sealer}, MaxBytes: maxLogBytes, Logger: in.Logger,
	})
	if err != nil {
		return err
	}
	r.closers = append(r.closers, r.events.Close)
	r.logGroups = logs.New(logs.Config{
		Store: r.state, Account: Account, Region: r.name, Keys: keys.For("logs"), Events: r.events,
		Metrics: filtered(r.metrics, in.failed("metric filters")), NewID: standin.UUID, Now: in.Now,
		Failed: in.failed("log events"),
	})
	r.shipper = logdelivery.New(logdelivery.Config{
		Store: r.state, Destination: r.logGroups, EngineLogs: r.nodes, Running: r.engine.Running, Logger: in.Logger,
	})
	return nil
}

// openNews makes the topics, and what tells them of events. Mail of every region comes to the same mailboxes.
func (in *installation) openNews(r *region, keys *kms.Service) {
	r.topics = sns.New(sns.Config{
		Store: r.state, Sealer: r.sealer, Keys: keys.For("sns"), Certifier: in.authority, Account: Account,
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
}

// openAlarms makes the alarms, and what evaluates them.
func (in *installation) openAlarms(r *region) {
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
	r.closers = append(r.closers, func() error { unsubscribe(); return nil })
	r.scraped = exporter.Source{
		Region: r.name, Store: r.state, Nodes: running(r.engine), Observed: observed(r.engine),
		Alarms: alarmStates(r.watching),
	}
}

// servicesOf are the services of a region.
func (in *installation) servicesOf(r *region, keys *kms.Service) []gateway.Service {
	return []gateway.Service{
		elasticache.New(elasticache.Config{
			Store: r.state, Sealer: r.sealer, Versions: in.versions, NodeTypes: in.nodeTypes, Families: in.families,
			StrictVersions: in.StrictVersions,
			Block:          r.block.Prefix,
			Account:        Account, Region: r.name, DefaultVPC: r.standIns.VPCID, Keys: keys.For("elasticache"),
			PortFree:          loopback.PortFree,
			ParametersChanged: r.engine.ReconfigureAll, Observed: observed(r.engine),
			CheckSnapshot: r.engine.CheckSnapshot, UnlockSnapshot: r.engine.UnlockSnapshot,
			DataSize: dataSize(r.engine), Now: in.Now,
		}).Gateway(),
		secretsmanager.New(secretsmanager.Config{
			Store: r.state, Sealer: r.sealer, Account: Account, Region: r.name, Keys: keys.For("secretsmanager"),
			Random: crand.Reader, Now: in.Now, Failed: in.failed("secrets"),
		}).Gateway(),
		ec2.New(ec2.Config{
			Store: r.state, Account: Account, Region: r.name, Builder: network.Builder{NewID: network.RandomID},
			Users: networkUsers{}, Now: in.Now,
		}).Gateway(),
		keys.Gateway(),
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
				Region:         r.name, Addresses: r.block.String(), StandIns: r.standIns,
			},
		}).Gateway(),
	}
}

// run does the region's work in goroutines of a group, until ctx ends; the end of one of them calls stop.
func (r *region) run(ctx context.Context, in *installation, work *errgroup.Group, stop func()) {
	var guard isolate.Guard
	for _, f := range []func(context.Context) error{
		r.engine.Run, r.metrics.Run, r.nodeMetrics.Run, r.evaluator.Run, r.watching.Run, r.watching.KeepHistory,
		r.topics.Run, r.shipper.Run, r.news.Run,
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
func (r *region) close() error {
	var errs []error
	for _, f := range slices.Backward(r.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
