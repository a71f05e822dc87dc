package cloudwatch_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"larder/internal/series"
	"larder/internal/services/cloudwatch"
	"larder/internal/servicetest"
	"larder/internal/store"
)

const (
	region  = servicetest.Region
	account = servicetest.Account
	prefix  = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
	topic   = "arn:aws:sns:us-east-1:123456789012:critical"
)

// violation is how the service's front says that a member breaks its model; shown is the value in quotes, or nothing.
func violation(shown, member, broken string) string {
	return "1 validation error detected: Value " + shown + "at '" + member +
		"' failed to satisfy constraint: Member must " + broken
}

// act runs the actions of alarms until the test ends.
func (s *server) act(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.service.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// server is the service behind a real gateway, with a real client.
type server struct {
	*sdk.Client
	clock
	store      *store.Store
	metrics    *series.Store
	metricsDir string
	service    *cloudwatch.Service
	url        string
	topics     topics
}

// clock stands still until it is set. Actions read it beside the test.
type clock struct{ nanoseconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.nanoseconds.Load()).UTC() }

func (c *clock) set(t time.Time) { c.nanoseconds.Store(t.UnixNano()) }

// topics keep what is published, and what failed.
type topics struct {
	mu        sync.Mutex
	published []publication
	failures  []error
	failed    []error
}

type publication struct{ Alarm, Topic, Subject, Message string }

// publish fails once with each of the failures, then publishes.
func (s *server) publish(alarm, topic, subject, message string, also func(*store.Tx) error) error {
	t := &s.topics
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.failures) > 0 {
		err := t.failures[0]
		t.failures = t.failures[1:]
		return err
	}
	t.published = append(t.published, publication{alarm, topic, subject, message})
	return s.store.Update(also)
}

func (t *topics) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = append(t.failed, err)
}

func (t *topics) all() []publication {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.published)
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{store: must(store.Open(filepath.Join(t.TempDir(), "state.db")))(t)}
	t.Cleanup(func() {
		if err := s.store.Close(); err != nil {
			t.Error(err)
		}
	})
	s.set(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	s.metricsDir = t.TempDir()
	s.metrics = must(series.Open(series.Config{Dir: s.metricsDir, Now: s.now}))(t)
	t.Cleanup(func() {
		if err := s.metrics.Close(); err != nil {
			t.Error(err)
		}
	})
	s.service = cloudwatch.New(cloudwatch.Config{
		Store: s.store, Account: account, Region: region, RegionName: "US East (N. Virginia)", Now: s.now,
		Metrics: s.metrics,
		Publish: s.publish, After: func(time.Duration) <-chan time.Time { return time.After(time.Millisecond) },
		Failed: func(err error) { s.topics.fail(err) },
	})
	config := servicetest.Config(t, servicetest.Gateway(t, s.service.Gateway()))
	s.url, s.Client = *config.BaseEndpoint, sdk.NewFromConfig(config)
	return s
}

// must is for what cannot fail in a test that goes well.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// cpu is an alarm on the processor of a node.
func cpu(name string) *sdk.PutMetricAlarmInput {
	return &sdk.PutMetricAlarmInput{
		AlarmName: &name, AlarmDescription: new("CPU"), Namespace: new("AWS/ElastiCache"),
		MetricName: new("CPUUtilization"),
		Dimensions: []types.Dimension{{Name: new("CacheClusterId"), Value: new("mine-001")}},
		Statistic:  types.StatisticAverage,
		Period:     new(int32(300)), EvaluationPeriods: new(int32(2)), Threshold: new(75.0),
		ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, AlarmActions: []string{topic},
		TreatMissingData: new("breaching"),
	}
}

// put makes an alarm that a test starts from.
func (s *server) put(t *testing.T, in *sdk.PutMetricAlarmInput) {
	t.Helper()
	must(s.PutMetricAlarm(t.Context(), in))(t)
}

// names lists the alarms that a request finds, over all pages.
func (s *server) names(t *testing.T, in *sdk.DescribeAlarmsInput) (names []string) {
	t.Helper()
	pages := sdk.NewDescribeAlarmsPaginator(s, in)
	for pages.HasMorePages() {
		for _, a := range must(pages.NextPage(t.Context()))(t).MetricAlarms {
			names = append(names, *a.AlarmName)
		}
	}
	return names
}

// unchecked lets a request out that the SDK would not send: one that lacks what is required.
func unchecked(o *sdk.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		_, err := stack.Initialize.Remove("OperationInputValidation")
		return err
	})
}

// wantErrorBeginning checks an error's code and how its text begins.
func wantErrorBeginning(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got error %v, want %s", err, code)
	}
	if api.ErrorCode() != code || !strings.HasPrefix(api.ErrorMessage(), message) {
		t.Errorf("got  %s: %s\nwant %s: %s", api.ErrorCode(), api.ErrorMessage(), code, message)
	}
}
