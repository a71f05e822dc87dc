package elasticache_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/smithy-go"

	"larder/internal/services/elasticache"
)

// provocation is how a row of testdata/errors.csv is brought about here.
type provocation struct {
	// instead has the values that larder can be asked for where the row has others: pairs of old and new.
	instead []string
	// more is set where larder appends what helps to AWS's text.
	more    bool
	config  func(*elasticache.Config)
	prepare func(*testing.T, *server)
	// calls are by action.
	calls map[string]func(context.Context, *server) error
}

// TestRecordedErrors sends what each row of testdata/errors.csv names, for every action that it names. The rows are
// what AWS was seen to answer, as public threads and the SDKs' models show it, for what larder serves and can be
// brought into.
func TestRecordedErrors(t *testing.T) {
	file := must(os.Open("testdata/errors.csv"))(t)
	defer file.Close()
	rows := must(csv.NewReader(file).ReadAll())(t)[1:]
	all := map[string]provocation{}
	for _, some := range []map[string]provocation{
		groupErrors(), settingErrors(), parameterErrors(), subnetErrors(), tagErrors(),
		snapshotErrors(), absenceErrors(),
	} {
		maps.Copy(all, some)
	}
	for _, row := range rows {
		code, message := row[0], row[3]
		key := cmp.Or(message, code)
		p, ok := all[key]
		if !ok {
			t.Errorf("no request brings about %q", key)
			continue
		}
		delete(all, key)
		for _, action := range strings.Split(row[2], "; ") {
			t.Run(key+", "+action, func(t *testing.T) { p.check(t, action, code, row[1], message) })
		}
	}
	for key := range all {
		t.Errorf("testdata/errors.csv has no row for %q", key)
	}
}

func (p provocation) check(t *testing.T, action, code, status, message string) {
	call := p.calls[action]
	if call == nil {
		t.Fatalf("no request of %s brings it about", action)
	}
	s := newServer(t, func(c *elasticache.Config) {
		if p.config != nil {
			p.config(c)
		}
	})
	if p.prepare != nil {
		p.prepare(t, s)
	}
	err := call(t.Context(), s)
	var api smithy.APIError
	var answer *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) {
		t.Fatalf("got %v", err)
	}
	want := strings.NewReplacer(p.instead...).Replace(message)
	got := api.ErrorMessage()
	said := got == want || message == "" || p.more && strings.HasPrefix(got, want)
	if api.ErrorCode() != code || strconv.Itoa(answer.HTTPStatusCode()) != status || !said {
		t.Errorf("got  %d %s: %s\nwant %s %s: %s", answer.HTTPStatusCode(), api.ErrorCode(), got, status, code, want)
	}
}

// Requests by action. What is not given makes the smallest request that is all right.

func creating(change func(*sdk.CreateReplicationGroupInput)) func(context.Context, *server) error {
	return func(ctx context.Context, s *server) error {
		in := minimal("mine")
		change(in)
		_, err := s.CreateReplicationGroup(ctx, in)
		return err
	}
}

func modifying(change func(*sdk.ModifyReplicationGroupInput)) func(context.Context, *server) error {
	return func(ctx context.Context, s *server) error {
		in := &sdk.ModifyReplicationGroupInput{ReplicationGroupId: new("test"), ApplyImmediately: new(true)}
		change(in)
		_, err := s.ModifyReplicationGroup(ctx, in)
		return err
	}
}

// calling sends one request as it is.
func calling[I, O any](
	call func(*sdk.Client, context.Context, *I, ...func(*sdk.Options)) (*O, error), in I,
) func(context.Context, *server) error {
	return func(ctx context.Context, s *server) error {
		_, err := call(s.Client, ctx, &in)
		return err
	}
}

type calls = map[string]func(context.Context, *server) error

// tagging are the three tag actions for one resource.
func tagging(arn string) calls {
	return calls{
		"AddTagsToResource": calling((*sdk.Client).AddTagsToResource, sdk.AddTagsToResourceInput{
			ResourceName: &arn, Tags: tagsOf(1),
		}),
		"RemoveTagsFromResource": calling((*sdk.Client).RemoveTagsFromResource, sdk.RemoveTagsFromResourceInput{
			ResourceName: &arn, TagKeys: []string{"k"},
		}),
		"ListTagsForResource": calling((*sdk.Client).ListTagsForResource,
			sdk.ListTagsForResourceInput{ResourceName: &arn}),
	}
}

// grouped makes the group test, of so many nodes.
func grouped(nodes int32, change ...func(*sdk.CreateReplicationGroupInput)) func(*testing.T, *server) {
	return func(t *testing.T, s *server) {
		in := minimal("test")
		in.NumCacheClusters = &nodes
		for _, c := range change {
			c(in)
		}
		s.create(t, in)
	}
}

func parameterGrouped(t *testing.T, s *server) {
	must(s.CreateCacheParameterGroup(t.Context(), &sdk.CreateCacheParameterGroupInput{
		CacheParameterGroupName: new("test"), CacheParameterGroupFamily: new("redis7"), Description: new("x"),
	}))(t)
}

func subnetGrouped(t *testing.T, s *server) {
	must(s.CreateCacheSubnetGroup(t.Context(), &sdk.CreateCacheSubnetGroupInput{
		CacheSubnetGroupName: new("test"), CacheSubnetGroupDescription: new("x"), SubnetIds: []string{"subnet-a"},
	}))(t)
}
