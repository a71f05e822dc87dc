package module

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

// dashboard has one graph for each row of the alarm table, with a line for each member and one at the threshold,
// whether or not there is an alarm; nil when none is asked for.
func dashboard(in *Inputs, region string, members []member) *cloudwatch.PutDashboardInput {
	if !in.CreateDashboard {
		return nil
	}
	enabled := map[string]alarmRow{}
	for _, row := range in.enabledAlarms() {
		enabled[row.Slug] = row
	}
	widgets := []any{}
	for _, row := range alarmTable() {
		if row.NeedsReplicas && in.replicas() == 0 {
			continue
		}
		threshold := row.Threshold
		if own, made := enabled[row.Slug]; made {
			threshold = own.Threshold
		}
		i := len(widgets)
		widgets = append(widgets, map[string]any{
			"type": "metric", "x": i % 3 * 8, "y": i / 3 * 6, "width": 8, "height": 6,
			"properties": map[string]any{
				"title": row.Metric, "view": "timeSeries", "region": region, "stat": row.Statistic,
				"period": row.Period, "metrics": graphLines(row, members),
				"annotations": map[string]any{"horizontal": []any{map[string]any{"label": row.Slug + " alarm",
					"value": threshold}}},
			},
		})
	}
	body, err := json.Marshal(map[string]any{"widgets": widgets})
	if err != nil {
		panic(err) // maps, texts and numbers always marshal
	}
	return &cloudwatch.PutDashboardInput{DashboardName: aws.String(in.replicationGroupID()),
		DashboardBody: aws.String(string(body))}
}

// graphLines is a line of the metric for each member.
func graphLines(row alarmRow, members []member) [][]string {
	var all [][]string
	for _, m := range members {
		all = append(all, []string{namespace, row.Metric, "CacheClusterId", m.cluster, "CacheNodeId", "0001"})
	}
	return all
}
