package elasticache_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/servicetest"
)

const arnPrefix = "arn:aws:elasticache:us-east-1:123456789012:"

func (s *server) addTags(t *testing.T, arn string, tags ...types.Tag) error {
	_, err := s.AddTagsToResource(t.Context(), &sdk.AddTagsToResourceInput{ResourceName: &arn, Tags: tags})
	return err
}

func (s *server) removeTags(t *testing.T, arn string, keys ...string) error {
	_, err := s.RemoveTagsFromResource(t.Context(), &sdk.RemoveTagsFromResourceInput{ResourceName: &arn, TagKeys: keys})
	return err
}

func (s *server) listTags(t *testing.T, arn string) error {
	_, err := s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceName: &arn})
	return err
}

// wantTags checks a resource's tags, written as "a=1 b=2".
func (s *server) wantTags(t *testing.T, arn, want string) {
	t.Helper()
	out := must(s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceName: &arn}))(t)
	if diff := cmp.Diff(want, render(out.TagList)); diff != "" {
		t.Errorf("%s: -want +got\n%s", arn, diff)
	}
}

func render(tags []types.Tag) string {
	var words []string
	for _, tag := range tags {
		words = append(words, *tag.Key+"="+*tag.Value)
	}
	return strings.Join(words, " ")
}

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

func TestTagsOfEveryResource(t *testing.T) {
	s := newServer(t)
	group, subnets, parameters := minimal("mine"), subnetGroup("data", "subnet-a"), parameterGroup("tuned")
	tags := []types.Tag{tag("b", "2"), tag("a", "1")}
	group.Tags, subnets.Tags, parameters.Tags = tags, tags, tags
	s.create(t, group)
	must(s.CreateCacheSubnetGroup(t.Context(), subnets))(t)
	must(s.CreateCacheParameterGroup(t.Context(), parameters))(t)
	for _, resource := range []string{"cluster:mine-001", "replicationgroup:mine", "subnetgroup:data",
		"parametergroup:tuned"} {
		arn := arnPrefix + resource
		s.wantTags(t, arn, "a=1 b=2")
		added := must(s.AddTagsToResource(t.Context(),
			&sdk.AddTagsToResourceInput{ResourceName: &arn, Tags: []types.Tag{tag("c", ""), tag("a", "3")}}))(t)
		if got := render(added.TagList); got != "a=3 b=2 c=" {
			t.Errorf("%s: got %s", resource, got)
		}
		removed := must(s.RemoveTagsFromResource(t.Context(),
			&sdk.RemoveTagsFromResourceInput{ResourceName: &arn, TagKeys: []string{"a", "c"}}))(t)
		if got := render(removed.TagList); got != "b=2" {
			t.Errorf("%s: got %s", resource, got)
		}
		s.wantTags(t, arn, "b=2")
	}
	for _, resource := range []string{"subnetgroup:default", "parametergroup:default.redis7"} {
		s.wantTags(t, arnPrefix+resource, "")
		servicetest.WantError(t, s.addTags(t, arnPrefix+resource, tag("a", "1")), value,
			"The resource "+arnPrefix+resource+" is a default and cannot be tagged.")
	}
}

func TestClustersHaveTheirGroupsTags(t *testing.T) {
	s := newServer(t)
	in := minimal("mine")
	in.NumCacheClusters, in.Tags = new(int32(2)), []types.Tag{tag("team", "payments")}
	s.create(t, in)
	group, first, second := arnPrefix+"replicationgroup:mine", arnPrefix+"cluster:mine-001", arnPrefix+"cluster:mine-002"
	check := func(change error, ofGroup, ofFirst, ofSecond string) {
		t.Helper()
		if change != nil {
			t.Error(change)
		}
		s.wantTags(t, group, ofGroup)
		s.wantTags(t, first, ofFirst)
		s.wantTags(t, second, ofSecond)
	}
	check(nil, "team=payments", "team=payments", "team=payments")
	check(s.addTags(t, first, tag("node", "1")), "team=payments", "node=1 team=payments", "team=payments")
	check(s.addTags(t, group, tag("env", "prod")), "env=prod team=payments", "env=prod node=1 team=payments",
		"env=prod team=payments")
	check(s.removeTags(t, group, "team"), "env=prod", "env=prod node=1", "env=prod")

	// A cluster's own tags go with it.
	must(s.DeleteReplicationGroup(t.Context(), &sdk.DeleteReplicationGroupInput{ReplicationGroupId: new("mine")}))(t)
	s.forget(t, "mine")
	s.create(t, minimal("mine"))
	s.wantTags(t, first, "")
}

func TestTagRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, minimal("mine"))
	s.create(t, minimal("busy"))
	s.update(t, "busy", func(g cache.Topology) {
		g.Status = cache.Modifying
		g.Only().SetMemberStatus(cache.MemberModifying)
	})
	mine := arnPrefix + "replicationgroup:mine"
	const notAvailable = "Cluster not in available state to perform tagging operations."
	for _, test := range []struct {
		name          string
		err           error
		code, message string
	}{
		{"components", s.listTags(t, "arn:aws:elasticache"), "InvalidARN",
			"Input ARN string does not have 7 components."},
		{"no ARN", s.listTags(t, ""), value, "The parameter ResourceName must be provided and must not be blank."},
		{"first word", s.listTags(t, "urn:aws:elasticache:us-east-1:123456789012:cluster:x"), "InvalidARN",
			"arn field is wrong. Expected value is arn"},
		{"partition", s.listTags(t, "arn:aws-cn:elasticache:us-east-1:123456789012:cluster:x"), "InvalidARN",
			"partition field is wrong. Expected value is aws"},
		{"service", s.listTags(t, "arn:aws:rds:us-east-1:123456789012:cluster:x"), "InvalidARN",
			"service field is wrong. Expected value is elasticache"},
		{"region", s.listTags(t, "arn:aws:elasticache:us-east-2:123456789012:cluster:x"), value,
			"Unauthorized call. Please check the region or customer id"},
		{"account", s.addTags(t, "arn:aws:elasticache:us-east-1:210987654321:cluster:x", tag("a", "1")), value,
			"Unauthorized call. Please check the region or customer id"},
		{"resource type", s.listTags(t, arnPrefix+"user:x"), "InvalidARN", "The resource type user of the ARN " +
			arnPrefix +
			"user:x is not one that larder keeps: replicationgroup, cluster, subnetgroup, parametergroup or snapshot."},
		{"unknown snapshot", s.listTags(t, arnPrefix+"snapshot:x"), "SnapshotNotFoundFault", "Snapshot x not found."},
		{"unknown group", s.listTags(t, arnPrefix+"replicationgroup:x"), "ReplicationGroupNotFoundFault",
			"Replication group x not found."},
		{"unknown cluster", s.listTags(t, arnPrefix+"cluster:x"), "CacheClusterNotFound",
			"x is either not present or not available."},
		{"unknown subnet group", s.listTags(t, arnPrefix+"subnetgroup:x"), "CacheSubnetGroupNotFoundFault",
			"Cache subnet group x not found."},
		{"unknown parameter group", s.listTags(t, arnPrefix+"parametergroup:x"), "CacheParameterGroupNotFound",
			"CacheParameterGroup not found: x"},
		{"list while busy", s.listTags(t, arnPrefix+"replicationgroup:busy"), "InvalidReplicationGroupState",
			notAvailable},
		{"add while busy", s.addTags(t, arnPrefix+"replicationgroup:busy", tag("a", "1")),
			"InvalidReplicationGroupState", notAvailable},
		{"remove while busy", s.removeTags(t, arnPrefix+"replicationgroup:busy", "a"), "InvalidReplicationGroupState",
			notAvailable},
		{"busy cluster", s.listTags(t, arnPrefix+"cluster:busy-001"), "CacheClusterNotFound",
			"busy-001 is either not present or not available."},
		{"unknown tag", s.removeTags(t, mine, "a"), "TagNotFound", `Tag with key "a" not found.`},
		{"too many", s.addTags(t, mine, tagsOf(51)...), "TagQuotaPerResourceExceeded",
			"The resource would have 51 tags. A resource can have at most 50."},
		{"no key", s.addTags(t, mine, tag("", "1")), value, `The tag key "" must have 1 to 128 characters.`},
		{"long key", s.addTags(t, mine, tag(strings.Repeat("ä", 129), "1")), value,
			`The tag key "` + strings.Repeat("ä", 129) + `" must have 1 to 128 characters.`},
		{"long value", s.addTags(t, mine, tag("a", strings.Repeat("1", 257))), value,
			`The value of the tag "a" must have at most 256 characters.`},
		{"characters", s.addTags(t, mine, tag("a!", "1")), value,
			`The tag "a!" may consist of letters, digits, spaces and + - = . _ : / @ only.`},
		{"key twice", s.addTags(t, mine, tag("a", "1"), tag("a", "2")), value,
			`The tag key "a" is given more than once.`},
	} {
		t.Run(test.name, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	s.wantTags(t, mine, "")
	if err := s.addTags(t, mine, tag(strings.Repeat("ä", 128), strings.Repeat("1 +-=._:/@", 25))); err != nil {
		t.Errorf("the longest tag is refused: %v", err)
	}
}
