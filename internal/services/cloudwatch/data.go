package cloudwatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/alarm"
	"larder/internal/series"
)

// Limits of PutMetricData. Source: its API reference; times seconds.
const (
	maxData   = 1000
	maxValues = 150
	maxPast   = 14 * 24 * time.Hour
	maxFuture = 2 * time.Hour
)

// maxMagnitude is 2^360.
var maxMagnitude = math.Ldexp(1, 360)

// putMetricData keeps a user's own samples: all of the request's, or none. They are on the disk when it returns.
func (s *Service) putMetricData(_ context.Context, in *sdk.PutMetricDataInput) (*sdk.PutMetricDataOutput, error) {
	switch {
	case strings.HasPrefix(aws.ToString(in.Namespace), "AWS/"):
		return nil, invalidValue("The value %s for parameter Namespace is invalid: namespaces that begin with AWS/ are "+
			"kept for the services themselves", *in.Namespace)
	case len(in.MetricData) == 0:
		return nil, missing("The parameter MetricData is required")
	case len(in.MetricData) > maxData:
		return nil, validation("The collection MetricData must not have a size greater than %d; it has %d", maxData,
			len(in.MetricData))
	}
	if err := checkUnits(in.MetricData); err != nil {
		return nil, err
	}
	var samples []series.Sample
	for i, d := range in.MetricData {
		if err := checkMetric(in.Namespace, d.MetricName, d.Dimensions); err != nil {
			return nil, err
		}
		cell, err := s.cell(fmt.Sprintf("MetricData.member.%d", i+1), d)
		if err != nil {
			return nil, err
		}
		unit := cmp.Or(d.Unit, types.StandardUnitNone)
		samples = append(samples, series.Sample{
			Key: alarm.Key(in.Namespace, d.MetricName, d.Dimensions, unit), Cell: cell,
			Fine: aws.ToInt32(d.StorageResolution) == 1,
		})
	}
	err := s.Metrics.Add(samples...)
	if errors.Is(err, series.ErrTooMany) {
		err = &types.LimitExceededFault{Message: new(err.Error())}
	}
	if err != nil {
		return nil, err
	}
	// A failure is none of the request: the samples are held until the disk takes them, and would count twice if they
	// were sent again.
	if err := s.Metrics.Flush(); err != nil {
		s.Failed(fmt.Errorf("cannot write metrics, which are held: %w", err))
	}
	return &sdk.PutMetricDataOutput{}, nil
}

// checkUnits refuses units that are none, all in one answer, as AWS words it.
func checkUnits(data []types.MetricDatum) error {
	known := types.StandardUnit("").Values()
	var names, wrong []string
	for _, unit := range known {
		names = append(names, string(unit))
	}
	for i, d := range data {
		if d.Unit != "" && !slices.Contains(known, d.Unit) {
			wrong = append(wrong, fmt.Sprintf("The parameter MetricData.member.%d.Unit must be a value in the "+
				"set [ %s ].",
				i+1, strings.Join(names, ", ")))
		}
	}
	if len(wrong) > 0 {
		return invalidValue("%s", strings.Join(wrong, "\n"))
	}
	return nil
}

// cell is what a datum says was measured. Messages call it by its member in the request.
func (s *Service) cell(member string, d types.MetricDatum) (series.Cell, error) {
	now := s.Now()
	at := now
	if d.Timestamp != nil {
		at = *d.Timestamp
	}
	switch r := d.StorageResolution; {
	case at.Before(now.Add(-maxPast)):
		return series.Cell{}, invalidValue("The parameter %s.Timestamp must specify a time within the past two weeks.",
			member)
	case at.After(now.Add(maxFuture)):
		return series.Cell{}, invalidValue("The parameter %s.Timestamp must specify a time no more than two hours in "+
			"the future.", member)
	case r != nil && *r != 1 && *r != 60:
		return series.Cell{}, invalidValue("The parameter %s.StorageResolution must be a value in the set [ 1, 60 ].",
			member)
	}
	var given []string
	for _, one := range []struct {
		name  string
		there bool
	}{{"Value", d.Value != nil}, {"StatisticValues", d.StatisticValues != nil}, {"Values", len(d.Values) > 0}} {
		if one.there {
			given = append(given, member+"."+one.name)
		}
	}
	switch {
	case len(given) == 0 && len(d.Counts) > 0:
		return series.Cell{}, invalidCombination("The parameter %s.Counts is for Values, of which none are given",
			member)
	case len(given) == 0:
		return series.Cell{}, missing("At least one of the parameters %[1]s.Value, %[1]s.StatisticValues and "+
			"%[1]s.Values must be specified", member)
	case len(given) > 1:
		return series.Cell{}, invalidCombination("The parameters %s and %s are mutually exclusive and you have "+
			"specified both.", given[0], given[1])
	case len(d.Counts) > 0 && len(d.Values) == 0:
		return series.Cell{}, invalidCombination("The parameters %s and %s.Counts are mutually exclusive and you "+
			"have specified both.", given[0], member)
	case d.StatisticValues != nil:
		return statisticSet(member+".StatisticValues", at.Unix(), d.StatisticValues)
	case d.Value != nil:
		return series.Single(at.Unix(), *d.Value), checkNumbers(given[0], *d.Value)
	}
	return distribution(member, at.Unix(), d)
}

func checkNumbers(member string, numbers ...float64) error {
	for _, v := range numbers {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return invalidValue("The value %v for parameter %s is invalid.", v, member)
		case math.Abs(v) > maxMagnitude:
			return invalidValue("The value %v for parameter %s is invalid: it must be a number between "+
				"-2^360 and 2^360", v, member)
		}
	}
	return nil
}

func statisticSet(member string, at int64, set *types.StatisticSet) (series.Cell, error) {
	if set.SampleCount == nil || set.Sum == nil || set.Minimum == nil || set.Maximum == nil {
		return series.Cell{}, missing("%s must have SampleCount, Sum, Minimum and Maximum", member)
	}
	c := series.Cell{At: at, Count: *set.SampleCount, Sum: *set.Sum, Min: *set.Minimum, Max: *set.Maximum}
	if err := checkNumbers(member, c.Count, c.Sum, c.Min, c.Max); err != nil {
		return c, err
	}
	switch {
	case c.Count <= 0:
		return c, invalidValue("%s.SampleCount must be greater than 0", member)
	case c.Min > c.Max:
		return c, invalidValue("The parameter %[1]s.Maximum must be greater than %[1]s.Minimum.", member)
	}
	return c, nil
}

// distribution is the cell of values with their counts, of which each is one when none are given.
func distribution(member string, at int64, d types.MetricDatum) (series.Cell, error) {
	switch {
	case len(d.Values) > maxValues:
		return series.Cell{}, invalidValue("The collection %s.Values must not have a size greater than %d; it has %d",
			member, maxValues, len(d.Values))
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return series.Cell{}, invalidValue("The parameters %[1]s.Values and %[1]s.Counts must be of the same size.",
			member)
	}
	var cells []series.Cell
	for i, v := range d.Values {
		count := 1.0
		if len(d.Counts) > 0 {
			count = d.Counts[i]
		}
		if err := checkNumbers(member+".Values", v, count); err != nil {
			return series.Cell{}, err
		}
		if count <= 0 {
			return series.Cell{}, invalidValue("Each of %s.Counts must be greater than 0", member)
		}
		cells = append(cells, series.Cell{At: at, Count: count, Sum: v * count, Min: v, Max: v})
	}
	return series.Union(cells, nil)[0], nil
}

// maxListed is how many metrics a page has.
const maxListed = 500

// listedFor is how long a metric without new samples is listed.
const listedFor = 14 * 24 * time.Hour

func (s *Service) listMetrics(_ context.Context, in *sdk.ListMetricsInput) (*sdk.ListMetricsOutput, error) {
	oldest := s.Now().Add(-listedFor)
	if in.RecentlyActive == types.RecentlyActivePt3h {
		oldest = s.Now().Add(-3 * time.Hour)
	}
	for _, d := range in.Dimensions {
		if aws.ToString(d.Name) == "" {
			return nil, missing("A dimension must have a Name")
		}
	}
	entries, err := s.Metrics.List(func(k series.Key) bool { return listAsked(in, k) })
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e series.Entry) bool { return e.Last < oldest.Unix() })
	for i := range entries {
		entries[i].Unit = ""
	}
	entries = slices.CompactFunc(entries, func(a, b series.Entry) bool { return a.Key.Equal(b.Key) })
	from, err := offsetOf(in.NextToken)
	if err != nil || from > len(entries) {
		return nil, invalidToken()
	}
	out := &sdk.ListMetricsOutput{Metrics: []types.Metric{}}
	for _, e := range entries[from:min(from+maxListed, len(entries))] {
		m := types.Metric{Namespace: &e.Namespace, MetricName: &e.Name, Dimensions: []types.Dimension{}}
		for _, d := range e.Dimensions {
			m.Dimensions = append(m.Dimensions, types.Dimension{Name: &d.Name, Value: &d.Value})
		}
		out.Metrics = append(out.Metrics, m)
	}
	if from+maxListed < len(entries) {
		out.NextToken = offsetToken(from + maxListed)
	}
	return out, nil
}

func listAsked(in *sdk.ListMetricsInput, k series.Key) bool {
	if in.Namespace != nil && *in.Namespace != k.Namespace || in.MetricName != nil && *in.MetricName != k.Name {
		return false
	}
	for _, want := range in.Dimensions {
		has := func(d series.Dimension) bool {
			return d.Name == *want.Name && (want.Value == nil || d.Value == *want.Value)
		}
		if !slices.ContainsFunc(k.Dimensions, has) {
			return false
		}
	}
	return true
}
