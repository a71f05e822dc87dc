// Package app builds an engine with everything it needs, one step after the other, and takes it down in reverse.
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
	"strings"
	"time"

	"larder/internal/awsregion"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/defaultdeps"
	"larder/internal/exporter"
	"larder/internal/gateway"
	"larder/internal/redisnode"
	"larder/internal/seal"
	"larder/internal/sigv4"
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
		Admitted: admitted, Proven: proven, Logger: in.Logger, NewRequestID: defaultdeps.UUID,
	})
	if err != nil {
		return nil, err
	}
	handler := front{
		unsigned: []func(*http.Request) http.Handler{health, scrapes.Unsigned, rs.unsignedTopics}, api: api,
	}
	server := defaultAPILimits.server(handler, in.Logger)
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
		return fmt.Errorf("cannot listen on %q: larder serves this machine only: use an address of the loopback range, "+
			"such as 127.0.0.1:4566", address)
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
	return nil, fmt.Errorf("larder runs redis-server %s or later, and %s: install it (Debian, Ubuntu: `apt-get install "+
		"redis-server`, or `make up`) and see that it is in PATH", catalog.OldestServed, what)
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
