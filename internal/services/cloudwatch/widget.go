package cloudwatch

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/widget"
)

// getMetricWidgetImage draws metrics as GetMetricData reads them.
func (s *Service) getMetricWidgetImage(
	_ context.Context, in *sdk.GetMetricWidgetImageInput,
) (*sdk.GetMetricWidgetImageOutput, error) {
	if in.MetricWidget == nil {
		return nil, missing("The parameter MetricWidget is required")
	}
	w, err := widget.Parse(*in.MetricWidget, s.Now())
	if err != nil {
		return nil, validation("Invalid MetricWidget: %v", err)
	}
	queries, err := s.widgetQueries(w)
	if err != nil {
		return nil, err
	}
	if err := checkQueries("metrics", queries); err != nil {
		return nil, err
	}
	results, err := s.evaluate(&sdk.GetMetricDataInput{
		StartTime: &w.Start, EndTime: &w.End, MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending,
	})
	if err != nil {
		return nil, err
	}
	var image bytes.Buffer
	if err := widget.Draw(&image, w, widgetSeries(w, queries, results)); err != nil {
		return nil, fmt.Errorf("draw the widget: %w", err)
	}
	return &sdk.GetMetricWidgetImageOutput{MetricWidgetImage: image.Bytes()}, nil
}

// widgetQueries asks for a widget's metrics, one query for each.
func (s *Service) widgetQueries(w widget.Widget) ([]types.MetricDataQuery, error) {
	var queries []types.MetricDataQuery
	labels := labelsOf(w.Metrics)
	for i, m := range w.Metrics {
		if m.Region != "" && m.Region != s.Region {
			return nil, validation("Invalid MetricWidget: /metrics/%d: larder is the region %s; it has nothing of %s",
				i, s.Region, m.Region)
		}
		q := types.MetricDataQuery{Id: &m.ID, Label: aws.String(labels[i]), ReturnData: new(!m.Hidden())}
		if m.ID == "" {
			q.Id = new(freeID(w.Metrics, i))
		}
		if m.Expression != "" {
			q.Expression, q.Period = &m.Expression, &m.Period
		} else {
			q.MetricStat = &types.MetricStat{Stat: &m.Stat, Period: &m.Period,
				Metric: &types.Metric{Namespace: &m.Namespace, MetricName: &m.Name}}
			for _, d := range m.Dimensions {
				q.MetricStat.Metric.Dimensions = append(q.MetricStat.Metric.Dimensions,
					types.Dimension{Name: &d.Name, Value: &d.Value})
			}
		}
		if labels[i] == "" {
			q.Label = nil
		}
		queries = append(queries, q)
	}
	return queries, nil
}

// freeID names a metric that has no Id of its own.
func freeID(metrics []widget.Metric, i int) string {
	id := fmt.Sprintf("metric%d", i)
	for slices.ContainsFunc(metrics, func(m widget.Metric) bool { return m.ID == id }) {
		id += "_"
	}
	return id
}

// labelsOf tells metrics of the same name apart by the values of their dimensions. An expression without a label keeps
// its own.
func labelsOf(metrics []widget.Metric) []string {
	count := map[string]int{}
	for _, m := range metrics {
		count[m.Name]++
	}
	labels := make([]string, len(metrics))
	for i, m := range metrics {
		labels[i] = m.Label
		if m.Label != "" || m.Expression != "" {
			continue
		}
		labels[i] = m.Name
		if count[m.Name] > 1 {
			for _, d := range m.Dimensions {
				labels[i] += " " + d.Value
			}
		}
	}
	return labels
}

// widgetSeries are the results as lines. An expression may give many: its colour is the first one's.
func widgetSeries(w widget.Widget, queries []types.MetricDataQuery, results []types.MetricDataResult) []widget.Series {
	var lines []widget.Series
	coloured := map[string]bool{}
	for _, r := range results {
		i := slices.IndexFunc(queries, func(q types.MetricDataQuery) bool { return *q.Id == *r.Id })
		m := w.Metrics[i]
		line := widget.Series{Label: strings.TrimSpace(aws.ToString(r.Label)), Right: m.Axis == "right",
			Period: time.Duration(m.Period) * time.Second}
		if !coloured[*r.Id] {
			line.Color, coloured[*r.Id] = m.Color, true
		}
		for j, at := range r.Timestamps {
			line.Points = append(line.Points, widget.Point{At: at.Unix(), Value: r.Values[j]})
		}
		if m.Expression != "" {
			line.Period = stride(r.Timestamps)
		}
		lines = append(lines, line)
	}
	return lines
}

// stride is the period of an expression's points, as far as they show: it is that of the metrics in it.
func stride(times []time.Time) time.Duration {
	least := time.Duration(0)
	for i := 1; i < len(times); i++ {
		if d := times[i].Sub(times[i-1]); least == 0 || d < least {
			least = d
		}
	}
	return least
}
