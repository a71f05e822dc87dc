// Package app builds an engine with everything it needs, in one straight function, and takes it down in reverse.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/awsregion"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/exporter"
	"larder/internal/gateway"
	"larder/internal/isolate"
	"larder/internal/redisnode"
	"larder/internal/seal"
	"larder/internal/sigv4"
	"larder/internal/standin"
	"larder/internal/store"
)

// Account is the account that larder is.
const Account = "000000000000"

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
	// StrictVersions: see elasticache.Config.
	StrictVersions bool
	// MetricsInterval is the time between two readings of a node's metrics, see monitor.CheckInterval; zero stands for
	// a minute.
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
	// gcPercent has the garbage collector work harder than it does by itself, so that the engine stays small. A limit
	// on memory would do that too until what is in use comes near it; then there is nothing but collection.
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
	held, err := o.Home.take(o.Now(), o.Logger)
	if err != nil {
		return err
	}
	defer closing(&err, held.Close)
	state, err := o.Home.openState()
	if err != nil {
		return err
	}
	defer closing(&err, state.Close)
	// With a state file in it everybody sees whose directory it is.
	if err := makeFolder(o.Home.nodes()); err != nil {
		return fmt.Errorf("cannot make the directory of the nodes: %w", err)
	}
	in := &installation{Options: o, held: held}
	in.tellUnreadable(state)
	self, err := in.load(ctx, state)
	if err != nil {
		return err
	}
	trusted, err := try("ca.pem and ca-bundle.pem stay as they are until there is room", func() error {
		return inside(held).writeTrust(self.Certificate)
	})
	if err != nil {
		return fmt.Errorf("cannot write what clients shall trust: %w", err)
	}
	listeners, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, listeners.close)
	info, err := o.info(self, in.sealer, listeners.api)
	if err != nil {
		return err
	}
	in.endpoint = info.Endpoint

	var work errgroup.Group
	var guard isolate.Guard
	end := &ending{stop: stop}
	keeper := &keeper{home: o.Home, held: held, log: o.Logger, info: info}
	rs := &regions{others: map[string]*region{}, log: o.Logger}
	rs.open = func(name string) (*region, error) { return in.openOther(ctx, state, name) }
	rs.begin = func(r *region) {
		keeper.add(r.parts()...)
		r.run(ctx, in, &work, stop)
	}
	in.regions = rs.names
	in.stopSoon = func() { rs.drainLogs(ctx); end.withNodes() }
	if rs.first, err = in.openFirst(ctx, state, self); err != nil {
		return err
	}
	defer closing(&err, rs.close)
	defer func() { err = errors.Join(o.giveUp(context.WithoutCancel(ctx), keeper.lost(), rs.endNodes), err) }()
	if err := rs.openUsed(state, o.Home); err != nil {
		return err
	}
	server, err := in.server(info, rs)
	if err != nil {
		return err
	}
	infoFile, err := try("engine.json names an earlier engine's address until there is room", func() error {
		return inside(held).writeInfo(info)
	})
	if err != nil {
		return err
	}
	o.Logger.Info("serving", "endpoint", info.Endpoint, "home", o.Home, "redis", in.versions.String(), "addresses",
		rs.first.block.String(), "regions", rs.names())

	if err := listeners.openSocket(held, o.Logger); err != nil {
		return err
	}
	// A panic in work that the engine cannot do without ends the engine in good order: the nodes go on.
	serving := func(l net.Listener) {
		work.Go(func() error {
			defer stop()
			return guard.Do("the API", func() error { return serve(server, l) })
		})
	}
	keeper.add(o.Home.parts(held, holdings{
		info: info, certificate: self.Certificate, key: in.sealer.Key(), log: os.Stderr,
		socket: func() error { return listeners.again(held, serving) },
	})...)
	rs.start()
	work.Go(func() error {
		defer stop()
		return guard.Do("the watch over the state directory", func() error { return keeper.watch(ctx) })
	})
	for _, late := range []pending{trusted, infoFile} {
		work.Go(func() error {
			return guard.Do(late.what, func() error { return late.await(ctx, o.Logger) })
		})
	}
	listeners.serve(serving)
	o.Ready(info)
	<-ctx.Done()
	rs.end()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	err = errors.Join(server.Shutdown(grace), work.Wait())
	if end.nodesToo() {
		_, errNodes := rs.endNodes(context.WithoutCancel(ctx))
		err = errors.Join(err, errNodes)
	}
	return err
}

// load finds out who the installation is, and what it can run.
func (in *installation) load(ctx context.Context, state *store.Store) (self identity, err error) {
	if self, in.sealer, err = in.Home.load(state, in.Now()); err != nil {
		return self, err
	}
	if self, err = in.vouch(state, self); err != nil {
		return self, err
	}
	if in.versions, err = discover(ctx, in.SearchPath); err != nil {
		return self, err
	}
	for _, r := range in.versions.Releases() {
		if !r.Exact() {
			in.Logger.Info("an engine version is run by a newer server", "version", r.Requestable(), "server",
				r.Server.Version,
				"refused", in.StrictVersions)
		}
	}
	if in.nodeTypes, err = catalog.LoadNodeTypes(); err != nil {
		return self, err
	}
	in.families, err = catalog.LoadFamilies()
	return self, err
}

// server serves the API of every region, and what needs no signature.
func (in *installation) server(info Info, rs *regions) (*http.Server, error) {
	scrapes, err := exporter.New(exporter.Config{
		Sources: rs.scraped, NodeTypes: in.nodeTypes, Version: Version, Logger: in.Logger, Now: in.Now,
	})
	if err != nil {
		return nil, err
	}
	api, err := gateway.New(gateway.Config{
		Services: rs.first.services, Region: rs.first.name, Others: rs,
		Verifier: &sigv4.Verifier{Secret: info.secret, Now: in.Now}, User: owner, Grants: everything,
		Admitted: admitted, Proven: proven, Logger: in.Logger, NewRequestID: standin.UUID,
	})
	if err != nil {
		return nil, err
	}
	server := defaultAPILimits.server(health(scrapes.Public(rs.publicTopics(api))), in.Logger)
	server.RegisterOnShutdown(api.EndStreams)
	return server, nil
}

// tellUnreadable logs the records of a store that turn out to be unreadable.
func (in *installation) tellUnreadable(state *store.Store) {
	state.OnUnreadable(func(e *store.RowError) {
		in.Logger.Error("a record cannot be read: everything else goes on without it", "table", e.Table, "key", e.Key,
			"error", e.Err)
	})
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

func discover(ctx context.Context, searchPath string) (catalog.EngineVersions, error) {
	versions, found, err := redisnode.Discover(ctx, searchPath)
	if err != nil {
		return nil, err
	}
	if len(versions) > 0 {
		return versions, nil
	}
	what := "there is none on this machine"
	if len(found) > 0 {
		var all []string
		for _, v := range found {
			all = append(all, fmt.Sprintf("%s (%s)", v.Version, v.Path))
		}
		what = "this machine has " + strings.Join(all, ", ")
	}
	return nil, fmt.Errorf("larder runs redis-server %s or later, and %s: install it (Debian, Ubuntu: `apt-get install redis-server`, or `make up`) and see that it is in PATH", catalog.OldestServed, what)
}

func (o Options) info(self identity, sealer *seal.Sealer, l net.Listener) (Info, error) {
	secret, err := sealer.Open("identity/secret-access-key", self.SecretAccessKey)
	return Info{
		Endpoint: "http://" + l.Addr().String(), Region: awsregion.Home, PID: os.Getpid(),
		AccessKeyID: self.AccessKeyID, SecretAccessKey: string(secret),
	}, err
}

// secret is the one credential there is.
func (i Info) secret(accessKeyID string) (string, bool) {
	return i.SecretAccessKey, accessKeyID == i.AccessKeyID
}

// owner is the user whom the one credential belongs to.
func owner(string) caller.Caller { return caller.User(Account) }

// everything is what a caller may do: the credential is the installation's own.
func everything(caller.Caller) gateway.Grants { return gateway.Everything() }

func full(versions catalog.EngineVersions) []string {
	var out []string
	for _, v := range versions {
		out = append(out, v.Version)
	}
	return out
}
