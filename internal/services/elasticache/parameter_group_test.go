package elasticache_test

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

// families are those that larder serves.
const families = "redis2.6, redis2.8, redis3.2, redis4.0, redis5.0, redis6.x, redis7, valkey7, valkey8, valkey9"

func parameterGroup(name string) *sdk.CreateCacheParameterGroupInput {
	return &sdk.CreateCacheParameterGroupInput{CacheParameterGroupName: &name, CacheParameterGroupFamily: new("redis7"),
		Description: new("tuned")}
}

// set sets parameters, given as name and value in turn.
func (s *server) set(t *testing.T, group string, pairs ...string) error {
	in := &sdk.ModifyCacheParameterGroupInput{CacheParameterGroupName: &group,
		ParameterNameValues: []types.ParameterNameValue{}}
	for i := 0; i < len(pairs); i += 2 {
		in.ParameterNameValues = append(in.ParameterNameValues,
			types.ParameterNameValue{ParameterName: &pairs[i], ParameterValue: &pairs[i+1]})
	}
	_, err := s.ModifyCacheParameterGroup(t.Context(), in)
	return err
}

// values reads a group's parameters from that source.
func (s *server) values(t *testing.T, group, source string) map[string]string {
	t.Helper()
	out := must(s.DescribeCacheParameters(t.Context(),
		&sdk.DescribeCacheParametersInput{CacheParameterGroupName: &group, Source: &source}))(t)
	values := map[string]string{}
	for _, p := range out.Parameters {
		if *p.Source != source {
			t.Errorf("%s has source %s", *p.ParameterName, *p.Source)
		}
		values[*p.ParameterName] = ""
		if p.ParameterValue != nil {
			values[*p.ParameterName] = *p.ParameterValue
		}
	}
	return values
}

func TestParameterGroupLife(t *testing.T) {
	s := newServer(t)
	want := types.CacheParameterGroup{
		ARN:                       new("arn:aws:elasticache:us-east-1:123456789012:parametergroup:tuned"),
		CacheParameterGroupName:   new("tuned"),
		CacheParameterGroupFamily: new("redis7"), Description: new("tuned"), IsGlobal: new(false),
	}
	created := must(s.CreateCacheParameterGroup(t.Context(), parameterGroup("Tuned")))(t)
	if diff := cmp.Diff(want, *created.CacheParameterGroup, ignoreUnexported); diff != "" {
		t.Error(diff)
	}
	all := must(s.DescribeCacheParameterGroups(t.Context(),
		&sdk.DescribeCacheParameterGroupsInput{}))(t).CacheParameterGroups
	if len(all) != 19 || *all[0].CacheParameterGroupName != "default.redis2.6" || // 8 of 10 families have two
		*all[18].CacheParameterGroupName != "tuned" {
		t.Errorf("got %v", all)
	}

	// A value equal to the default, and one of a parameter that AWS does not list, are the user's all the same.
	if err := s.set(t, "TUNED", "maxmemory-policy", "allkeys-lru", "timeout", "0", "reserved-memory", "1024",
		"notify-keyspace-events", ""); err != nil {
		t.Fatal(err)
	}
	own := map[string]string{"maxmemory-policy": "allkeys-lru", "timeout": "0", "reserved-memory": "1024",
		"notify-keyspace-events": ""}
	if diff := cmp.Diff(own, s.values(t, "tuned", "user")); diff != "" {
		t.Error(diff)
	}
	if system := s.values(t, "tuned", "system"); system["maxmemory-samples"] != "3" || len(system) < 50 ||
		system["timeout"] != "" {
		t.Errorf("got %v", system)
	}
	if got := s.values(t, "tuned", "engine-default"); len(got) > 0 {
		t.Errorf("got %v", got)
	}

	reset := must(s.ResetCacheParameterGroup(t.Context(), &sdk.ResetCacheParameterGroupInput{
		CacheParameterGroupName: new("tuned"), ResetAllParameters: new(false),
		ParameterNameValues: []types.ParameterNameValue{{ParameterName: new("timeout"), ParameterValue: new("5")},
			{ParameterName: new("databases")}},
	}))(t)
	delete(own, "timeout")
	if diff := cmp.Diff(own, s.values(t, *reset.CacheParameterGroupName, "user")); diff != "" {
		t.Error(diff)
	}
	must(s.ResetCacheParameterGroup(t.Context(),
		&sdk.ResetCacheParameterGroupInput{CacheParameterGroupName: new("tuned"), ResetAllParameters: new(true)}))(t)
	if got := s.values(t, "tuned", "user"); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	if got := s.reconfigured.Load(); got != 3 {
		t.Errorf("the engine was told %d times, want 3", got)
	}

	must(s.DeleteCacheParameterGroup(t.Context(),
		&sdk.DeleteCacheParameterGroupInput{CacheParameterGroupName: new("tuned")}))(t)
	_, err := s.DescribeCacheParameterGroups(t.Context(),
		&sdk.DescribeCacheParameterGroupsInput{CacheParameterGroupName: new("tuned")})
	servicetest.WantError(t, err, "CacheParameterGroupNotFound", "CacheParameterGroup tuned not found.")
}

// Live parameters are applied by the engine; those that need a restart wait for it.
func TestApplyStatus(t *testing.T) {
	s := newServer(t)
	must(s.CreateCacheParameterGroup(t.Context(), parameterGroup("tuned")))(t)
	in := minimal("mine")
	in.CacheParameterGroupName = new("tuned")
	s.create(t, in)
	s.create(t, minimal("other"))
	apply := func() { // as the engine does
		t.Helper()
		d := must(s.Families[catalog.Family].Directives(s.values(t, "tuned", "user"), s.NodeTypes["cache.t3.micro"]))(t)
		s.update(t, "mine", func(g cache.Topology) {
			m := &g.Only().Members[0]
			if m.Parameters = catalog.Fingerprint(d.Live); m.BootParameters == "" {
				m.BootParameters = catalog.Fingerprint(d.Boot)
			}
		})
	}
	check := func(status string, reboot ...string) {
		t.Helper()
		c := s.cluster(t, "mine-001")
		if *c.CacheParameterGroup.ParameterApplyStatus != status || *c.CacheNodes[0].ParameterGroupStatus != status {
			t.Errorf("the group is %s and the node %s, want %s", *c.CacheParameterGroup.ParameterApplyStatus,
				*c.CacheNodes[0].ParameterGroupStatus, status)
		}
		if diff := cmp.Diff(reboot, c.CacheParameterGroup.CacheNodeIdsToReboot, equateEmpty); diff != "" {
			t.Error(diff)
		}
	}
	change := func(pairs ...string) {
		t.Helper()
		if err := s.set(t, "tuned", pairs...); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	check("in-sync")
	change("timeout", "60")
	check("applying")
	apply()
	check("in-sync")
	change("acl-pubsub-default", "allchannels") // its default
	check("in-sync")
	change("acl-pubsub-default", "resetchannels")
	check("pending-reboot", "0001")
	change("timeout", "0")
	check("applying", "0001")
	restart := func() { // as the engine does
		t.Helper()
		d := must(s.Families[catalog.Family].Directives(s.values(t, "tuned", "user"), s.NodeTypes["cache.t3.micro"]))(t)
		s.update(t, "mine", func(g cache.Topology) {
			m := &g.Only().Members[0]
			m.Parameters, m.BootParameters = catalog.Fingerprint(d.Live), catalog.Fingerprint(d.Boot)
		})
	}
	restart()
	check("in-sync")
}

func TestParameterGroupRefusals(t *testing.T) {
	s := newServer(t)
	must(s.CreateCacheParameterGroup(t.Context(), parameterGroup("tuned")))(t)
	in := minimal("mine")
	in.CacheParameterGroupName = new("tuned")
	s.create(t, in)
	create := func(name, family string) error {
		in := parameterGroup(name)
		in.CacheParameterGroupFamily = &family
		_, err := s.CreateCacheParameterGroup(t.Context(), in)
		return err
	}
	reset := func(name string, all bool, parameters ...string) error {
		in := &sdk.ResetCacheParameterGroupInput{CacheParameterGroupName: &name, ResetAllParameters: &all}
		for _, p := range parameters {
			in.ParameterNameValues = append(in.ParameterNameValues, types.ParameterNameValue{ParameterName: &p})
		}
		_, err := s.ResetCacheParameterGroup(t.Context(), in)
		return err
	}
	remove := func(name string) error {
		_, err := s.DeleteCacheParameterGroup(t.Context(),
			&sdk.DeleteCacheParameterGroupInput{CacheParameterGroupName: &name})
		return err
	}
	describe := func(name, source string) error {
		_, err := s.DescribeCacheParameters(t.Context(),
			&sdk.DescribeCacheParametersInput{CacheParameterGroupName: &name, Source: &source})
		return err
	}
	var tooMany []string
	for i := range 21 {
		tooMany = append(tooMany, fmt.Sprint("p", i), "1")
	}
	_, noValue := s.ModifyCacheParameterGroup(t.Context(), &sdk.ModifyCacheParameterGroupInput{
		CacheParameterGroupName: new("tuned"),
		ParameterNameValues:     []types.ParameterNameValue{{ParameterName: new("timeout")}},
	})
	const isDefault = "The parameter group default.redis7 is a default group and cannot be modified."
	for _, test := range []struct {
		name          string
		err           error
		code, message string
	}{
		{"name", create("default.mine", "redis7"), value,
			"The parameter CacheParameterGroupName is not a valid identifier. Identifiers must " +
				"begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a " +
				"hyphen or contain two " +
				"consecutive hyphens."},
		{"family", create("new", "redis7.2"), value,
			"CacheParameterGroupFamily redis7.2 is not a valid parameter group family. larder serves " + families + "."},
		{"memcached", create("new", "memcached1.6"), value,
			"larder does not serve the parameter group family memcached1.6: it has no memcached. It serves " + families + "."},
		{"no family", create("new", ""), value,
			"The parameter CacheParameterGroupFamily must be provided and must not be blank."},
		{"taken", create("TUNED", "redis7"), "CacheParameterGroupAlreadyExists",
			"Parameter group tuned already exists"},
		{"unknown group", s.set(t, "other", "timeout", "60"), "CacheParameterGroupNotFound",
			"CacheParameterGroup not found: other"},
		{"default group", s.set(t, "default.redis7", "timeout", "60"), value, isDefault},
		{"nothing", s.set(t, "tuned"), value, "The parameter ParameterNameValues must be provided."},
		{"too many", s.set(t, "tuned", tooMany...), value,
			"The request sets 21 parameters. At most 20 may be set in one request: send several."},
		{"no value", noValue, value,
			"The parameter timeout needs a ParameterValue. To set it back to its default, use " +
				"ResetCacheParameterGroup."},
		{"unknown parameter", s.set(t, "tuned", "timeout", "60", "colour", "red"), value,
			"Parameter colour doesn't exist"},
		{"fixed parameter", s.set(t, "tuned", "cluster-enabled", "yes"), value,
			"The parameter cluster-enabled cannot be modified."},
		{"value", s.set(t, "tuned", "timeout", "19"), value,
			`The parameter timeout has an invalid value: "19". Allowed values: 0,20-2147483647`},
		{"reset unknown group", reset("other", true), "CacheParameterGroupNotFound",
			"CacheParameterGroup not found: other"},
		{"reset default group", reset("default.redis7", true), value, isDefault},
		{"reset unknown parameter", reset("tuned", false, "colour"), value, "Parameter colour doesn't exist"},
		{"reset nothing", reset("tuned", false), value,
			"The parameter ParameterNameValues must be provided, or ResetAllParameters be true."},
		{"reset all and some", reset("tuned", true, "timeout"), combination,
			"Cannot specify both ResetAllParameters and ParameterNameValues."},
		{"delete unknown", remove("other"), "CacheParameterGroupNotFound", "CacheParameterGroupnot found: other"},
		{"delete default", remove("default.redis7"), value, isDefault},
		{"delete used", remove("tuned"), "InvalidCacheParameterGroupState",
			"One or more cache clusters are still members of this parameter group tuned, so the group cannot be deleted."},
		{"describe unknown", describe("other", "user"), "CacheParameterGroupNotFound",
			"CacheParameterGroup other not found."},
		{"source", describe("tuned", "me"), value,
			"Invalid value me for Source. Must be one of user, system, engine-default"},
	} {
		t.Run(test.name, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	if got := s.values(t, "tuned", "user"); len(got) > 0 || s.reconfigured.Load() > 0 {
		t.Errorf("refused changes left %v, and the engine was told %d times", got, s.reconfigured.Load())
	}
}

func TestParameterGroupQuota(t *testing.T) {
	s := newServer(t)
	s.change(t, func(tx *store.Tx) error {
		for i := range 300 {
			name := fmt.Sprintf("group-%03d", i)
			if err := state.ParameterGroups.Put(tx, name, cache.ParameterGroup{Name: name}); err != nil {
				return err
			}
		}
		return nil
	})
	_, err := s.CreateCacheParameterGroup(t.Context(), parameterGroup("more"))
	servicetest.WantError(t, err, "CacheParameterGroupQuotaExceeded",
		"Parameter group quota exceeded. You can have at most 300 parameter groups in this region.")
}

func TestDescribeEngineDefaultParameters(t *testing.T) {
	s := newServer(t)
	out := must(s.DescribeEngineDefaultParameters(t.Context(),
		&sdk.DescribeEngineDefaultParametersInput{CacheParameterGroupFamily: new("redis7")}))(t)
	d := out.EngineDefaults
	group := must(s.DescribeCacheParameters(t.Context(),
		&sdk.DescribeCacheParametersInput{CacheParameterGroupName: new("default.redis7")}))(t)
	if diff := cmp.Diff(group.Parameters, d.Parameters, ignoreUnexported); diff != "" {
		t.Error(diff)
	}
	want := types.Parameter{
		ParameterName: new("timeout"), ParameterValue: new("0"), AllowedValues: new("0,20-"), DataType: new("integer"),
		Source:       new("system"),
		IsModifiable: new(true), ChangeType: types.ChangeTypeImmediate, MinimumEngineVersion: new("7.0.0"),
		Description: new("Close connection if client is idle for a given number of seconds, or never if 0."),
	}
	found := false
	for _, p := range d.Parameters {
		if *p.ParameterName == "timeout" {
			found = cmp.Equal(want, p, ignoreUnexported)
		}
	}
	if !found || *d.CacheParameterGroupFamily != "redis7" {
		t.Errorf("got %v", d)
	}
	specific := map[string]string{}
	for _, p := range d.CacheNodeTypeSpecificParameters {
		for _, v := range p.CacheNodeTypeSpecificValues {
			if *v.CacheNodeType == "cache.t3.micro" {
				specific[*p.ParameterName] = *v.Value
			}
		}
	}
	micro := map[string]string{
		"maxmemory": "536870912", "client-output-buffer-limit-replica-hard-limit": "53687091",
		"client-output-buffer-limit-replica-soft-limit": "53687091",
	}
	if diff := cmp.Diff(micro, specific); diff != "" {
		t.Error(diff)
	}
	_, err := s.DescribeEngineDefaultParameters(t.Context(),
		&sdk.DescribeEngineDefaultParametersInput{CacheParameterGroupFamily: new("redis8")})
	servicetest.WantError(t, err, value,
		"CacheParameterGroupFamily redis8 is not a valid parameter group family. larder serves "+families+".")
}

func TestDescribeCacheEngineVersions(t *testing.T) {
	s := newServer(t)
	version := func(requestable, full, family string) types.CacheEngineVersion {
		return types.CacheEngineVersion{
			Engine: new("redis"), EngineVersion: &requestable, CacheParameterGroupFamily: &family,
			CacheEngineDescription: new("Redis"), CacheEngineVersionDescription: new("redis version " + full),
		}
	}
	six, sixTwo := version("6.0", "6.0.5", "redis6.x"), version("6.2", "6.2.6", "redis6.x")
	old, compatible, newest := version("7.0", "7.0.15", "redis7"), version("7.1", "7.1.0", "redis7"),
		version("7.2", "7.2.4", "redis7")
	for name, test := range map[string]struct {
		in   sdk.DescribeCacheEngineVersionsInput
		want []types.CacheEngineVersion
	}{
		"all": {sdk.DescribeCacheEngineVersionsInput{Engine: new("redis")},
			[]types.CacheEngineVersion{six, sixTwo, old, compatible, newest}},
		"default": {sdk.DescribeCacheEngineVersionsInput{DefaultOnly: new(true)},
			[]types.CacheEngineVersion{newest}},
		"version": {sdk.DescribeCacheEngineVersionsInput{EngineVersion: new("7.0")},
			[]types.CacheEngineVersion{old}},
		"family": {sdk.DescribeCacheEngineVersionsInput{CacheParameterGroupFamily: new("redis6.x")},
			[]types.CacheEngineVersion{six, sixTwo}},
		"another family": {sdk.DescribeCacheEngineVersionsInput{CacheParameterGroupFamily: new("redis5.0")}, nil},
		"another engine": {sdk.DescribeCacheEngineVersionsInput{Engine: new("memcached")}, nil},
	} {
		out := must(s.DescribeCacheEngineVersions(t.Context(), &test.in))(t)
		if diff := cmp.Diff(test.want, out.CacheEngineVersions, ignoreUnexported, equateEmpty); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}
