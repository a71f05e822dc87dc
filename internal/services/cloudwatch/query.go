package cloudwatch

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/metricmath"
	"larder/internal/series"
)

// Limits of GetMetricData (alarm_semantics.md, section 8).
const (
	maxDataQueries = 500
	maxDatapoints  = 100_800
)

// getMetricData reads metrics and evaluates metric math over them. A page has so many points, counted over all results
// in the order of the queries; a result that goes on is partial.
func (s *Service) getMetricData(_ context.Context, in *sdk.GetMetricDataInput) (*sdk.GetMetricDataOutput, error) {
	switch n := len(in.MetricDataQueries); {
	case n < 1 || n > maxDataQueries:
		return nil, validation("Between 1 and %d MetricDataQueries must be given; the request has %d", maxDataQueries,
			n)
	case in.MaxDatapoints != nil && (*in.MaxDatapoints < 1 || *in.MaxDatapoints > maxDatapoints):
		return nil, validation("MaxDatapoints is %d. It must be between 1 and %d", *in.MaxDatapoints, maxDatapoints)
	}
	if in.StartTime != nil && in.EndTime != nil && in.StartTime.Equal(*in.EndTime) {
		return nil, validation("The parameter StartTime must not equal parameter EndTime.")
	}
	from, err := parsePosition(in.NextToken)
	if err != nil {
		return nil, invalidToken()
	}
	if err := checkQueries("MetricDataQueries", in.MetricDataQueries); err != nil {
		return nil, err
	}
	results, err := s.evaluate(in)
	if err != nil {
		return nil, err
	}
	size := maxDatapoints
	if in.MaxDatapoints != nil {
		size = int(*in.MaxDatapoints)
	}
	out := &sdk.GetMetricDataOutput{MetricDataResults: results, Messages: []types.MessageData{}}
	if end, more := pageOfPoints(results, in.ScanBy, from, size); more {
		out.NextToken = end.token()
	}
	return out, nil
}

func (s *Service) evaluate(in *sdk.GetMetricDataInput) ([]types.MetricDataResult, error) {
	program, metrics, err := compile(in.MetricDataQueries)
	if err != nil {
		return nil, err
	}
	r, err := s.gridOf(in, metrics)
	if err != nil {
		return nil, err
	}
	data, lost := map[string]metricmath.Series{}, map[string]bool{}
	for id, m := range metrics {
		from, to, err := s.rangeOf(int32(m.Period), in.StartTime, in.EndTime)
		if err != nil {
			return nil, err
		}
		// Periods are aligned to their multiples, so the last may not be over.
		points, _, err := m.Points(s.Metrics, aligned(from, int32(m.Period)), to, 0)
		damage, failure := series.Damaged(err)
		if failure != nil {
			return nil, failure
		}
		lost[id] = damage != nil || s.Metrics.Lost(from, to)
		data[id] = metricmath.Series{Period: m.Period, Points: points}
	}
	values, err := program.Eval(r, data)
	var mistake *metricmath.Error
	if errors.As(err, &mistake) {
		return nil, validation("%v", mistake)
	}
	if err != nil {
		return nil, err
	}
	labels := metricLabels(in.MetricDataQueries)
	results := []types.MetricDataResult{}
	for _, q := range in.MetricDataQueries {
		if !returns(q) {
			continue
		}
		if program.Kind(*q.Id) == metricmath.Scalar {
			return nil, validation("Error in expression '%s': it gives a number, not a time series", *q.Id)
		}
		partial := slices.ContainsFunc(program.Needs(*q.Id), func(id string) bool { return lost[id] })
		for _, one := range values[*q.Id].Series {
			r := result(q, labels[*q.Id], values[*q.Id].Kind, one, in.ScanBy)
			if partial {
				r.StatusCode, r.Messages = types.StatusCodePartialData, []types.MessageData{samplesLost()}
			}
			results = append(results, r)
		}
	}
	return results, nil
}

// samplesLost is the message of a result that lacks samples which cannot be read.
func samplesLost() types.MessageData {
	return types.MessageData{
		Code: new("InternalError"),
		Value: new("larder cannot read some samples of this time: its files of metrics are damaged. The engine's " +
			"log names them"),
	}
}

// gridOf is the range that expressions are evaluated over, with the shortest period that the request names.
func (s *Service) gridOf(in *sdk.GetMetricDataInput, metrics map[string]alarm.Metric) (r metricmath.Range, err error) {
	var periods []int64
	for _, m := range metrics {
		periods = append(periods, m.Period)
	}
	for _, q := range in.MetricDataQueries {
		if q.Period != nil {
			periods = append(periods, int64(*q.Period))
		}
	}
	if len(periods) == 0 {
		return r, missing(noPeriod)
	}
	r.Period = slices.Min(periods)
	r.From, r.To, err = s.rangeOf(int32(r.Period), in.StartTime, in.EndTime)
	r.From = aligned(r.From, int32(max(r.Period, 1)))
	return r, err
}

// metricLabels are those that metrics get which are given none, by the ids of their queries: a metric's name, and its
// statistic where the metric is asked for by several.
func metricLabels(queries []types.MetricDataQuery) map[string]string {
	labels := map[string]string{}
	for _, q := range queries {
		if q.MetricStat == nil || q.MetricStat.Metric == nil {
			continue
		}
		name := aws.ToString(q.MetricStat.Metric.MetricName)
		several := slices.ContainsFunc(queries, func(other types.MetricDataQuery) bool {
			return returns(other) && other.Label == nil && other.MetricStat != nil && other.MetricStat.Metric != nil &&
				aws.ToString(other.MetricStat.Metric.MetricName) == name &&
				aws.ToString(other.MetricStat.Stat) != aws.ToString(q.MetricStat.Stat)
		})
		if several {
			name += " " + aws.ToString(q.MetricStat.Stat)
		}
		labels[*q.Id] = name
	}
	return labels
}

func result(
	q types.MetricDataQuery, label string, kind metricmath.Kind, s metricmath.Series, order types.ScanBy,
) types.MetricDataResult {
	out := types.MetricDataResult{Id: q.Id, Label: q.Label, StatusCode: types.StatusCodeComplete,
		Timestamps: []time.Time{}, Values: []float64{}}
	switch {
	case kind == metricmath.Array && q.Label != nil:
		out.Label = new(*q.Label + " " + s.Name)
	case q.Label != nil:
	case kind == metricmath.Array:
		out.Label = &s.Name
	case q.MetricStat != nil:
		out.Label = &label
	default:
		out.Label = q.Id
	}
	for _, p := range s.Points {
		out.Timestamps, out.Values = append(out.Timestamps, time.Unix(p.At, 0).UTC()), append(out.Values, p.Value)
	}
	if order != types.ScanByTimestampAscending {
		slices.Reverse(out.Timestamps)
		slices.Reverse(out.Values)
	}
	return out
}

// offsetOf reads a token that offsetToken made.
func offsetOf(token *string) (int, error) {
	if token == nil {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(aws.ToString(token))
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(text), 10, 31)
	return int(n), err
}

func offsetToken(n int) *string {
	return new(base64.RawURLEncoding.EncodeToString(strconv.AppendInt(nil, int64(n), 10)))
}
