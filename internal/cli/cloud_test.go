package cli

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/app"
	"larder/internal/awsclient"
	"larder/internal/awsregion"
	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/defaultdeps"
	"larder/internal/gateway"
	"larder/internal/logstore"
	"larder/internal/network"
	"larder/internal/operation"
	"larder/internal/pki"
	"larder/internal/plan"
	"larder/internal/seal"
	"larder/internal/series"
	cloudwatchservice "larder/internal/services/cloudwatch"
	ec2service "larder/internal/services/ec2"
	elasticacheservice "larder/internal/services/elasticache"
	kmsservice "larder/internal/services/kms"
	"larder/internal/services/larder"
	logsservice "larder/internal/services/logs"
	secretsservice "larder/internal/services/secretsmanager"
	snsservice "larder/internal/services/sns"
	"larder/internal/sigv4"
	"larder/internal/state"
	"larder/internal/store"
	"larder/internal/testkit"
)

// cloud is every service of an engine on one store. It runs no nodes: what a group is asked for is so at once.
type cloud struct {
	t      *testing.T
	dir    string
	store  *store.Store
	sealer *seal.Sealer
	info   app.Info
	topics *snsservice.Service
	// access are the access levels of actions, by their names.
	access map[string][]gateway.Access
	// dataSize is how many bytes a group's data take.
	dataSize int64
	// unsettled keeps a group's status as a test has set it.
	unsettled bool
	close     func()
}

// users says of nothing that it is in use; see ec2.Users.
type users struct{}

func (users) SubnetUser(tx *store.Tx, id string) (string, error) {
	groups, err := state.SubnetGroups.All(tx)
	for _, g := range groups {
		if slices.Contains(g.SubnetIDs, id) {
			return "the cache subnet group " + g.Name, nil
		}
	}
	return "", err
}

func (users) SecurityGroupUser(*store.Tx, string) (string, error) { return "", nil }

// logKeys keeps data keys as they are.
type logKeys struct{}

func (logKeys) Wrap(_, _ string, key []byte) ([]byte, error) { return key, nil }
func (logKeys) Unwrap(_ string, key []byte) ([]byte, error)  { return key, nil }

func checked[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	return openCloud(t, t.TempDir())
}

// openStore opens a state that another process may hold for a moment still: one that a test beside this has forked has
// the files of all tests until it runs its own program.
func openStore(t *testing.T, path string) (s *store.Store) {
	t.Helper()
	testkit.Within(t, time.Minute, "the state is let go of", func() bool {
		var err error
		s, err = store.Open(path)
		if err != nil && !errors.Is(err, store.ErrLocked) {
			t.Fatal(err)
		}
		return err == nil
	})
	return s
}

// openCloud opens what an earlier cloud has left in a directory, or a new one.
func openCloud(t *testing.T, dir string) *cloud {
	t.Helper()
	c := &cloud{t: t, dir: dir, store: openStore(t, filepath.Join(dir, "larder.db"))}
	c.sealer = checked(seal.New(make([]byte, seal.KeySize)))(t)
	metrics := checked(series.Open(series.Config{Dir: filepath.Join(dir, "metrics"), Now: time.Now}))(t)
	events := checked(logstore.Open(logstore.Config{
		Dir: filepath.Join(dir, "logs"), Keys: logKeys{}, MaxBytes: 1 << 30, Logger: slog.New(slog.DiscardHandler),
	}))(t)
	server := httptest.NewUnstartedServer(nil)
	c.info = app.Info{Endpoint: "http://" + server.Listener.Addr().String(), Region: awsregion.Home,
		AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}
	server.Config.Handler = c.gateway(metrics, events)
	server.Start()
	unsubscribe := c.store.Subscribe("replication-groups", func(id string) { c.settle(id) })
	c.settleAll()
	c.close = sync.OnceFunc(func() {
		unsubscribe()
		server.Close()
		if err := errors.Join(events.Close(), metrics.Close(), c.store.Close()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(c.close)
	return c
}

func (c *cloud) gateway(metrics *series.Store, events *logstore.Store) http.Handler {
	t := c.t
	standIns := checked(defaultdeps.Ensure(c.store, awsregion.Home, app.Account))(t)
	nodeTypes := checked(catalog.LoadNodeTypes())(t)
	families := checked(catalog.LoadFamilies())(t)
	authority := checked(pki.NewAuthority(time.Now()))(t)
	failed := func(err error) {
		if !errors.Is(err, errDead) {
			t.Error(err)
		}
	}
	keys := kmsservice.New(kmsservice.Config{
		Store: c.store, Sealer: c.sealer, Account: app.Account, Region: awsregion.Home, Random: crand.Reader,
		Now:  time.Now,
		Lent: map[string]string{standIns.KMSKeyARN: "Stand-in"},
	})
	c.topics = snsservice.New(snsservice.Config{
		Store: c.store, Sealer: c.sealer, Keys: keys.For("sns"), Certifier: authority,
		Account: app.Account, Region: awsregion.Home, Endpoint: "http://127.0.0.1:1",
		MailDir: filepath.Join(c.dir, "mail"),
		Client:  snsservice.NewClient(), Timeout: time.Minute,
		Random: crand.Reader, Now: time.Now, After: time.After, Logger: slog.New(slog.DiscardHandler),
	})
	config := gateway.Config{
		User:   func(string) caller.Caller { return caller.User(app.Account) },
		Grants: func(caller.Caller) gateway.Grants { return gateway.Everything() },
		Region: awsregion.Home, NewRequestID: defaultdeps.UUID, Logger: slog.New(slog.DiscardHandler),
		Verifier: &sigv4.Verifier{Secret: func(string) (string, bool) { return "secret", true }, Now: time.Now},
		Services: []gateway.Service{
			elasticacheservice.New(elasticacheservice.Config{
				Store: c.store, Sealer: c.sealer, Versions: catalog.EngineVersions{{Version: "7.0.15"}},
				NodeTypes: nodeTypes, Families: families, Block: netip.MustParsePrefix("127.77.0.0/20"),
				Account: app.Account, Region: awsregion.Home, DefaultVPC: standIns.VPCID, Keys: keys.For("elasticache"),
				PortFree: func(netip.AddrPort) error { return nil }, ParametersChanged: func() {},
				DataSize: func(context.Context, string) (int64, error) { return c.dataSize, nil },
				Observed: c.observed, Now: time.Now,
			}).Gateway(),
			secretsservice.New(secretsservice.Config{
				Store: c.store, Sealer: c.sealer, Account: app.Account, Region: awsregion.Home,
				Keys: keys.For("secretsmanager"), Random: crand.Reader, Now: time.Now, Failed: failed,
			}).Gateway(),
			ec2service.New(ec2service.Config{
				Store: c.store, Account: app.Account, Region: awsregion.Home,
				Builder: network.Builder{NewID: network.RandomID}, Users: users{},
			}).Gateway(),
			keys.Gateway(), c.topics.Gateway(),
			cloudwatchservice.New(cloudwatchservice.Config{
				Store: c.store, Account: app.Account, Region: awsregion.Home, RegionName: "US East",
				Metrics: metrics, Publish: func(alarm, topic, subject, body string, also func(*store.Tx) error) error {
					by := caller.Service("cloudwatch.amazonaws.com", app.Account, alarm)
					return c.topics.PublishWith(by, topic, subject, body, also)
				},
				Failed: failed, Now: time.Now, After: time.After,
			}).Gateway(),
			logsservice.New(logsservice.Config{
				Store: c.store, Account: app.Account, Region: awsregion.Home, Keys: keys.For("logs"),
				Events: events, Metrics: func([]logsservice.Datum) {},
				NewID: defaultdeps.UUID, Now: time.Now, Failed: failed,
			}).Gateway(),
			larder.New(larder.Config{
				Regions:      func() []string { return []string{awsregion.Home} },
				DamagedFiles: func() (larder.DamagedFiles, error) { return larder.DamagedFiles{}, nil },
				Store:        c.store, Sealer: c.sealer,
				PIDs:    c.pids,
				Trouble: func(string) (string, bool) { return "", false }, Observed: c.observed,
				Engine: larder.DescribeEngineOutput{Region: awsregion.Home, EngineVersions: []string{"7.0.15"},
					StandIns: standIns, Endpoint: c.info.Endpoint},
			}).Gateway(),
		},
	}
	c.access = map[string][]gateway.Access{}
	for _, s := range config.Services {
		for _, a := range s.Actions {
			c.access[a.Name] = append(c.access[a.Name], a.Access)
		}
	}
	return checked(gateway.New(config))(t)
}

// settleAll does for every group what an engine does when it begins.
func (c *cloud) settleAll() {
	var ids []string
	err := c.store.View(func(tx *store.Tx) (err error) {
		ids, err = state.ReplicationGroups.Keys(tx)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, id := range ids {
		c.settle(id)
	}
}

// settle does at once what an engine does to a group in a while.
func (c *cloud) settle(id string) {
	err := c.store.Update(func(tx *store.Tx) error {
		g, err := state.Group(tx, id)
		switch {
		case c.unsettled || errors.Is(err, store.ErrNotFound) || err == nil && g.Status == cache.Available:
			return nil
		case err != nil:
			return err
		case g.Status == cache.Deleting:
			return state.DeleteGroup(tx, id, time.Now())
		}
		g.Status = cache.Available
		failOver(g.Only())
		g.Only().Members = slices.DeleteFunc(g.Only().Members, func(m cache.Member) bool { return m.Removing })
		g.Only().SetMemberStatus(cache.MemberAvailable)
		for i := range g.Only().Members {
			g.Only().Members[i].Created = time.Now()
		}
		for i := range g.LogDeliveries {
			g.LogDeliveries[i].Status = cache.LogsActive
		}
		return state.PutGroup(tx, g, operation.Origin{At: time.Now()})
	})
	if err != nil && !errors.Is(err, errDead) {
		c.t.Error(err)
	}
}

// failOver makes a replica the primary where one is to be.
func failOver(shard *cache.Shard) {
	to := shard.Promote
	for _, m := range shard.Members {
		if to == "" && shard.Primary().Replacement == cache.FailedOver && m.Role == cache.Replica {
			to = m.ID
		}
	}
	if to == "" {
		return
	}
	shard.Primary().Replacement = ""
	shard.Primary().Role = cache.Replica
	shard.Member(to).Role, shard.Promote = cache.Primary, ""
}

// pids says that every member of every group has a process.
func (c *cloud) pids(context.Context) (map[string]int, error) {
	all := map[string]int{}
	err := c.store.View(func(tx *store.Tx) error {
		groups, err := state.AllGroups(tx)
		for _, g := range groups {
			for _, m := range g.Only().Members {
				all[m.ID] = 1
			}
		}
		return err
	})
	return all, err
}

// observed is a group whose nodes do what they are asked for.
func (c *cloud) observed(id string) plan.Observed {
	o := plan.Observed{Nodes: map[string]plan.NodeState{}}
	err := c.store.View(func(tx *store.Tx) error {
		g, err := state.Group(tx, id)
		if err != nil {
			return err
		}
		for _, m := range g.Only().Members {
			n := plan.NodeState{Running: true, Answers: true, Role: m.Role, InSync: m.Role == cache.Replica}
			if n.InSync {
				n.Follows = netip.AddrPortFrom(g.Only().Primary().Address, uint16(g.Port))
			}
			o.Nodes[m.ID] = n
		}
		return nil
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		c.t.Error(err)
	}
	return o
}

// client talks to the cloud through a wire that can go dead.
func (c *cloud) client(w http.RoundTripper) *client {
	through := &http.Client{Transport: w}
	config := awsclient.Config(c.info.Region, c.info.Endpoint, c.info.AccessKeyID, c.info.SecretAccessKey)
	config.HTTPClient = awsclient.Whole(through)
	return &client{Info: c.info, cache: elasticache.NewFromConfig(config), config: config, http: through}
}

// errDead is what whoever uses a dead wire gets.
var errDead = errors.New("the wire is dead")

// wire takes requests to the cloud until the answer to one is lost, and what is sent after it.
type wire struct {
	last int  // number of the write whose answer is lost; 0: none is
	once bool // what is sent after it is not lost
	// after is the action of the write whose answer is lost, in the place of last.
	after string
	// cut is whether the engine is gone: nothing that is sent then has an answer. Nil: it never is.
	cut func() bool

	mu    sync.Mutex
	names []string // of the writes' actions
}

// reads are the beginnings of the actions that change nothing.
var reads = []string{"Describe", "List", "Get"}

// action is the name of the action that a request asks for.
func action(r *http.Request) (string, error) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:], nil
	}
	if _, name, ok := strings.Cut(r.URL.Path, "/operation/"); ok {
		return name, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	return form.Get("Action"), err
}

func (w *wire) isCut() bool { return w.cut != nil && w.cut() }

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	name, err := action(r)
	if err != nil {
		return nil, err
	}
	read := slices.ContainsFunc(reads, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	w.mu.Lock()
	dead := w.last > 0 && len(w.names) >= w.last && !w.once
	if !read && !dead {
		w.names = append(w.names, name)
	}
	if name == w.after && w.last == 0 {
		w.last = len(w.names)
	}
	lost := !read && len(w.names) == w.last
	w.mu.Unlock()
	if dead || w.isCut() {
		return nil, errDead
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if (lost || w.isCut()) && err == nil {
		return nil, errors.Join(errDead, answer.Body.Close())
	}
	return answer, err
}
