package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/event"
)

// told is an event as a subscriber is told of it: the notification's name, and what it is about.
type told struct{ name, source string }

// subscriber is an HTTP endpoint that confirms its subscription and counts what it is told.
type subscriber struct {
	*httptest.Server
	mu       sync.Mutex
	messages map[string]told // by message id: SNS may deliver one twice, which is not telling it twice
	bad      []string
}

func newSubscriber(t *testing.T) *subscriber {
	s := &subscriber{messages: map[string]told{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ Type, MessageId, Message, SubscribeURL string }
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		if m.Type == "SubscriptionConfirmation" {
			answer, err := http.Get(m.SubscribeURL)
			if err != nil {
				t.Error(err)
				return
			}
			answer.Body.Close()
			return
		}
		var pair map[string]string
		err := json.Unmarshal([]byte(m.Message), &pair)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil || len(pair) != 1 {
			s.bad = append(s.bad, m.Message)
		}
		for name, source := range pair {
			s.messages[m.MessageId] = told{name, source}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *subscriber) counts() map[told]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[told]int{}
	for _, m := range s.messages {
		out[m]++
	}
	return out
}

func total(counts map[told]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// listed is what the event list says subscribers are to be told of, beside the names that are in no list.
func (d *harness) listed() map[told]int {
	d.t.Helper()
	out := map[told]int{}
	pages := elasticache.NewDescribeEventsPaginator(d.api(), &elasticache.DescribeEventsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		d.check(err)
		for _, e := range page.Events {
			for _, kind := range event.Kinds() {
				if is := kind.Entry(); is.Topic != "" && is.SourceType == string(e.SourceType) && matches(is.Text, *e.Message) {
					out[told{is.Topic, *e.SourceIdentifier}]++
				}
			}
		}
	}
	return out
}

// matches tells whether a message is made of a text with verbs.
func matches(text, message string) bool {
	form := strings.ReplaceAll(regexp.QuoteMeta(text), "%s", ".+")
	return text != "" && regexp.MustCompile("^"+form+"$").MatchString(message)
}

// TestATopicIsToldOfEvents: each that it is to be told of once, while the engine is killed now and then.
func TestATopicIsToldOfEvents(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf") // starts the engine; its group has no topic
	ctx, api, topics := context.Background(), d.api(), sns.NewFromConfig(d.config())
	topic, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("events")})
	d.check(err)
	gone, err := topics.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("gone")})
	d.check(err)
	to := newSubscriber(t)
	_, err = topics.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"),
		Endpoint: &to.URL})
	d.check(err)
	d.eventually("the subscription is confirmed", func() bool {
		a, err := topics.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: topic.TopicArn})
		d.check(err)
		return a.Attributes["SubscriptionsConfirmed"] == "1"
	})
	create := func(id, topic string) {
		_, err := api.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
			ReplicationGroupId: &id, ReplicationGroupDescription: &id, CacheNodeType: aws.String("cache.t3.micro"),
			NumCacheClusters:         aws.Int32(2),
			AutomaticFailoverEnabled: aws.Bool(true), NotificationTopicArn: &topic,
		})
		d.check(err)
	}
	create("lost", *gone.TopicArn)
	_, err = topics.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: gone.TopicArn})
	d.check(err)
	create("shop", *topic.TopicArn)
	awaitTold := func(want told) {
		t.Helper()
		d.eventually("the subscriber is told "+want.name+" of "+want.source,
			func() bool { return to.counts()[want] > 0 })
		d.eventually("the group is available", func() bool { return d.status("shop").Status == "available" })
	}
	awaitTold(told{"ElastiCache:CreateReplicationGroupComplete", "shop"})

	_, err = api.TestFailover(ctx, &elasticache.TestFailoverInput{ReplicationGroupId: aws.String("shop"),
		NodeGroupId: aws.String("0001")})
	d.check(err)
	d.kill(d.pid())
	d.must("up", seed+"development.tf")
	awaitTold(told{"ElastiCache:FailoverComplete", "shop"})
	awaitTold(told{"ElastiCache:CacheNodeReplaceComplete", "shop-001"})
	_, err = api.CreateSnapshot(ctx,
		&elasticache.CreateSnapshotInput{ReplicationGroupId: aws.String("shop"), SnapshotName: aws.String("copy")})
	d.check(err)
	awaitTold(told{"ElastiCache:SnapshotComplete", "shop-002"})
	_, err = api.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: aws.String("shop"), CacheNodeType: aws.String("cache.t3.small"),
		ApplyImmediately: aws.Bool(true),
	})
	d.check(err)
	d.kill(d.pid())
	d.must("up", seed+"development.tf")
	awaitTold(told{"ElastiCache:ReplicationGroupScalingComplete", "shop"})
	_, err = api.IncreaseReplicaCount(ctx, &elasticache.IncreaseReplicaCountInput{
		ReplicationGroupId: aws.String("shop"), NewReplicaCount: aws.Int32(2), ApplyImmediately: aws.Bool(true),
	})
	d.check(err)
	awaitTold(told{event.ReplicasIncreasing.Entry().Topic, "shop-003"})
	awaitTold(told{event.ReplicasIncreased.Entry().Topic, "shop-003"})

	off := "inactive"
	_, err = api.ModifyReplicationGroup(ctx,
		&elasticache.ModifyReplicationGroupInput{ReplicationGroupId: aws.String("shop"), NotificationTopicStatus: &off})
	d.check(err)
	d.eventually("the group is available", func() bool { return d.status("shop").Status == "available" })
	on := "active"
	_, err = api.ModifyReplicationGroup(ctx,
		&elasticache.ModifyReplicationGroupInput{ReplicationGroupId: aws.String("shop"), NotificationTopicStatus: &on})
	d.check(err)
	d.eventually("the group is available", func() bool { return d.status("shop").Status == "available" })
	_, err = api.DeleteReplicationGroup(ctx,
		&elasticache.DeleteReplicationGroupInput{ReplicationGroupId: aws.String("shop")})
	d.check(err)
	d.eventually("the group is gone", func() bool { return d.groupGone("shop") })
	want := d.listed()
	maps.DeleteFunc(want, func(e told, _ int) bool { return e.source != "shop" && cache.GroupIDs(e.source)[0] != "shop" })
	for _, kind := range []event.Kind{event.ReplicasIncreasing, event.ReplicasIncreased} {
		want[told{kind.Entry().Topic, "shop-003"}] = 1
	}
	var got map[told]int
	d.eventually("the subscriber is told of the end", func() bool {
		got = to.counts()
		return total(got) >= total(want)
	})
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(told{})); diff != "" || len(to.bad) > 0 {
		t.Errorf("want -, got +:\n%s\nbad: %q", diff, to.bad)
	}
}
