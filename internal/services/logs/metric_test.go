package logs_test

import (
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/services/logs"
	"larder/internal/servicetest"
	"larder/internal/store"
)

func (s *server) makeFilter(t *testing.T, pattern string, tr types.MetricTransformation) error {
	t.Helper()
	_, err := s.PutMetricFilter(t.Context(), &sdk.PutMetricFilterInput{
		LogGroupName: new("mine"), FilterName: new("f"), FilterPattern: &pattern,
		MetricTransformations: []types.MetricTransformation{tr},
	})
	return err
}

// TestFilteredValuesAreMeasurable: what PutMetricData would refuse comes from no log line and no filter either.
func TestFilteredValuesAreMeasurable(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "a")
	for _, value := range []string{"NaN", "Inf", "-infinity", "1e300"} {
		err := s.makeFilter(t, "a", types.MetricTransformation{MetricNamespace: new("N"), MetricName: new("M"),
			MetricValue: &value})
		servicetest.WantError(t, err, "InvalidParameterException", `Invalid metric transformation: the value "`+value+
			`" is neither a number between -2^360 and 2^360 nor something that the filter pattern names`)
	}
	servicetest.WantError(t, s.makeFilter(t, "a",
		types.MetricTransformation{MetricNamespace: new("N"), MetricName: new("M"), MetricValue: new("1"),
			DefaultValue: new(1e300)}),
		"InvalidParameterException",
		"Invalid metric transformation: the default value must be a number between -2^360 and 2^360")
	servicetest.WantError(t, s.makeFilter(t, "a",
		types.MetricTransformation{MetricNamespace: new("AWS/ElastiCache"), MetricName: new("M"),
			MetricValue: new("1")}),
		"InvalidParameterException",
		"Invalid metric transformation: namespaces that begin with AWS/ are kept for the services themselves")
	if err := s.makeFilter(t, "[value, of]",
		types.MetricTransformation{MetricNamespace: new("N"), MetricName: new("M"), MetricValue: new("$value"),
			Dimensions: map[string]string{"Of": "$of"}}); err != nil {
		t.Fatal(err)
	}
	s.put(t, "mine", "a", "NaN x", "inf x", "-Inf x", "1e200 x", "2 "+strings.Repeat("x", 1025))
	want := []logs.Datum{{Namespace: "N", Metric: "M", Time: s.metrics[0].Time.Truncate(time.Millisecond), Value: 2}}
	if diff := cmp.Diff(want, s.metrics); diff != "" {
		t.Error(diff)
	}
}

// TestKeptEventsAreNoFailure: events that are kept and cannot be counted are not to be sent again, and other filters
// count them.
func TestKeptEventsAreNoFailure(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "a")
	err := s.logs.Store.Update(func(tx *store.Tx) error {
		return store.Table[map[string]string]("log-metric-filters").Put(tx, "mine:bad",
			map[string]string{"Group": "mine", "Name": "bad", "Pattern": `"`})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.makeFilter(t, "", types.MetricTransformation{MetricNamespace: new("N"), MetricName: new("M"),
		MetricValue: new("1")}); err != nil {
		t.Fatal(err)
	}
	s.put(t, "mine", "a", "one")
	if len(s.metrics) != 1 || len(s.failed) != 1 {
		t.Errorf("counted are %v, failed is %v", s.metrics, s.failed)
	}
}
