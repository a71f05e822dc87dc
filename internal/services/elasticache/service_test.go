package elasticache_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/catalog"
	"larder/internal/network"
	"larder/internal/operation"
	"larder/internal/plan"
	"larder/internal/seal"
	"larder/internal/services/elasticache"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

const (
	region    = servicetest.Region
	account   = servicetest.Account
	authToken = "0123456789abcdef"
)

// defaultVPC has a subnet in each of three zones; another VPC has one subnet and a security group.
const defaultVPC = "vpc-1"

func addNetwork(tx *store.Tx) error {
	var errs []error
	for _, n := range []network.Subnet{
		{ID: "subnet-a", VPCID: defaultVPC, Zone: "us-east-1a"},
		{ID: "subnet-b", VPCID: defaultVPC, Zone: "us-east-1b"},
		{ID: "subnet-c", VPCID: defaultVPC, Zone: "us-east-1c"},
		{ID: "subnet-x", VPCID: "vpc-2", Zone: "us-east-1a"},
	} {
		errs = append(errs, network.Subnets.Put(tx, n.ID, n))
	}
	for _, g := range []network.SecurityGroup{{ID: "sg-1", VPCID: defaultVPC}, {ID: "sg-2", VPCID: defaultVPC},
		{ID: "sg-x", VPCID: "vpc-2"}} {
		errs = append(errs, network.SecurityGroups.Put(tx, g.ID, g))
	}
	return errors.Join(errs...)
}

// keys knows the key that groups are encrypted with.
type keys struct{}

func (keys) HasKey(_ caller.Caller, id string) bool {
	return id == "arn:aws:kms:us-east-1:123456789012:key/1"
}

// tb is a test, or one run of a property.
type tb interface {
	rapid.TB
	Context() context.Context
}

// server is the service behind a real gateway, with a real client. There is no engine: tests put into the store what it
// would.
type server struct {
	*sdk.Client
	elasticache.Config
	now          time.Time
	portFree     func(netip.AddrPort) error
	reconfigured atomic.Int32
	behind       string // the one member that is not in sync
	file         string // of the store
	config       aws.Config
}

func newServer(t *testing.T, change ...func(*elasticache.Config)) *server {
	t.Helper()
	s := &server{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), portFree: func(netip.AddrPort) error { return nil }}
	s.file = filepath.Join(t.TempDir(), "state.db")
	s.Config = elasticache.Config{
		Store: must(store.Open(s.file))(t), Sealer: must(seal.New(make([]byte, seal.KeySize)))(t),
		Versions:  catalog.EngineVersions{{Version: "7.0.4"}, {Version: "7.0.15"}, {Version: "7.2.4"}},
		NodeTypes: must(catalog.LoadNodeTypes())(t), Families: must(catalog.LoadFamilies())(t),
		Block: netip.MustParsePrefix("127.77.0.0/20"), Account: account, Region: region, DefaultVPC: defaultVPC,
		Keys:              keys{},
		PortFree:          func(a netip.AddrPort) error { return s.portFree(a) },
		ParametersChanged: func() { s.reconfigured.Add(1) },
		Observed:          s.observed,
		Now:               func() time.Time { return s.now },
	}
	for _, c := range change {
		c(&s.Config)
	}
	t.Cleanup(func() {
		if err := s.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.change(t, addNetwork)
	s.config = servicetest.Config(t, servicetest.Gateway(t, elasticache.New(s.Config).Gateway()))
	s.Client = sdk.NewFromConfig(s.config)
	return s
}

// observed is a group in which all but the member behind follow the primary.
func (s *server) observed(id string) plan.Observed {
	o := plan.Observed{Nodes: map[string]plan.NodeState{}}
	var rg cache.Topology
	err := s.Store.View(func(tx *store.Tx) (err error) {
		rg, err = state.Group(tx, id)
		return err
	})
	if err != nil {
		return o
	}
	for _, m := range rg.Only().Members {
		n := plan.NodeState{Running: true, Answers: true, Role: m.Role}
		if m.Role == cache.Replica {
			n.InSync, n.Follows = m.ID != s.behind, netip.AddrPortFrom(rg.Only().Primary().Address, uint16(rg.Port))
		}
		o.Nodes[m.ID] = n
	}
	return o
}

// must is for what cannot fail in a test that goes well.
func must[T any](v T, err error) func(tb) T {
	return func(t tb) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// update changes a group as the engine would.
func (s *server) update(t *testing.T, id string, change func(cache.Topology)) {
	t.Helper()
	s.change(t, func(tx *store.Tx) error {
		g, err := state.Group(tx, id)
		if err != nil {
			return err
		}
		change(g)
		return state.PutGroup(tx, g, operation.Origin{At: time.Now()})
	})
}

// group reads a group from the store.
func (s *server) group(t *testing.T, id string) (g cache.Topology) {
	t.Helper()
	err := s.Store.View(func(tx *store.Tx) (err error) {
		g, err = state.Group(tx, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// settle makes a group available.
func (s *server) settle(t *testing.T, id string) {
	t.Helper()
	s.update(t, id, func(g cache.Topology) {
		g.Status = cache.Available
		g.Only().SetMemberStatus(cache.MemberAvailable)
		for i := range g.Only().Members {
			g.Only().Members[i].Created = s.now
		}
	})
}

// minimal is the smallest request that creates a group.
func minimal(id string) *sdk.CreateReplicationGroupInput {
	return &sdk.CreateReplicationGroupInput{
		ReplicationGroupId: &id, ReplicationGroupDescription: new("sessions"), CacheNodeType: new("cache.t3.micro"),
	}
}

// create creates a group and makes it available.
func (s *server) create(t *testing.T, in *sdk.CreateReplicationGroupInput) {
	t.Helper()
	must(s.CreateReplicationGroup(t.Context(), in))(t)
	s.settle(t, *in.ReplicationGroupId)
}

// tagsOf makes n tags.
func tagsOf(n int) []types.Tag {
	var tags []types.Tag
	for i := range n {
		tags = append(tags, types.Tag{Key: new(fmt.Sprintf("key-%03d", i)), Value: new("value")})
	}
	return tags
}

// change changes the store.
func (s *server) change(t tb, change func(*store.Tx) error) {
	t.Helper()
	if err := s.Store.Update(change); err != nil {
		t.Fatal(err)
	}
}

// forget drops a group, as the engine does when nothing of it runs any more.
func (s *server) forget(t tb, id string) {
	t.Helper()
	s.change(t, func(tx *store.Tx) error { return state.DeleteGroup(tx, id, time.Now()) })
}

// groupOf makes a group with so many nodes, of which nothing else is known.
func groupOf(id string, nodes int) cache.Topology {
	g := cache.ReplicationGroup{ID: id}
	return cache.Topology{ReplicationGroup: &g, Shards: []cache.Shard{
		{GroupID: id, ID: cache.FirstShard, Group: &g, Members: make([]cache.Member, nodes)},
	}}
}
