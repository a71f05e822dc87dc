package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/redis/go-redis/v9"

	"larder/internal/app"
)

// pace is how fast the clock of metrics and alarms runs: a second is a minute. What a node does in a second then counts
// as if it had taken a minute: a processor that is in use all the time is at 1.67 percent. How late a replica is the
// engine measures by its own clock: a second's lag is a second's.
const pace = 60

// fastClock is a clock that began to run at that pace when it was made.
func fastClock() app.Clock {
	begin := time.Now()
	return app.Clock{
		Now:   func() time.Time { return begin.Add(pace * time.Since(begin)) },
		After: func(d time.Duration) <-chan time.Time { return time.After(d / pace) },
	}
}

// watchedCall has every alarm as the module defines it, but for the thresholds that a test's load would not reach:
// periods and numbers of them are the module's own. 51 MB of maxmemory are filled in a second. The primary's processor
// counts as loaded from a thirtieth of one core on: the test and the other node want the rest.
const watchedCall = `
module "redis" {
  source                   = "./modules/redis"
  project_name             = "watched"
  environment              = "dev"
  redis_subnet_ids         = module.vpc.private_data_subnet_ids
  redis_security_group_id  = module.security.redis_security_group_id
  kms_key_arn              = module.kms.key_arn
  node_type                = "cache.t3.micro"
  num_cache_nodes          = 2
  maxmemory_policy         = "allkeys-lru"
  parameters               = [{ name = "reserved-memory-percent", value = 90 }]
  alarm_sns_topic_arn      = module.sns.critical_topic_arn
  alarm_thresholds = {
    cpu = 0.03, engine_cpu = 0.06, connections = 40, replication_lag = 1, network_in = 500000, network_out = 1000000
  }
}
`

// engine runs an engine inside the test, whose alarms go by a clock that is turned.
func (d *harness) engine(clock app.Clock) {
	d.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ready, done := make(chan app.Info, 1), make(chan error, 1)
	go func() {
		done <- app.Run(ctx, app.Options{
			Home: app.Home(d.home), Listen: "127.0.0.1:0", SearchPath: os.Getenv("PATH"),
			Relay:     []string{program, "relay"},
			BusyLimit: 5 * time.Minute, // a replica that is late because it is busy stays
			Logger:    slog.New(slog.DiscardHandler), Now: time.Now, Clock: clock,
			Ready: func(i app.Info) { ready <- i },
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		stop() // the nodes go on, and the harness ends them
		if err := <-done; err != nil {
			d.t.Error(err)
		}
	})
}

// pager is a subscriber of a topic: it confirms, and keeps what it is told of each alarm.
type pager struct {
	mu   sync.Mutex
	told map[string][]string // states, by alarm
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct{ Type, SubscribeURL, Message string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if m.Type == "SubscriptionConfirmation" {
		answer, err := http.Get(m.SubscribeURL)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		answer.Body.Close()
		return
	}
	var change struct{ AlarmName, NewStateValue string }
	if err := json.Unmarshal([]byte(m.Message), &change); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	alarm := strings.TrimPrefix(change.AlarmName, group)
	p.told[alarm] = append(p.told[alarm], change.NewStateValue)
}

// was tells whether the pager was told of that state of an alarm, is whether that was the last.
func (p *pager) was(alarm, state string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.told[alarm], state)
}

func (p *pager) is(alarm, state string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	told := p.told[alarm]
	return len(told) > 0 && told[len(told)-1] == state
}

// String is what it was told.
func (p *pager) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprint(p.told)
}

// group is what the alarms' names begin with.
const group = "watched-dev-redis-"

// nine are the alarms that the test's load sets off, by slug, with the member that each is of.
var nine = map[string]string{
	"cpu": "001", "engine-cpu": "001", "memory": "001", "evictions": "001", "connections": "001", "hit-rate": "001",
	"network-in": "001", "network-out": "001", "replication-lag": "002",
}

// Each of the module's nine alarms goes off because a real node is over its line, tells its topic, and is over when the
// node is back.
func TestTheNineAlarms(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.engine(fastClock())
	d.must("up", d.write("main.tf", watchedCall))
	cw, p := cloudwatch.NewFromConfig(d.config()), d.subscribe()

	states := func() map[string]string {
		out, err := cw.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
		if err != nil {
			t.Fatal(err)
		}
		states := map[string]string{}
		for _, a := range out.MetricAlarms {
			states[strings.TrimPrefix(*a.AlarmName, group)] = string(a.StateValue)
		}
		return states
	}
	// everyOne tells whether a condition holds for each of the nine.
	everyOne := func(holds func(alarm string) bool) bool {
		for slug, member := range nine {
			if !holds(member + "-" + slug) {
				return false
			}
		}
		return true
	}
	eventually := func(what string, condition func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * patience); !condition(); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("still not: %s; alarms are %v, the topic was told %v", what, states(), p)
			}
		}
	}

	d.eventually("all 18 alarms are OK", func() bool {
		now := states()
		for _, s := range now {
			if s != "OK" {
				return false
			}
		}
		return len(now) == 18
	})
	calm := d.overload()
	begin := time.Now()
	seen := map[string]bool{} // one may be over before another goes off: a load is no straight line
	eventually("each of the nine in ALARM", func() bool {
		for alarm, state := range states() {
			seen[alarm] = seen[alarm] || state == "ALARM"
		}
		return everyOne(func(alarm string) bool { return seen[alarm] && p.was(alarm, "ALARM") })
	})
	t.Logf("nine alarms after %s of load", time.Since(begin).Round(time.Second))
	calm()
	begin = time.Now()
	eventually("nine alarms OK again", func() bool {
		now := states()
		return everyOne(func(alarm string) bool { return now[alarm] == "OK" && p.is(alarm, "OK") })
	})
	t.Logf("over after %s", time.Since(begin).Round(time.Second))
}

// subscribe has a pager get what alarms tell their topic.
func (d *harness) subscribe() *pager {
	d.t.Helper()
	p := &pager{told: map[string][]string{}}
	server := httptest.NewServer(p)
	d.t.Cleanup(server.Close)
	topics := sns.NewFromConfig(d.config())
	out, err := cloudwatch.NewFromConfig(d.config()).DescribeAlarms(d.t.Context(), &cloudwatch.DescribeAlarmsInput{})
	if err != nil {
		d.t.Fatal(err)
	}
	topic := &out.MetricAlarms[0].AlarmActions[0]
	if _, err := topics.Subscribe(d.t.Context(),
		&sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("http"), Endpoint: &server.URL}); err != nil {
		d.t.Fatal(err)
	}
	d.eventually("the subscription is confirmed", func() bool {
		out, err := topics.ListSubscriptionsByTopic(d.t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: topic})
		if err != nil {
			d.t.Fatal(err)
		}
		return len(out.Subscriptions) == 1 && strings.HasPrefix(*out.Subscriptions[0].SubscriptionArn, "arn:")
	})
	return p
}

// overload takes both nodes over every line, until the returned function ends it and empties them.
func (d *harness) overload() (calm func()) {
	d.t.Helper()
	s := d.status("watched-dev-redis")
	primary, replica := d.manyConnections(s.Primary, 60), d.manyConnections(s.Nodes[1].Address+":6379", 4)
	ctx, stop := context.WithCancel(d.t.Context())
	var work sync.WaitGroup
	d.fill(primary)
	// Connections that do nothing.
	var idle []*redis.Conn
	for range 45 {
		conn := primary.Conn()
		if err := conn.Ping(ctx).Err(); err != nil {
			d.t.Fatal(err)
		}
		idle = append(idle, conn)
	}
	until := func(pause time.Duration, do func(i int) error) {
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := do(i); err != nil && ctx.Err() == nil && err != redis.Nil {
					d.t.Errorf("the load: %v", err)
					return
				}
				select {
				case <-time.After(pause):
				case <-ctx.Done():
				}
			}
		})
	}
	// Four hundred keys are evicted in a second for those that come in, two megabytes of them, and the same goes to the
	// replica.
	until(100*time.Millisecond, func(i int) error { return write(ctx, primary, fmt.Sprint("more-", i), 40) })
	until(10*time.Millisecond, func(i int) error { return miss(ctx, primary, fmt.Sprint("none-", i), 50) })
	until(10*time.Millisecond, func(int) error {
		return primary.Eval(ctx, "for i = 1, 2000000 do end return 1", nil).Err()
	})
	// The replica is busy with scripts all the time: one waits when the other ends, and between two of them it takes a
	// piece of its primary's stream. Each lasts long enough for less to come in than the stream has, however fast the
	// machine is, and short enough for the metrics to be read.
	for range 2 {
		until(0, func(int) error {
			return replica.EvalRO(ctx, `local function now() local t = redis.call('TIME') return t[1] + t[2] / 1e6 end
				local begin = now() while now() - begin < 0.2 do end return 1`, nil).Err()
		})
	}
	return func() {
		stop()
		work.Wait()
		for _, conn := range idle {
			conn.Close()
		}
		if err := primary.FlushAll(context.WithoutCancel(ctx)).Err(); err != nil {
			d.t.Error(err)
		}
		primary.Close()
		replica.Close()
	}
}

// manyConnections is a client with many connections.
func (d *harness) manyConnections(addr string, connections int) *redis.Client {
	d.t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(read(d.t, d.home+"/ca.pem")))
	return redis.NewClient(&redis.Options{
		Addr: addr, Password: strings.TrimSpace(d.must("outputs", "auth_token")), PoolSize: connections, MaxRetries: -1,
		ReadTimeout: patience, TLSConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	})
}

// fill writes as much as the primary takes before it evicts, and some more.
func (d *harness) fill(c *redis.Client) {
	d.t.Helper()
	for batch := range 120 {
		if err := write(d.t.Context(), c, fmt.Sprint("fill-", batch), 100); err != nil {
			d.t.Fatal(err)
		}
	}
}

// miss reads keys that there are none of.
func miss(ctx context.Context, c *redis.Client, prefix string, keys int) error {
	pipe := c.Pipeline()
	for i := range keys {
		pipe.Get(ctx, fmt.Sprint(prefix, "-", i))
	}
	_, err := pipe.Exec(ctx)
	return err
}

// write writes keys of 5 kB each.
func write(ctx context.Context, c *redis.Client, prefix string, keys int) error {
	value := strings.Repeat("v", 5000)
	pipe := c.Pipeline()
	for i := range keys {
		pipe.Set(ctx, fmt.Sprint(prefix, "-", i), value, 0)
	}
	_, err := pipe.Exec(ctx)
	return err
}
