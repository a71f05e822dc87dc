package ec2_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/services/ec2"
	"larder/internal/servicetest"
	"larder/internal/store"
)

const (
	region  = servicetest.Region
	account = servicetest.Account
)

// now is the time that the service goes by.
var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// tb is a test, or one run of a property.
type tb interface {
	rapid.TB
	Context() context.Context
}

// users says who uses what, by id.
type users map[string]string

func (u users) SubnetUser(_ *store.Tx, id string) (string, error)        { return u[id], nil }
func (u users) SecurityGroupUser(_ *store.Tx, id string) (string, error) { return u[id], nil }

// server is the service behind a real gateway, with a real client. Ids are counted: the first subnet is subnet-1.
type server struct {
	*sdk.Client
	ec2.Config
	users users
}

func newServer(t *testing.T) *server {
	t.Helper()
	made := map[string]int{}
	s := &server{users: users{}}
	s.Config = ec2.Config{
		Store: must(store.Open(filepath.Join(t.TempDir(), "state.db")))(t), Account: account, Region: region,
		Users: s.users,
		Now:   func() time.Time { return now },
		Builder: network.Builder{NewID: func(kind string) string {
			made[kind]++
			return fmt.Sprintf("%s-%d", kind, made[kind])
		}},
	}
	t.Cleanup(func() {
		if err := s.Store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.Client = sdk.NewFromConfig(servicetest.Config(t, servicetest.Gateway(t, ec2.New(s.Config).Gateway())))
	return s
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

// refusal is an error that a request should get.
type refusal struct {
	what          string
	err           error
	code, message string
}

func checkRefusals(t *testing.T, refusals []refusal) {
	t.Helper()
	for _, r := range refusals {
		t.Run(r.what, func(t *testing.T) { servicetest.WantError(t, r.err, r.code, r.message) })
	}
}

// failure is the error of a call whose output is of no interest.
func failure[T any](_ T, err error) error { return err }

// wantSame compares what the SDK read with what should be there.
func wantSame[T any](t *testing.T, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, sdkTypes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// sdkTypes compares the members of SDK structures, without what the SDK adds.
var sdkTypes = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && field.Name() == "noSmithyDocumentSerde"
}, cmp.Ignore())

func (s *server) vpc(t tb, cidr string) string {
	t.Helper()
	return *must(s.CreateVpc(t.Context(), &sdk.CreateVpcInput{CidrBlock: &cidr}))(t).Vpc.VpcId
}

func (s *server) subnet(t tb, vpc, cidr string) string {
	t.Helper()
	return *must(s.CreateSubnet(t.Context(), &sdk.CreateSubnetInput{VpcId: &vpc, CidrBlock: &cidr}))(t).Subnet.SubnetId
}

func (s *server) group(t tb, vpc, name string) string {
	t.Helper()
	return *must(s.CreateSecurityGroup(t.Context(),
		&sdk.CreateSecurityGroupInput{VpcId: &vpc, GroupName: &name, Description: new("test")}))(t).GroupId
}

// defaultVPC makes the VPC that is meant when a request names none.
func (s *server) defaultVPC(t *testing.T) string {
	t.Helper()
	id := s.vpc(t, "172.31.0.0/16")
	s.makeDefault(t, id)
	return id
}

func (s *server) makeDefault(t *testing.T, id string) {
	t.Helper()
	err := s.Store.Update(func(tx *store.Tx) error {
		v, err := network.VPCs.Get(tx, id)
		if err != nil {
			return err
		}
		v.Default = true
		return network.VPCs.Put(tx, id, v)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// filter is a filter by name and values.
func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: &name, Values: values}
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

// specification gives tags to something new.
func specification(of types.ResourceType, tags ...types.Tag) []types.TagSpecification {
	return []types.TagSpecification{{ResourceType: of, Tags: tags}}
}
