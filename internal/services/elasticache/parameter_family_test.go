package elasticache_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/catalog"
	"larder/internal/servicetest"
)

// TestParameterGroupsOfEveryFamily: each is made, described with its family's own parameters, changed, and refused only
// for a group whose engine is not there.
func TestParameterGroupsOfEveryFamily(t *testing.T) {
	s := newServer(t)
	for _, family := range strings.Split(families, ", ") {
		name := "own-" + strings.ReplaceAll(family, ".", "")
		in := parameterGroup(name)
		in.CacheParameterGroupFamily = &family
		made := must(s.CreateCacheParameterGroup(t.Context(), in))(t).CacheParameterGroup
		if *made.CacheParameterGroupFamily != family {
			t.Errorf("%s: made as %s", family, *made.CacheParameterGroupFamily)
		}
		if err := s.set(t, name, "timeout", "60"); err != nil {
			t.Errorf("%s: %v", family, err)
		}
		servicetest.WantError(t, s.set(t, name, "colour", "red"), value, "Parameter colour doesn't exist")
		all, own := s.values(t, name, "system"), s.values(t, name, "user")
		if len(own) != 1 || own["timeout"] != "60" || all["timeout"] != "" {
			t.Errorf("%s: set are %v", family, own)
		}
		_, slaves := all["slave-allow-chaining"]
		_, replicas := all["replica-allow-chaining"]
		_, commands := all["commandlog-reply-larger-than"]
		old := family == "redis2.6" || family == "redis2.8" || family == "redis3.2" || family == "redis4.0"
		if slaves != old || replicas == old || commands != (family == "valkey8" || family == "valkey9") {
			t.Errorf("%s: the parameters are %v", family, all)
		}
		defaults := must(s.DescribeEngineDefaultParameters(t.Context(),
			&sdk.DescribeEngineDefaultParametersInput{CacheParameterGroupFamily: &family}))(t).EngineDefaults
		if len(defaults.Parameters) != len(all)+len(own) || len(defaults.CacheNodeTypeSpecificParameters) != 3 {
			t.Errorf("%s: %d defaults, %d parameters, %d of node types", family, len(defaults.Parameters), len(all),
				len(defaults.CacheNodeTypeSpecificParameters))
		}
		group := minimal("g-" + name)
		group.CacheParameterGroupName = &name
		_, err := s.CreateReplicationGroup(t.Context(), group)
		if family == "redis6.x" {
			group.EngineVersion = new("6.2")
			_, err = s.CreateReplicationGroup(t.Context(), group)
		}
		if family == catalog.Family || family == "redis6.x" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		servicetest.WantError(t, err, combination,
			"Expected a parameter group of family redis7 but found one of family "+family)
	}
}

// TestClusterEnabledInANewParameterGroup is taken while nobody has the group, as on AWS, and refused for a replication
// group, which has no cluster mode here.
func TestClusterEnabledInANewParameterGroup(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"mine", "cluster"} {
		must(s.CreateCacheParameterGroup(t.Context(), parameterGroup(name)))(t)
	}
	modifiable := func(name string) bool {
		t.Helper()
		out := must(s.DescribeCacheParameters(t.Context(),
			&sdk.DescribeCacheParametersInput{CacheParameterGroupName: &name}))(t)
		for _, p := range out.Parameters {
			if *p.ParameterName == catalog.ClusterEnabled {
				return *p.IsModifiable
			}
		}
		t.Errorf("%s does not list %s", name, catalog.ClusterEnabled)
		return false
	}
	if err := s.set(t, "cluster", "cluster-enabled", "yes", "timeout", "60"); err != nil {
		t.Fatal(err)
	}
	if err := s.set(t, "mine", "databases", "32"); err != nil {
		t.Fatal(err)
	}
	if got := s.values(t, "cluster", "user")["cluster-enabled"]; got != "yes" || !modifiable("cluster") {
		t.Errorf("it is %q", got)
	}
	if on := s.values(t, "default.redis7.cluster.on", "system")["cluster-enabled"]; on != "yes" {
		t.Errorf("AWS's group for cluster mode has %q", on)
	}
	create := func(id, parameters string) error {
		in := minimal(id)
		in.CacheParameterGroupName = &parameters
		_, err := s.CreateReplicationGroup(t.Context(), in)
		return err
	}
	servicetest.WantError(t, create("a", "cluster"), value, "larder does not serve the parameter group cluster: "+
		"cluster mode is not served. Use default.redis7.")
	if err := create("b", "mine"); err != nil {
		t.Fatal(err)
	}
	s.settle(t, "b")
	if modifiable("mine") || modifiable("default.redis7") {
		t.Error("what nodes keep is modifiable in a group that is used, or is AWS's")
	}
	const kept = "The parameter databases cannot be modified."
	servicetest.WantError(t, s.set(t, "mine", "databases", "16"), value, kept)
	for _, in := range []*sdk.ResetCacheParameterGroupInput{
		{CacheParameterGroupName: new("mine"), ResetAllParameters: new(true)},
		{CacheParameterGroupName: new("mine"),
			ParameterNameValues: []types.ParameterNameValue{{ParameterName: new("databases")}}},
	} {
		_, err := s.ResetCacheParameterGroup(t.Context(), in)
		servicetest.WantError(t, err, value, kept)
	}
	servicetest.WantError(t, s.modify(t, "b", func(in *modify) { in.CacheParameterGroupName = new("default.redis7") }),
		combination, "The parameter databases has a different value in the requested parameter group than the current "+
			"parameter group. This parameter value cannot be changed for a cache cluster.")
}
