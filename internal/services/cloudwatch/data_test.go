package cloudwatch_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/series"
	"larder/internal/servicetest"
)

// sorted compares lists without regard to their order.
var sorted = cmpopts.SortSlices(func(a, b string) bool { return a < b })

var plainData = cmp.Options{
	plain, cmpopts.IgnoreUnexported(types.Datapoint{}, types.MetricDataResult{}, types.MessageData{}),
	cmpopts.SortSlices(func(a,
		b types.Datapoint) bool {
		return a.Timestamp.Before(*b.Timestamp)
	}), cmpopts.EquateApprox(1e-12, 0),
}

var node = []types.Dimension{{Name: new("Node"), Value: new("a")}}

// data sends data of the namespace Mine.
func (s *server) data(t *testing.T, data ...types.MetricDatum) {
	t.Helper()
	must(s.PutMetricData(t.Context(), &sdk.PutMetricDataInput{Namespace: new("Mine"), MetricData: data}))(t)
}

// values puts one value a minute, the last a minute ago.
func (s *server) values(t *testing.T, name string, values ...float64) {
	t.Helper()
	for i, v := range values {
		at := s.now().Add(time.Duration(i-len(values)) * time.Minute)
		s.data(t, types.MetricDatum{MetricName: &name, Dimensions: node, Value: &v, Timestamp: &at,
			Unit: types.StandardUnitCount})
	}
}

func TestMetricData(t *testing.T) {
	s := newServer(t) // at 05:06:07
	at := s.now().Add(-10 * time.Minute)
	s.data(t,
		types.MetricDatum{MetricName: new("Latency"), Dimensions: node, Timestamp: &at, Values: []float64{1, 2, 10},
			Counts: []float64{4, 5, 1}},
		types.MetricDatum{MetricName: new("Latency"), Dimensions: node, Timestamp: new(at.Add(time.Minute)),
			Value: new(4.0)},
		types.MetricDatum{MetricName: new("Latency"), Dimensions: node, Timestamp: new(at.Add(6 * time.Minute)),
			StatisticValues: &types.StatisticSet{SampleCount: new(3.0), Sum: new(6.0), Minimum: new(1.0),
				Maximum: new(3.0)}},
		types.MetricDatum{MetricName: new("Latency"), Dimensions: node, Timestamp: &at, Value: new(0.5),
			Unit: types.StandardUnitSeconds},
	)
	ask := func(change func(*sdk.GetMetricStatisticsInput)) []types.Datapoint {
		in := &sdk.GetMetricStatisticsInput{Namespace: new("Mine"), MetricName: new("Latency"), Dimensions: node,
			Unit:      types.StandardUnitNone,
			StartTime: &at, EndTime: new(s.now()), Period: new(int32(300)),
			Statistics: []types.Statistic{types.StatisticSampleCount, types.StatisticAverage, types.StatisticSum,
				types.StatisticMinimum, types.StatisticMaximum}}
		change(in)
		return must(s.GetMetricStatistics(t.Context(), in))(t).Datapoints
	}
	first, second := time.Date(2026, 3, 4, 4, 55, 0, 0, time.UTC), time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	point := func(at time.Time, n, avg, sum, low, high float64) types.Datapoint {
		return types.Datapoint{Timestamp: &at, Unit: types.StandardUnitNone, SampleCount: &n, Average: &avg, Sum: &sum,
			Minimum: &low, Maximum: &high}
	}
	want := []types.Datapoint{point(first, 11, 28.0/11, 28, 1, 10), point(second, 3, 2, 6, 1, 3)}
	if diff := cmp.Diff(want, ask(func(*sdk.GetMetricStatisticsInput) {}), plainData); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// Percentiles need the values, which the statistic set of the second period does not have.
	got := ask(func(in *sdk.GetMetricStatisticsInput) {
		in.Statistics, in.ExtendedStatistics = nil, []string{"p50", "p100", "tm50", "PR(:2)"}
	})
	want = []types.Datapoint{
		{Timestamp: &first, Unit: types.StandardUnitNone,
			ExtendedStatistics: map[string]float64{"p50": 2, "p100": 10, "tm50": 7.0 / 5.5, "PR(:2)": 900.0 / 11}},
	}
	if diff := cmp.Diff(want, got, plainData); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := ask(func(in *sdk.GetMetricStatisticsInput) { in.Unit = "" }); len(got) != 3 {
		t.Errorf("of all units: %d points", len(got))
	}
	if got := ask(func(in *sdk.GetMetricStatisticsInput) { in.Dimensions = nil }); len(got) != 0 {
		t.Errorf("without the dimension: %d points", len(got))
	}
}

// TestDataOutliveAKill: what PutMetricData acknowledged is on the disk, whenever the engine ends.
func TestDataOutliveAKill(t *testing.T) {
	s := newServer(t)
	s.values(t, "Load", 1, 2, 3)
	killed := t.TempDir() // has what the disk has at this moment
	if err := os.CopyFS(killed, os.DirFS(s.metricsDir)); err != nil {
		t.Fatal(err)
	}
	after := must(series.Open(series.Config{Dir: killed, Now: s.now}))(t)
	defer after.Close()
	cells := must(after.Cells(series.Key{Namespace: "Mine", Name: "Load",
		Dimensions: []series.Dimension{{Name: "Node", Value: "a"}}, Unit: "Count"}, 0, s.now().Unix()))(t)
	if len(cells) != 3 {
		t.Errorf("found %v", cells)
	}
}

func TestStatisticsRefusals(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		what          string
		change        func(*sdk.GetMetricStatisticsInput)
		code, message string
	}{
		{"times", func(in *sdk.GetMetricStatisticsInput) { in.StartTime = in.EndTime }, "InvalidParameterValue",
			"The parameter StartTime must be less than the parameter EndTime."},
		{"period", func(in *sdk.GetMetricStatisticsInput) { in.Period = new(int32(61)) }, "InvalidParameterValue",
			"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not 61"},
		{"fine", func(in *sdk.GetMetricStatisticsInput) {
			in.Period = new(int32(10))
			in.StartTime = new(s.now().Add(-4 * time.Hour))
		}, "InvalidParameterValue",
			"The parameter Period must be a multiple of 60 with a StartTime more than 3 hours ago, not 10"},
		{"old", func(in *sdk.GetMetricStatisticsInput) { in.StartTime = new(s.now().AddDate(0, 0, -16)) },
			"InvalidParameterValue",
			"The parameter Period must be a multiple of 300 with a StartTime more than 15 days ago, not 60"},
		{"points", func(in *sdk.GetMetricStatisticsInput) { in.StartTime = new(s.now().Add(-48 * time.Hour)) },
			"InvalidParameterCombination",
			"You have requested up to 2880 datapoints, which exceeds the limit of 1440. You may reduce the datapoints " +
				"requested by increasing Period, or decreasing the time range."},
		{"no statistic", func(in *sdk.GetMetricStatisticsInput) { in.Statistics = nil }, "InvalidParameterCombination",
			"Exactly one of the parameters Statistics and ExtendedStatistics must be given"},
		{"statistic", func(in *sdk.GetMetricStatisticsInput) { in.Statistics = []types.Statistic{"Median"} },
			"ValidationError", violation("'[Median]' ", "statistics",
				"satisfy constraint: [Member must "+"satisfy enum value set: [Maximum, SampleCount, Sum, "+
					"Minimum, Average]"+"]")},
		{"extended", func(in *sdk.GetMetricStatisticsInput) {
			in.Statistics, in.ExtendedStatistics = nil, []string{"Average"}
		}, "InvalidParameterValue", `The ExtendedStatistic "Average" is not a percentile such as p90, tm, tc, ts, wm, IQM, ` +
			`or TM, TC, TS, WM or PR with bounds`},
	} {
		t.Run(test.what, func(t *testing.T) {
			in := &sdk.GetMetricStatisticsInput{Namespace: new("Mine"), MetricName: new("M"), Period: new(int32(60)),
				EndTime:   new(s.now()),
				StartTime: new(s.now().Add(-time.Hour)), Statistics: []types.Statistic{types.StatisticSum}}
			test.change(in)
			_, err := s.GetMetricStatistics(t.Context(), in)
			servicetest.WantError(t, err, test.code, test.message)
		})
	}
}

// wrongUnit is what AWS answered about a unit that is none.
func wrongUnit(number int) string {
	return fmt.Sprintf("The parameter MetricData.member.%d.Unit must be a value in the set [ Seconds, Microseconds, "+
		"Milliseconds, Bytes, "+
		"Kilobytes, Megabytes, Gigabytes, Terabytes, Bits, Kilobits, Megabits, Gigabits, Terabits, Percent, Count, "+
		"Bytes/Second, "+
		"Kilobytes/Second, Megabytes/Second, Gigabytes/Second, Terabytes/Second, Bits/Second, Kilobits/Second, "+
		"Megabits/Second, "+
		"Gigabits/Second, Terabits/Second, Count/Second, None ].", number)
}

func TestDataRefusals(t *testing.T) {
	s := newServer(t)
	datum := func(change func(*types.MetricDatum)) *sdk.PutMetricDataInput {
		d := types.MetricDatum{MetricName: new("M"), Value: new(1.0)}
		change(&d)
		return &sdk.PutMetricDataInput{Namespace: new("Mine"), MetricData: []types.MetricDatum{d}}
	}
	for _, test := range []struct {
		what          string
		in            *sdk.PutMetricDataInput
		code, message string
	}{
		{"namespace", &sdk.PutMetricDataInput{Namespace: new("AWS/ElastiCache"),
			MetricData: []types.MetricDatum{{MetricName: new("M"), Value: new(1.0)}}}, "InvalidParameterValue",
			"The value AWS/ElastiCache for parameter Namespace is invalid: namespaces that begin with AWS/ are kept for the " +
				"services themselves"},
		{"none", &sdk.PutMetricDataInput{Namespace: new("Mine")}, "MissingParameter",
			"The parameter MetricData is required"},
		{"nothing", datum(func(d *types.MetricDatum) { d.Value = nil }), "MissingParameter",
			"At least one of the parameters MetricData.member.1.Value, MetricData.member.1.StatisticValues and " +
				"MetricData.member.1.Values must be specified"},
		{"two", datum(func(d *types.MetricDatum) { d.Values = []float64{1} }), "InvalidParameterCombination",
			"The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually exclusive and you " +
				"have specified both."},
		{"no number", datum(func(d *types.MetricDatum) { d.Value = new(math.NaN()) }), "InvalidParameterValue",
			"The value NaN for parameter MetricData.member.1.Value is invalid."},
		{"counts", datum(func(d *types.MetricDatum) {
			d.Value, d.Values, d.Counts = nil, []float64{1, 2},
				[]float64{1}
		}), "InvalidParameterValue",
			"The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size."},
		{"old", datum(func(d *types.MetricDatum) { d.Timestamp = new(s.now().AddDate(0, 0, -15)) }),
			"InvalidParameterValue",
			"The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks."},
		{"resolution", datum(func(d *types.MetricDatum) { d.StorageResolution = new(int32(5)) }),
			"InvalidParameterValue",
			// boto/botocore issue 1671, which prints no code
			"The parameter MetricData.member.1.StorageResolution must be a value in the set [ 1, 60 ]."},
		{"unit", datum(func(d *types.MetricDatum) { d.Unit = "Furlongs" }), "InvalidParameterValue",
			wrongUnit(1)},
		{"units", &sdk.PutMetricDataInput{Namespace: new("Mine"), MetricData: []types.MetricDatum{
			{MetricName: new("M"), Value: new(1.0), Unit: "Miles"}, {MetricName: new("M"), Value: new(1.0)},
			{MetricName: new("M"), Value: new(1.0), Unit: "Yards"},
		}}, "InvalidParameterValue", wrongUnit(1) + "\n" + wrongUnit(3)},
		{"value and set", datum(func(d *types.MetricDatum) {
			d.StatisticValues = &types.StatisticSet{SampleCount: new(
				1.0)}
		}),
			"InvalidParameterCombination",
			"The parameters MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive " +
				"and you have specified both."},
		{"set", datum(func(d *types.MetricDatum) {
			d.Value, d.StatisticValues = nil, &types.StatisticSet{SampleCount: new(1.0), Sum: new(1.0),
				Minimum: new(2.0), Maximum: new(1.0)}
		}),
			"InvalidParameterValue", "The parameter MetricData.member.1.StatisticValues.Maximum must be greater than " +
				"MetricData.member.1.StatisticValues.Minimum."},
	} {
		t.Run(test.what, func(t *testing.T) {
			_, err := s.PutMetricData(t.Context(), test.in, unchecked)
			servicetest.WantError(t, err, test.code, test.message)
		})
	}
	if list := must(s.ListMetrics(t.Context(), &sdk.ListMetricsInput{}))(t).Metrics; len(list) != 0 {
		t.Errorf("kept %v", list)
	}
}

func TestListMetrics(t *testing.T) {
	s := newServer(t)
	var data []types.MetricDatum
	for i := range 700 {
		data = append(data, types.MetricDatum{MetricName: new(fmt.Sprintf("M%03d", i)), Dimensions: node,
			Value: new(1.0), Timestamp: new(s.now().Add(-time.Duration(i) * time.Minute))})
	}
	data = append(data, types.MetricDatum{MetricName: new("M000"), Dimensions: node, Value: new(1.0),
		Unit: types.StandardUnitBytes}, types.MetricDatum{MetricName: new("M000"), Value: new(1.0)})
	s.data(t, data...)
	count := func(in sdk.ListMetricsInput) (n int) {
		pages := sdk.NewListMetricsPaginator(s, &in)
		for pages.HasMorePages() {
			page := must(pages.NextPage(t.Context()))(t).Metrics
			if len(page) > 500 {
				t.Errorf("a page of %d", len(page))
			}
			n += len(page)
		}
		return n
	}
	for _, test := range []struct {
		in   sdk.ListMetricsInput
		want int
	}{
		{sdk.ListMetricsInput{}, 701}, {sdk.ListMetricsInput{Namespace: new("Other")}, 0},
		{sdk.ListMetricsInput{MetricName: new("M000")}, 2},
		{sdk.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: new("Node")}}}, 700},
		{sdk.ListMetricsInput{Dimensions: []types.DimensionFilter{{Name: new("Node"), Value: new("b")}}}, 0},
		{sdk.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h}, 181},
	} {
		if got := count(test.in); got != test.want {
			t.Errorf("%+v: %d metrics, want %d", test.in, got, test.want)
		}
	}
}

// A metric that is asked for by several statistics has them in its labels, unless it was given others.
func TestLabelsOfSeveralStatistics(t *testing.T) {
	s := newServer(t)
	s.set(time.Date(2026, 3, 4, 5, 10, 0, 0, time.UTC))
	s.values(t, "CacheHits", 9)
	query := func(id, name, stat string) types.MetricDataQuery {
		metric := &types.Metric{Namespace: new("Mine"), MetricName: &name, Dimensions: node}
		return types.MetricDataQuery{Id: &id,
			MetricStat: &types.MetricStat{Metric: metric, Period: new(int32(60)), Stat: &stat}}
	}
	labelled := query("d", "CacheHits", "Maximum")
	labelled.Label = new("most")
	in := &sdk.GetMetricDataInput{StartTime: new(s.now().Add(-time.Minute)), EndTime: new(s.now()),
		MetricDataQueries: []types.MetricDataQuery{
			query("a", "CacheHits", "Sum"), query("b", "CacheHits", "Average"), query("c", "CacheMisses", "Sum"),
			labelled,
		}}
	var labels []string
	for _, r := range must(s.GetMetricData(t.Context(), in))(t).MetricDataResults {
		labels = append(labels, *r.Label)
	}
	if want := []string{"CacheHits Sum", "CacheHits Average", "CacheMisses", "most"}; !slices.Equal(labels, want) {
		t.Errorf("labels are %q, want %q", labels, want)
	}
	in.EndTime = in.StartTime
	_, err := s.GetMetricData(t.Context(), in)
	servicetest.WantError(t, err, "ValidationError", "The parameter StartTime must not equal parameter EndTime.")
}

func TestGetMetricData(t *testing.T) {
	s := newServer(t)
	s.set(time.Date(2026, 3, 4, 5, 10, 0, 0, time.UTC))
	s.values(t, "CacheHits", 9, 8, 0, 6)
	s.values(t, "CacheMisses", 1, 2, 0, 4)
	metric := func(name string) *types.MetricStat {
		return &types.MetricStat{Metric: &types.Metric{Namespace: new("Mine"), MetricName: &name, Dimensions: node},
			Period: new(int32(60)), Stat: new("Sum")}
	}
	in := &sdk.GetMetricDataInput{StartTime: new(s.now().Add(-4 * time.Minute)), EndTime: new(s.now()),
		ScanBy: types.ScanByTimestampAscending, MetricDataQueries: []types.MetricDataQuery{
			{Id: new("rate"), Expression: new("m1/(m1+m2)*100"), Label: new("Hit rate")},
			{Id: new("m1"), MetricStat: metric("CacheHits")},
			{Id: new("m2"), MetricStat: metric("CacheMisses"), ReturnData: new(false)},
			{Id: new("both"), Expression: new("SORT(METRICS(), SUM, ASC)")},
		}}
	minute := func(n int) time.Time { return s.now().Add(time.Duration(n-4) * time.Minute) }
	result := func(id, label string, times []time.Time, values ...float64) types.MetricDataResult {
		return types.MetricDataResult{Id: &id, Label: &label, StatusCode: types.StatusCodeComplete, Timestamps: times,
			Values: values}
	}
	four := []time.Time{minute(0), minute(1), minute(2), minute(3)}
	want := []types.MetricDataResult{
		result("rate", "Hit rate", []time.Time{minute(0), minute(1), minute(3)}, 90, 80, 60),
		result("m1", "CacheHits", four, 9, 8, 0, 6),
		result("both", "m2", four, 1, 2, 0, 4), result("both", "m1", four, 9, 8, 0, 6),
	}
	if diff := cmp.Diff(want, must(s.GetMetricData(t.Context(), in))(t).MetricDataResults, plainData); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	in.ScanBy = ""
	newest := must(s.GetMetricData(t.Context(), in))(t).MetricDataResults[0]
	if diff := cmp.Diff([]float64{60, 80, 90}, newest.Values); diff != "" || !newest.Timestamps[0].Equal(minute(3)) {
		t.Errorf("newest first: %v", newest)
	}
	// Pages hold so many points, over all results.
	in.ScanBy, in.MaxDatapoints = types.ScanByTimestampAscending, new(int32(4))
	var rates, hits []float64
	pages := sdk.NewGetMetricDataPaginator(s, in)
	for pages.HasMorePages() {
		page := must(pages.NextPage(t.Context()))(t)
		rates, hits = append(rates, page.MetricDataResults[0].Values...), append(hits,
			page.MetricDataResults[1].Values...)
	}
	if !slices.Equal(rates, []float64{90, 80, 60}) || !slices.Equal(hits, []float64{9, 8, 0, 6}) {
		t.Errorf("in pages: %v %v", rates, hits)
	}
	for change, message := range map[string]string{
		"AVG(m1)":    "ValidationError: Error in expression 'rate': it gives a number, not a time series",
		"both":       "ValidationError: Error in expression 'rate': it refers to itself by way of both",
		"m1 +":       "ValidationError: Error in expression 'rate': it ends where a value should stand",
		"SELECT x":   "InvalidParameterValue: larder does not serve Metrics Insights queries: the Expression of rate is one",
		"SEARCH('')": "ValidationError: Error in expression 'rate': larder does not serve SEARCH: name the metrics",
	} {
		in.MetricDataQueries[0].Expression, in.MetricDataQueries[3].Expression = &change, new("rate")
		_, err := s.GetMetricData(t.Context(), in)
		code, text, _ := strings.Cut(message, ": ")
		servicetest.WantError(t, err, code, text)
	}
}

// What comes and what ends while a client goes from page to page is no reason to give it a point twice, or not at all.
func TestGetMetricDataPagesWhileDataComes(t *testing.T) {
	for _, order := range types.ScanBy("").Values() {
		t.Run(string(order), func(t *testing.T) {
			s := newServer(t)
			s.set(time.Date(2026, 3, 4, 5, 10, 0, 0, time.UTC))
			begin := s.now().Add(-10 * time.Minute)
			sample := func(at time.Time) {
				for _, name := range []string{"A", "B"} {
					s.data(t, types.MetricDatum{MetricName: &name, Dimensions: node, Value: new(1.0), Timestamp: &at})
				}
			}
			for at := begin; at.Before(s.now()); at = at.Add(time.Minute) {
				sample(at)
			}
			query := func(id, name string) types.MetricDataQuery {
				return types.MetricDataQuery{Id: &id,
					MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: new("Mine"), MetricName: &name,
						Dimensions: node}, Period: new(int32(60)), Stat: new("Sum")}}
			}
			pages := sdk.NewGetMetricDataPaginator(s, &sdk.GetMetricDataInput{
				StartTime: &begin, EndTime: new(s.now().Add(time.Hour)), ScanBy: order, MaxDatapoints: new(int32(3)),
				MetricDataQueries: []types.MetricDataQuery{query("a", "A"), query("b", "B")},
			})
			seen := map[string]int{}
			for pages.HasMorePages() {
				n := 0
				for _, r := range must(pages.NextPage(t.Context()))(t).MetricDataResults {
					for _, at := range r.Timestamps {
						seen[*r.Id+at.Format(" 15:04")]++
						n++
					}
				}
				if n > 3 {
					t.Errorf("a page of %d", n)
				}
				if len(seen) < 15 {
					sample(s.now())
					s.set(s.now().Add(time.Minute))
				}
			}
			for i := range 10 {
				for _, id := range []string{"a", "b"} {
					seen[id+begin.Add(time.Duration(i)*time.Minute).Format(" 15:04")] += 0
				}
			}
			for point, n := range seen {
				if n != 1 {
					t.Errorf("%s comes %d times", point, n)
				}
			}
		})
	}
}
