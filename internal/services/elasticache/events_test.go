package elasticache_test

import (
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/event"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

// addNotice records that something happened so long ago.
func (s *server) addNotice(t *testing.T, ago time.Duration, sourceType, source, message string) {
	t.Helper()
	s.change(t, func(tx *store.Tx) error {
		return state.AddNotice(tx, event.Notice{Date: s.now.Add(-ago), SourceType: sourceType, Source: source,
			Message: message})
	})
}

func TestDescribeEvents(t *testing.T) {
	s := newServer(t)
	s.addNotice(t, 25*time.Hour, event.SourceGroup, "mine", "yesterday")
	s.addNotice(t, 61*time.Minute, event.SourceGroup, "mine", "before")
	s.addNotice(t, 30*time.Minute, event.SourceCluster, "mine-001", "earlier")
	s.addNotice(t, 0, event.SourceGroup, "mine", "now")
	s.addNotice(t, 0, event.SourceGroup, "other", "just now")
	ago := func(d time.Duration) *time.Time { return new(s.now.Add(-d)) }
	for name, test := range map[string]struct {
		in   sdk.DescribeEventsInput
		want []string
	}{
		"last hour": {sdk.DescribeEventsInput{}, []string{"just now", "now", "earlier"}},
		"duration": {sdk.DescribeEventsInput{Duration: new(int32(62))},
			[]string{"just now", "now", "earlier", "before"}},
		"two weeks": {sdk.DescribeEventsInput{Duration: new(int32(14 * 24 * 60))},
			[]string{"just now", "now", "earlier", "before", "yesterday"}},
		"type":   {sdk.DescribeEventsInput{SourceType: types.SourceTypeCacheCluster}, []string{"earlier"}},
		"source": {sdk.DescribeEventsInput{SourceIdentifier: new("Mine")}, []string{"now"}},
		"type and source": {sdk.DescribeEventsInput{SourceType: types.SourceTypeUser, SourceIdentifier: new("mine")},
			nil},
		"from": {sdk.DescribeEventsInput{StartTime: ago(26 * time.Hour)},
			[]string{"just now", "now", "earlier", "before", "yesterday"}},
		"from, so long": {sdk.DescribeEventsInput{StartTime: ago(26 * time.Hour), Duration: new(int32(90))},
			[]string{"yesterday"}},
		"from and to": {sdk.DescribeEventsInput{StartTime: ago(2 * time.Hour), EndTime: ago(time.Minute)},
			[]string{"earlier", "before"}},
		"the hour before": {sdk.DescribeEventsInput{EndTime: ago(31 * time.Minute)}, []string{"before"}},
		"so long before": {sdk.DescribeEventsInput{EndTime: ago(time.Minute), Duration: new(int32(30))},
			[]string{"earlier"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range must(s.DescribeEvents(t.Context(), &test.in))(t).Events {
				got = append(got, *e.Message)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	out := must(s.DescribeEvents(t.Context(), &sdk.DescribeEventsInput{SourceType: types.SourceTypeCacheCluster}))(t)
	want := types.Event{
		Date: ago(30 * time.Minute), SourceIdentifier: new("mine-001"), SourceType: types.SourceTypeCacheCluster,
		Message: new("earlier"),
	}
	if diff := cmp.Diff(want, out.Events[0], ignoreUnexported); diff != "" {
		t.Error(diff)
	}
}

func TestDescribeEventsRefusals(t *testing.T) {
	s := newServer(t)
	describe := func(in sdk.DescribeEventsInput) error {
		_, err := s.DescribeEvents(t.Context(), &in)
		return err
	}
	early, late := s.now.Add(-time.Hour), s.now
	servicetest.WantError(t, describe(sdk.DescribeEventsInput{SourceType: "cluster"}), value,
		"Invalid value cluster for SourceType. Must be one of "+
			"[cache-cluster cache-parameter-group cache-security-group cache-subnet-group replication-group "+
			"serverless-cache "+
			"serverless-cache-snapshot user user-group]")
	servicetest.WantError(t, describe(sdk.DescribeEventsInput{Duration: new(int32(0))}), value,
		"Invalid value 0 for Duration. Must be between 1 and 20160 minutes")
	servicetest.WantError(t, describe(sdk.DescribeEventsInput{Duration: new(int32(20161))}), value,
		"Invalid value 20161 for Duration. Must be between 1 and 20160 minutes")
	servicetest.WantError(t, describe(sdk.DescribeEventsInput{StartTime: &late, EndTime: &early}), combination,
		"StartTime 2026-03-04T05:06:07Z must not be later than EndTime 2026-03-04T04:06:07Z.")
	servicetest.WantError(t, describe(sdk.DescribeEventsInput{StartTime: &early, EndTime: &late,
		Duration: new(int32(1))}), combination,
		"Cannot specify all of StartTime, EndTime and Duration.")
}
