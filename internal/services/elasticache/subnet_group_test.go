package elasticache_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/network"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

func subnetGroup(name string, subnets ...string) *sdk.CreateCacheSubnetGroupInput {
	return &sdk.CreateCacheSubnetGroupInput{CacheSubnetGroupName: &name, CacheSubnetGroupDescription: new("data"),
		SubnetIds: subnets}
}

func TestSubnetGroupLife(t *testing.T) {
	s := newServer(t)
	subnet := func(id, zone string) types.Subnet {
		return types.Subnet{
			SubnetIdentifier: &id, SubnetAvailabilityZone: &types.AvailabilityZone{Name: &zone},
			SupportedNetworkTypes: []types.NetworkType{types.NetworkTypeIpv4},
		}
	}
	want := types.CacheSubnetGroup{
		ARN: new("arn:aws:elasticache:us-east-1:123456789012:subnetgroup:data"), CacheSubnetGroupName: new("data"),
		CacheSubnetGroupDescription: new("data"), VpcId: new("vpc-1"),
		SupportedNetworkTypes: []types.NetworkType{types.NetworkTypeIpv4},
		Subnets:               []types.Subnet{subnet("subnet-b", "us-east-1b"), subnet("subnet-a", "us-east-1a")},
	}
	check := func(got types.CacheSubnetGroup) {
		t.Helper()
		if diff := cmp.Diff(want, got, ignoreUnexported); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	created := must(s.CreateCacheSubnetGroup(t.Context(), subnetGroup("Data", "subnet-b", "subnet-a", "subnet-b")))(t)
	check(*created.CacheSubnetGroup)

	modified := must(s.ModifyCacheSubnetGroup(t.Context(), &sdk.ModifyCacheSubnetGroupInput{
		CacheSubnetGroupName: new("DATA"), CacheSubnetGroupDescription: new("other"), SubnetIds: []string{"subnet-c"},
	}))(t)
	want.CacheSubnetGroupDescription, want.Subnets = new("other"), []types.Subnet{subnet("subnet-c", "us-east-1c")}
	check(*modified.CacheSubnetGroup)
	described := must(s.DescribeCacheSubnetGroups(t.Context(),
		&sdk.DescribeCacheSubnetGroupsInput{CacheSubnetGroupName: new("data")}))(t)
	check(described.CacheSubnetGroups[0])

	must(s.DeleteCacheSubnetGroup(t.Context(), &sdk.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: new("data")}))(t)
	all := must(s.DescribeCacheSubnetGroups(t.Context(), &sdk.DescribeCacheSubnetGroupsInput{}))(t)
	if len(all.CacheSubnetGroups) != 1 || *all.CacheSubnetGroups[0].CacheSubnetGroupName != "default" ||
		len(all.CacheSubnetGroups[0].Subnets) != 3 {
		t.Errorf("got %v, want the default group alone", all.CacheSubnetGroups)
	}
}

func TestSubnetGroupRefusals(t *testing.T) {
	s := newServer(t)
	must(s.CreateCacheSubnetGroup(t.Context(), subnetGroup("data", "subnet-a", "subnet-b")))(t)
	in := minimal("mine")
	in.CacheSubnetGroupName = new("data")
	s.create(t, in)
	create := func(in *sdk.CreateCacheSubnetGroupInput) error {
		_, err := s.CreateCacheSubnetGroup(t.Context(), in)
		return err
	}
	modify := func(name string, subnets ...string) error {
		_, err := s.ModifyCacheSubnetGroup(t.Context(),
			&sdk.ModifyCacheSubnetGroupInput{CacheSubnetGroupName: &name, SubnetIds: subnets})
		return err
	}
	remove := func(name string) error {
		_, err := s.DeleteCacheSubnetGroup(t.Context(), &sdk.DeleteCacheSubnetGroupInput{CacheSubnetGroupName: &name})
		return err
	}
	_, notFound := s.DescribeCacheSubnetGroups(t.Context(),
		&sdk.DescribeCacheSubnetGroupsInput{CacheSubnetGroupName: new("other")})
	tagged := subnetGroup("new", "subnet-a")
	tagged.Tags = tagsOf(51)
	const identifier = "The parameter CacheSubnetGroupName is not a valid identifier. Identifiers must begin with a " +
		"letter; must contain " +
		"only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
	for _, test := range []struct {
		name          string
		err           error
		code, message string
	}{
		{"name", create(subnetGroup("a_b", "subnet-a")), value, identifier},
		{"long name", create(subnetGroup(strings.Repeat("a", 256), "subnet-a")), value,
			"The parameter CacheSubnetGroupName should be no more than 255 characters."},
		{"taken", create(subnetGroup("DATA", "subnet-a")), "CacheSubnetGroupAlreadyExists",
			"Cache subnet group data already exists."},
		{"default", create(subnetGroup("default", "subnet-a")), "CacheSubnetGroupAlreadyExists",
			"Cache subnet group default already exists."},
		{"no subnets", create(subnetGroup("new", []string{}...)), value, "The parameter SubnetIds must be provided."},
		{"unknown subnet", create(subnetGroup("new", "subnet-a", "subnet-9")), value,
			"Some input subnets in :[subnet-a, subnet-9] are invalid."},
		{"two networks", create(subnetGroup("new", "subnet-a", "subnet-x")), "InvalidSubnet",
			"Subnets subnet-a and subnet-x are not in the same VPC."},
		{"tags", create(tagged), "TagQuotaPerResourceExceeded",
			"The resource would have 51 tags. A resource can have at most 50."},
		{"modify unknown", modify("other", "subnet-a"), "CacheSubnetGroupNotFoundFault",
			"Cache subnet group other not found."},
		{"modify default", modify("default", "subnet-a"), value,
			"The cache subnet group default is made of the network's default subnets and cannot be modified."},
		{"take away", modify("data", "subnet-b"), "SubnetInUse", "The subnet ID subnet-a is in use."},
		{"another network", modify("data", "subnet-x"), value,
			"The new Subnets are not in the same Vpc as the existing subnet group"},
		{"delete unknown", remove("other"), "CacheSubnetGroupNotFoundFault",
			"Cache Subnet Group other does not exist."},
		{"delete default", remove("default"), value,
			"The cache subnet group default is made of the network's default subnets and cannot be deleted."},
		{"delete used", remove("data"), "CacheSubnetGroupInUse",
			"Cache subnet group data is currently in use by a cache cluster."},
		{"describe unknown", notFound, "CacheSubnetGroupNotFoundFault", "Cache subnet group other not found."},
	} {
		t.Run(test.name, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	if err := modify("data", "subnet-a", "subnet-c"); err != nil {
		t.Errorf("a subnet without nodes cannot be taken away: %v", err)
	}
}

func TestSubnetQuotas(t *testing.T) {
	s := newServer(t)
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprintf("subnet-%02d", i))
		s.change(t, func(tx *store.Tx) error {
			return network.Subnets.Put(tx, many[i], network.Subnet{ID: many[i], VPCID: "vpc-3", Zone: "us-east-1a"})
		})
	}
	_, err := s.CreateCacheSubnetGroup(t.Context(), subnetGroup("data", many...))
	servicetest.WantError(t, err, "CacheSubnetQuotaExceededFault",
		"Subnet quota exceeded: 21 subnets. A cache subnet group can have at most 20.")
	must(s.CreateCacheSubnetGroup(t.Context(), subnetGroup("data", many[:20]...)))(t)
	s.change(t, func(tx *store.Tx) error {
		for i := range 299 {
			name := fmt.Sprintf("group-%03d", i)
			if err := state.SubnetGroups.Put(tx, name, cache.SubnetGroup{Name: name}); err != nil {
				return err
			}
		}
		return nil
	})
	_, err = s.CreateCacheSubnetGroup(t.Context(), subnetGroup("more", "subnet-a"))
	servicetest.WantError(t, err, "CacheSubnetGroupQuotaExceeded",
		"Subnet group quota exceeded. You can have at most 300 subnet groups in this region.")
}

func TestSubnetsThatAreGone(t *testing.T) {
	s := newServer(t)
	must(s.CreateCacheSubnetGroup(t.Context(), subnetGroup("data", "subnet-x")))(t)
	s.change(t, func(tx *store.Tx) error { return network.Subnets.Delete(tx, "subnet-x") })
	in := minimal("mine")
	in.CacheSubnetGroupName = new("data")
	_, err := s.CreateReplicationGroup(t.Context(), in)
	servicetest.WantError(t, err, value,
		"Cannot place a node in the cache subnet group data: none of its subnets exists any more.")
}
