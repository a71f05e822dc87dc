package alarm

import (
	"cmp"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/metricmath"
	"larder/internal/series"
)

// Reader reads metrics.
type Reader interface {
	Units(series.Key) []string
	Cells(key series.Key, from, to int64) ([]series.Cell, error)
}

// Metric is a metric and a statistic of it.
type Metric struct {
	Key       series.Key // if it has a unit, only that unit counts
	Statistic series.Statistic
	Period    int64 // seconds
}

// Cells returns a metric's cells from (inclusive) to (exclusive), in order. If the metric names no unit, they are of
// all units. With a series.DamageError, Cells returns the cells that can be read.
func (m Metric) Cells(r Reader, from, to int64) ([]series.Cell, error) {
	if m.Key.Unit != "" {
		return r.Cells(m.Key, from, to)
	}
	var all []series.Cell
	var lost error
	for i, unit := range r.Units(m.Key) {
		key := m.Key
		key.Unit = unit
		cells, err := r.Cells(key, from, to)
		if damage, failure := series.Damaged(err); failure != nil {
			return nil, failure
		} else if damage != nil {
			lost = damage
		}
		if i == 0 {
			all = cells
		} else {
			all = series.Union(all, cells)
		}
	}
	return all, lost
}

// Points returns a metric's values, one for each period with data, and the number of samples of each. Periods begin at
// origin plus a multiple of their length. With a series.DamageError, Points returns what can be read.
func (m Metric) Points(r Reader, from, to, origin int64) (points []metricmath.Point, samples []float64, err error) {
	cells, lost := m.Cells(r, from, to)
	if _, failure := series.Damaged(lost); failure != nil {
		return nil, nil, failure
	}
	for _, c := range series.Aggregate(cells, m.Period, origin, m.Statistic.Distributed()) {
		if v, ok := m.Statistic.Of(c); ok && finite(v) {
			points, samples = append(points, metricmath.Point{At: c.At, Value: v}), append(samples, c.Count)
		}
	}
	return points, samples, lost
}

// watch is a metric alarm prepared for evaluation.
type watch struct {
	rule    Rule
	metric  Metric // used if there is no program
	program *metricmath.Program
	metrics map[string]Metric
	result  string // id of the query that returns data
}

// pace returns the interval between evaluations. It is ten seconds, a minute or an hour, depending on the period and
// the number of periods.
func (w *watch) pace() time.Duration {
	switch {
	case w.rule.Period < time.Minute:
		return 10 * time.Second
	case w.rule.Period*time.Duration(w.rule.Periods) > 24*time.Hour:
		return time.Hour
	}
	return time.Minute
}

// newWatch prepares a definition that PutMetricAlarm has validated.
func newWatch(a *types.MetricAlarm) (*watch, error) {
	w := &watch{rule: Rule{
		Periods: int(*a.EvaluationPeriods), Datapoints: int(aws.ToInt32(a.DatapointsToAlarm)), Threshold: *a.Threshold,
		Comparison: Comparison(a.ComparisonOperator), Missing: Treatment(aws.ToString(a.TreatMissingData)),
		Unit: string(a.Unit),
	}}
	if len(a.Metrics) > 0 {
		return w, w.math(a.Metrics)
	}
	stat := cmp.Or(string(a.Statistic), aws.ToString(a.ExtendedStatistic))
	statistic, err := series.ParseStatistic(stat)
	if err != nil {
		return nil, err
	}
	w.metric = Metric{Key(a.Namespace, a.MetricName, a.Dimensions, a.Unit), statistic, int64(*a.Period)}
	w.rule.Period, w.rule.Statistic = time.Duration(*a.Period)*time.Second, stat
	if p, ok := statistic.Percentile(); ok && aws.ToString(a.EvaluateLowSampleCountPercentile) == "ignore" {
		w.rule.LowSamples = significant(p)
	}
	return w, nil
}

// Key converts a metric as the API names it.
func Key(namespace, name *string, dimensions []types.Dimension, unit types.StandardUnit) series.Key {
	k := series.Key{Namespace: aws.ToString(namespace), Name: aws.ToString(name), Unit: string(unit)}
	for _, d := range dimensions {
		k.Dimensions = append(k.Dimensions, series.Dimension{Name: aws.ToString(d.Name), Value: aws.ToString(d.Value)})
	}
	return k
}

// Math compiles queries, and returns the program and the metrics that it needs.
func Math(queries []types.MetricDataQuery) (*metricmath.Program, map[string]Metric, error) {
	var texts []metricmath.Query
	metrics := map[string]Metric{}
	for _, q := range queries {
		texts = append(texts, metricmath.Query{ID: *q.Id, Expression: aws.ToString(q.Expression)})
		if s := q.MetricStat; s != nil {
			statistic, err := series.ParseStatistic(aws.ToString(s.Stat))
			if err != nil {
				return nil, nil, err
			}
			metrics[*q.Id] = Metric{Key(s.Metric.Namespace, s.Metric.MetricName, s.Metric.Dimensions, s.Unit),
				statistic, int64(*s.Period)}
		}
	}
	program, err := metricmath.Compile(texts)
	return program, metrics, err
}

func (w *watch) math(queries []types.MetricDataQuery) (err error) {
	w.rule.Period = time.Duration(mathPeriod(queries)) * time.Second
	for _, q := range queries {
		if q.ReturnData == nil || *q.ReturnData {
			w.result = *q.Id
		}
	}
	w.program, w.metrics, err = Math(queries)
	if err == nil && w.program.Kind(w.result) != metricmath.Single {
		err = fmt.Errorf("the query %s gives %s, not one time series", w.result, w.program.Kind(w.result))
	}
	return err
}

// mathPeriod returns the longest period of the queries in seconds.
func mathPeriod(queries []types.MetricDataQuery) int32 {
	longest := int32(0)
	for _, q := range queries {
		longest = max(longest, aws.ToInt32(q.Period))
		if q.MetricStat != nil {
			longest = max(longest, aws.ToInt32(q.MetricStat.Period))
		}
	}
	return max(longest, 1)
}

// points returns the points of the alarm's range that ends at end, oldest first.
func (w *watch) points(r Reader, end int64) ([]Point, error) {
	period := int64(w.rule.Period / time.Second)
	from := end - period*int64(w.rule.Range())
	found, samples, err := w.values(r, from, end)
	if _, failure := series.Damaged(err); failure != nil { // damaged samples count as missing
		return nil, failure
	}
	var points []Point
	i := 0
	for at := from; at < end; at += period {
		for i < len(found) && found[i].At < at {
			i++
		}
		p := Point{At: time.Unix(at, 0).UTC(), Missing: i == len(found) || found[i].At != at}
		if !p.Missing {
			p.Value, p.Samples = found[i].Value, 1
			if samples != nil {
				p.Samples = samples[i]
			}
		}
		points = append(points, p)
	}
	return points, nil
}

func (w *watch) values(r Reader, from, end int64) ([]metricmath.Point, []float64, error) {
	if w.program == nil {
		return w.metric.Points(r, from, end, end)
	}
	data := map[string]metricmath.Series{}
	for _, id := range w.program.Needs(w.result) {
		m := w.metrics[id]
		points, _, err := m.Points(r, from, end, end)
		if _, failure := series.Damaged(err); failure != nil {
			return nil, nil, failure
		}
		data[id] = metricmath.Series{Period: m.Period, Points: points}
	}
	period := int64(w.rule.Period / time.Second)
	values, err := w.program.Eval(metricmath.Range{From: from, To: end, Period: period, Origin: end}, data)
	if err != nil {
		return nil, nil, err
	}
	return values[w.result].Series[0].Points, nil, nil
}
