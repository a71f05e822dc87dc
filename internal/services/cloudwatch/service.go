// Package cloudwatch serves the CloudWatch API: metrics and their statistics, alarms and their history, dashboards.
package cloudwatch

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/isolate"
	"larder/internal/series"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Account, Region string
	RegionName      string // as a person reads it: US East (N. Virginia)
	Metrics         *series.Store
	// Publish tells a topic that is an alarm's action for the alarm, and runs also in the transaction that keeps the
	// message: see sns.Service.
	Publish func(alarmARN, topicARN, subject, body string, also func(*store.Tx) error) error
	Failed  func(error) // gets what goes wrong with an action or with writing metrics, which is tried again
	Now     func() time.Time
	After   func(time.Duration) <-chan time.Time // as time.After, by the clock of Now
}

// Service answers the CloudWatch API.
type Service struct {
	Config
	guard isolate.Guard
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c} }

// Why parts of the API are not served.
const (
	noBands        = "anomaly detection is not served"
	noSuppressor   = "the actions of composite alarms are not suppressed"
	noEntities     = "entities are not kept"
	noContributors = "contributors are of alarms on Metrics Insights queries, which are not served"
	noLabels       = "labels that are computed are not served"
	noBareImage    = "the image comes in the protocol's answer, which is what the SDKs and the CLI ask for"
	oneAccount     = "larder is one account"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	return gateway.Service{Shapes: awswire.CloudWatch(), Front: front(), Audit: audit.Log{Store: s.Store},
		Actions: []gateway.Action{
			gateway.Handle("PutMetricAlarm", gateway.Write, s.putMetricAlarm,
				gateway.Only("ComparisonOperator", noBands, operators()...),
				gateway.Refuse("ThresholdMetricId", noBands),
				gateway.Refuse("Metrics.AccountId", oneAccount)),
			gateway.Handle("PutCompositeAlarm", gateway.Write, s.putCompositeAlarm,
				gateway.Refuse("ActionsSuppressor", noSuppressor),
				gateway.Refuse("ActionsSuppressorExtensionPeriod", noSuppressor),
				gateway.Refuse("ActionsSuppressorWaitPeriod", noSuppressor)),
			gateway.Handle("DescribeAlarms", gateway.Read, s.describeAlarms),
			gateway.Handle("DescribeAlarmsForMetric", gateway.Read, s.describeAlarmsForMetric),
			gateway.Handle("DescribeAlarmHistory", gateway.Read, s.describeAlarmHistory,
				gateway.Refuse("AlarmContributorId", noContributors)),
			gateway.Handle("SetAlarmState", gateway.Write, s.setAlarmState),
			gateway.Handle("EnableAlarmActions", gateway.Write, s.enableAlarmActions),
			gateway.Handle("DisableAlarmActions", gateway.Write, s.disableAlarmActions),
			gateway.Handle("DeleteAlarms", gateway.Write, s.deleteAlarms),

			gateway.Handle("PutMetricData", gateway.Write, s.putMetricData,
				gateway.Refuse("EntityMetricData", noEntities),
				gateway.Refuse("StrictEntityValidation", noEntities)),
			gateway.Handle("GetMetricStatistics", gateway.Read, s.getMetricStatistics),
			gateway.Handle("GetMetricData", gateway.Read, s.getMetricData,
				gateway.Refuse("LabelOptions", noLabels),
				gateway.Refuse("MetricDataQueries.AccountId", oneAccount)),
			gateway.Handle("GetMetricWidgetImage", gateway.Read, s.getMetricWidgetImage,
				gateway.Only("OutputFormat", noBareImage, "png")),
			gateway.Handle("ListMetrics", gateway.List, s.listMetrics,
				gateway.Refuse("IncludeLinkedAccounts", oneAccount),
				gateway.Refuse("OwningAccount", oneAccount)),

			gateway.Handle("PutDashboard", gateway.Write, s.putDashboard),
			gateway.Handle("GetDashboard", gateway.Read, s.getDashboard),
			gateway.Handle("ListDashboards", gateway.List, s.listDashboards),
			gateway.Handle("DeleteDashboards", gateway.Write, s.deleteDashboards),

			gateway.Handle("TagResource", gateway.Tagging, s.tagResource),
			gateway.Handle("UntagResource", gateway.Tagging, s.untagResource),
			gateway.Handle("ListTagsForResource", gateway.Read, s.listTags),
		}}
}

// operators compare a metric with a number.
func operators() []string {
	return []string{
		string(types.ComparisonOperatorGreaterThanOrEqualToThreshold), string(types.ComparisonOperatorGreaterThanThreshold),
		string(types.ComparisonOperatorLessThanThreshold), string(types.ComparisonOperatorLessThanOrEqualToThreshold),
	}
}

func (s *Service) alarmARN(name string) string {
	return fmt.Sprintf("arn:aws:cloudwatch:%s:%s:alarm:%s", s.Region, s.Account, name)
}

// dashboardARN has no region: dashboards are the account's.
func (s *Service) dashboardARN(name string) string {
	return fmt.Sprintf("arn:aws:cloudwatch::%s:dashboard/%s", s.Account, name)
}
