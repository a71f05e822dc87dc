package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

const (
	slowLogs   = "/aws/elasticache/shop-dev-redis/slow-log"
	engineLogs = "/aws/elasticache/shop-dev-redis/engine-log"
)

// everySlow has every command in the slow log, and none dropped.
var everySlow = line{"parameters",
	`[{ name = "slowlog-log-slower-than", value = "0" }, { name = "slowlog-max-len", value = "1000000" }]`}

// alone is one node, without what takes two.
var alone = []line{{"num_cache_nodes", "1"}, {"automatic_failover_enabled", "false"}, {"multi_az_enabled", "false"},
	everySlow}

func (d *harness) logs() *cloudwatchlogs.Client { return cloudwatchlogs.NewFromConfig(d.config()) }

// events are the messages of a log group, by stream, in their order.
func (d *harness) events(group, pattern string) map[string][]string {
	d.t.Helper()
	out := map[string][]string{}
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group}
	if pattern != "" {
		in.FilterPattern = &pattern
	}
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(d.logs(), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		d.check(err)
		for _, e := range page.Events {
			out[*e.LogStreamName] = append(out[*e.LogStreamName], *e.Message)
		}
	}
	return out
}

// TestLogsSurviveKills: while a client goes on, the engine is killed again and again; in the end each command is in the
// log group once.
func TestLogsSurviveKills(t *testing.T) {
	t.Parallel()
	const kills = 12
	d := newHarness(t)
	dir := d.write("main.tf", shopCall(everySlow, line{"num_cache_nodes", "2"}))
	d.must("up", dir)
	c := d.client(d.status(shop).Primary)
	ctx, stop := context.WithCancel(context.Background())
	var sent atomic.Int64
	done := make(chan error, 1)
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if err := c.Set(context.Background(), "key", "a secret value", 0).Err(); err != nil {
				done <- err
				return
			}
			sent.Add(1)
			<-tick.C
		}
		done <- nil
	}()
	for i := range kills {
		before := sent.Load()
		d.eventually("commands are sent", func() bool { return sent.Load() > before+int64(20*(i+1)) })
		d.kill(d.pid())
		d.must("up", dir)
	}
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	const set = `{ $.Command = "set ... (2 more arguments)" }`
	streams := []string{"elasticache/redis/shop-dev-redis-001/0001/slow-log",
		"elasticache/redis/shop-dev-redis-002/0001/slow-log"}
	var got map[string][]string
	d.eventually("every command is in the log group", func() bool {
		got = d.events(slowLogs, set)
		return int64(len(got[streams[0]])) >= sent.Load() && int64(len(got[streams[1]])) >= sent.Load()
	})
	for _, stream := range streams {
		seen := map[int64]bool{}
		for _, message := range got[stream] {
			var record struct{ Id int64 }
			d.check(json.Unmarshal([]byte(message), &record))
			if seen[record.Id] {
				t.Errorf("%s has entry %d twice", stream, record.Id)
			}
			seen[record.Id] = true
			if strings.Contains(message, "secret") {
				t.Fatalf("an argument is delivered: %s", message)
			}
		}
		if int64(len(seen)) != sent.Load() {
			t.Errorf("%s has %d entries of %d commands", stream, len(seen), sent.Load())
		}
	}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, streams) {
		t.Errorf("streams %v", keys)
	}
	d.eachLineOnce()
	t.Logf("%d commands, %d kills", sent.Load(), kills)
}

// eachLineOnce compares what the nodes logged with what was delivered.
func (d *harness) eachLineOnce() {
	d.t.Helper()
	for _, n := range d.status(shop).Nodes {
		want := 0
		for l := range strings.Lines(read(d.t, d.home+"/nodes/"+n.ID+"/node.log")) {
			if _, rest, ok := strings.Cut(l, ":"); ok && len(rest) > 2 && strings.ContainsAny(rest[:1], "MSC") &&
				rest[1] == ' ' {
				want++
			}
		}
		got := 0
		d.eventually("every line of the engine log is delivered", func() bool {
			got = len(d.events(engineLogs, "")["elasticache/redis/"+n.ID+"/0001/engine-log"])
			return got >= want
		})
		if got != want || want == 0 {
			d.t.Errorf("%s logged %d lines, %d were delivered", n.ID, want, got)
		}
	}
}

func (d *harness) deliveryStatus() map[string]string {
	d.t.Helper()
	out, err := d.api().DescribeReplicationGroups(context.Background(),
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String(shop)})
	d.check(err)
	status := map[string]string{}
	for _, l := range out.ReplicationGroups[0].LogDeliveryConfigurations {
		status[string(l.LogType)] = string(l.Status) + " " + aws.ToString(l.Message)
	}
	return status
}

// TestALogGroupThatIsGone is told, and served again when it is back; the other log goes on.
func TestALogGroupThatIsGone(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", d.write("main.tf", shopCall(alone...)))
	ctx := context.Background()
	active := map[string]string{"slow-log": "active ", "engine-log": "active "}
	d.eventually("logs are delivered", func() bool { return maps.Equal(d.deliveryStatus(), active) })
	_, err := d.logs().DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(slowLogs)})
	d.check(err)
	d.eventually("the delivery fails", func() bool {
		s := d.deliveryStatus()
		return strings.HasPrefix(s["slow-log"], "error ") && strings.Contains(s["slow-log"], slowLogs) &&
			s["engine-log"] == "active "
	})
	c := d.client(d.status(shop).Primary)
	d.check(c.Set(ctx, "key", "value", 0).Err())
	_, err = d.logs().CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(slowLogs)})
	d.check(err)
	d.eventually("logs are delivered again", func() bool { return maps.Equal(d.deliveryStatus(), active) })
	d.eventually("the command is there", func() bool { return len(d.events(slowLogs, `{ $.Command = "set *" }`)) == 1 })

	// In text, and then not at all.
	_, err = d.api().ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: aws.String(shop), ApplyImmediately: aws.Bool(true),
		LogDeliveryConfigurations: []ectypes.LogDeliveryConfigurationRequest{
			{LogType: "slow-log", LogFormat: "text", DestinationType: "cloudwatch-logs",
				DestinationDetails: &ectypes.DestinationDetails{
					CloudWatchLogsDetails: &ectypes.CloudWatchLogsDestinationDetails{LogGroup: aws.String(slowLogs)}}},
			{LogType: "engine-log", Enabled: aws.Bool(false)},
		},
	})
	d.check(err)
	d.eventually("one delivery is on",
		func() bool { return maps.Equal(d.deliveryStatus(), map[string]string{"slow-log": "active "}) })
	d.check(c.Get(ctx, "key").Err())
	d.eventually("the command is there in text", func() bool {
		for _, m := range d.events(slowLogs,
			`",get ... (1 more arguments),"`)["elasticache/redis/shop-dev-redis-001/0001/slow-log"] {
			return strings.HasPrefix(m, "shop-dev-redis-001,0001,")
		}
		return false
	})
}

// TestTheLastLinesOfANode: what a node logs until its end is delivered before its files are removed.
func TestTheLastLinesOfANode(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", d.write("main.tf", shopCall(alone...)))
	c := d.client(d.status(shop).Primary)
	d.check(c.Echo(context.Background(), "last words").Err())
	_, err := d.api().DeleteReplicationGroup(context.Background(),
		&elasticache.DeleteReplicationGroupInput{ReplicationGroupId: aws.String(shop)})
	d.check(err)
	d.eventually("the group is gone", func() bool { return d.groupGone(shop) })
	lines := strings.Join(d.events(engineLogs, "")["elasticache/redis/shop-dev-redis-001/0001/engine-log"], "\n")
	for _, want := range []string{"Server initialized", "Redis is now ready to exit, bye bye..."} {
		if !strings.Contains(lines, want) {
			t.Errorf("%q is not in\n%s", want, lines)
		}
	}
	if slow := d.events(slowLogs, `{ $.Command = "echo *" }`); len(slow) != 1 {
		t.Errorf("the last command is not in the slow log: %v", d.events(slowLogs, ""))
	}
}
