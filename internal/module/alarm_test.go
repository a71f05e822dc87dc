package module

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

func alarmNamed(t *testing.T, all []*cloudwatch.PutMetricAlarmInput, name string) *cloudwatch.PutMetricAlarmInput {
	t.Helper()
	for _, a := range all {
		if *a.AlarmName == name {
			return a
		}
	}
	t.Fatalf("there is no alarm %s", name)
	return nil
}

func TestAlarms(t *testing.T) {
	call, diags := load("testdata/seed/production.tf", Vars{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	const id = "uex-payments-prod-redis"
	all := call.Resources(Known{}).Alarms
	node := []cwtypes.Dimension{{Name: aws.String("CacheClusterId"), Value: aws.String(id + "-002")},
		{Name: aws.String("CacheNodeId"), Value: aws.String("0001")}}
	topic := []string{testStandIns().CriticalTopicARN}
	stat := func(id, metric string) cwtypes.MetricDataQuery {
		return cwtypes.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &cwtypes.MetricStat{
			Metric: &cwtypes.Metric{Namespace: aws.String("AWS/ElastiCache"), MetricName: &metric, Dimensions: node},
			Stat:   aws.String("Sum"), Period: aws.Int32(300),
		}}
	}
	for _, want := range []*cloudwatch.PutMetricAlarmInput{
		{
			AlarmName:        aws.String(id + "-002-replication-lag"),
			AlarmDescription: aws.String("The replica is more than 30 seconds behind its primary"),
			ActionsEnabled:   aws.Bool(true),
			AlarmActions:     topic, OKActions: topic, ComparisonOperator: "GreaterThanThreshold",
			Threshold: aws.Float64(30), EvaluationPeriods: aws.Int32(5), DatapointsToAlarm: aws.Int32(3),
			TreatMissingData: aws.String("notBreaching"), Namespace: aws.String("AWS/ElastiCache"),
			MetricName: aws.String("ReplicationLag"), Statistic: "Maximum", Period: aws.Int32(60),
			Dimensions: node, Tags: alarmTags(&call.Inputs),
		},
		{
			AlarmName: aws.String(id + "-002-hit-rate"),
			AlarmDescription: aws.String("Less than 80 percent of the keys asked for were there, of 100 or more " +
				"in a period"), ActionsEnabled: aws.Bool(true),
			AlarmActions: topic, OKActions: topic, ComparisonOperator: "LessThanThreshold", Threshold: aws.Float64(80),
			EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(3),
			TreatMissingData: aws.String("notBreaching"), Tags: alarmTags(&call.Inputs),
			Metrics: []cwtypes.MetricDataQuery{stat("hits", "CacheHits"), stat("misses", "CacheMisses"), {
				Id: aws.String("hit_rate"), Label: aws.String("CacheHitRate"), ReturnData: aws.Bool(true),
				Expression: aws.String("IF(hits + misses >= 100, 100 * hits / (hits + misses), 100)"),
			}},
		},
	} {
		if diff := cmp.Diff(want, alarmNamed(t, all, *want.AlarmName), sdkTypes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", *want.AlarmName, diff)
		}
	}
	if got := *alarmNamed(t, all,
		id+"-001-network-in").AlarmDescription; got != "More than 5368709120 bytes came in in a period" {
		t.Errorf("a large threshold reads %q", got)
	}
}

// Which alarms there are, and what they look at, as the inputs say.
func TestAlarmInputs(t *testing.T) {
	names := func(r Resources) string {
		var all []string
		for _, a := range r.Alarms {
			all = append(all, strings.TrimPrefix(*a.AlarmName, "shop-dev-redis-"))
		}
		return strings.Join(all, " ")
	}
	for name, tt := range map[string]struct {
		lines []string
		known Known
		want  string
	}{
		"none": {[]string{`create_alarms = false`}, Known{}, ""},
		"some": {[]string{`enabled_alarms = ["memory", "cpu"]`}, Known{},
			"001-cpu 001-memory 002-cpu 002-memory"},
		"empty": {[]string{`enabled_alarms = []`}, Known{}, ""},
		"no replicas": {[]string{`enabled_alarms = ["cpu", "replication-lag"]`, `num_cache_nodes = 1`,
			`automatic_failover_enabled = false`, `multi_az_enabled = false`}, Known{}, "001-cpu"},
		"shards": {[]string{`enabled_alarms = ["cpu"]`, `cluster_mode_enabled = true`, `num_node_groups = 2`},
			Known{}, "0001-001-cpu 0001-002-cpu 0002-001-cpu 0002-002-cpu"},
		"renumbered": {[]string{`enabled_alarms = ["cpu"]`},
			Known{Members: []string{"shop-dev-redis-003", "shop-dev-redis-001"}}, "001-cpu 002-cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustLoad(t, block(tt.lines...)).Resources(tt.known)
			if got := names(r); got != tt.want {
				t.Errorf("alarms are %q, want %q", got, tt.want)
			}
			if name == "renumbered" && *r.Alarms[1].Dimensions[0].Value != "shop-dev-redis-003" {
				t.Errorf("the second member's alarm looks at %s", *r.Alarms[1].Dimensions[0].Value)
			}
		})
	}
	r := mustLoad(t, block(`alarm_dimension_mode = "member"`, `alarm_period = 120`, `alarm_evaluation_periods = 7`,
		`treat_missing_data = "missing"`, `alarm_ok_actions = []`,
		`alarm_sns_topic_arn = module.sns.warning_topic_arn`,
		`alarm_insufficient_data_actions = [module.sns.info_topic_arn]`,
		`alarm_thresholds = { engine_cpu = 90.5, memory = null }`)).Resources(Known{})
	a := alarmNamed(t, r.Alarms, "shop-dev-redis-001-engine-cpu")
	if len(a.Dimensions) != 1 || *a.Period != 120 || *a.EvaluationPeriods != 7 || *a.DatapointsToAlarm != 7 ||
		*a.TreatMissingData != "missing" || len(a.OKActions) != 0 ||
		len(a.AlarmActions) != 1 || len(a.InsufficientDataActions) != 1 || *a.Threshold != 90.5 ||
		!strings.Contains(*a.AlarmDescription, "90.5") {
		t.Errorf("the alarm is %+v", a)
	}
	if got := *alarmNamed(t, r.Alarms, "shop-dev-redis-001-memory").Threshold; got != 85 {
		t.Errorf("a threshold of null is %v, want the table's", got)
	}
}

func TestDashboard(t *testing.T) {
	r := mustLoad(t, block(`create_dashboard = true`, `alarm_thresholds = { cpu = 70 }`)).Resources(Known{})
	var body struct {
		Widgets []struct {
			X, Y       int
			Properties struct {
				Title, Region string
				Metrics       [][]string
				Annotations   struct{ Horizontal []struct{ Value float64 } }
			}
		}
	}
	if err := json.Unmarshal([]byte(*r.Dashboard.DashboardBody), &body); err != nil {
		t.Fatal(err)
	}
	if len(body.Widgets) != 9 || *r.Dashboard.DashboardName != "shop-dev-redis" {
		t.Fatalf("the dashboard %s has %d graphs", *r.Dashboard.DashboardName, len(body.Widgets))
	}
	fourth := body.Widgets[3]
	if fourth.X != 0 || fourth.Y != 6 || fourth.Properties.Title != "Evictions" ||
		fourth.Properties.Region != "us-east-1" || len(fourth.Properties.Metrics) != 2 {
		t.Errorf("the fourth graph is %+v", fourth)
	}
	if got := body.Widgets[0].Properties.Annotations.Horizontal[0].Value; got != 70 {
		t.Errorf("the line of the first graph is at %v", got)
	}
}
