// Package cloudwatch serves the CloudWatch API for alarms and dashboards: what they are, not yet what they measure.
package cloudwatch

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Account, Region string
	Now             func() time.Time
}

// Service answers the CloudWatch API.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Why parts of the API are not served.
const (
	noBands      = "anomaly detection is not served"
	noComposites = "composite alarms are not served"
	oneAccount   = "larder is one account"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	return gateway.Service{Shapes: awswire.CloudWatch(), Actions: []gateway.Action{
		gateway.Handle("PutMetricAlarm", gateway.Write, s.putMetricAlarm,
			gateway.Only("ComparisonOperator", noBands, operators()...),
			gateway.Refuse("ThresholdMetricId", noBands),
			gateway.Refuse("Metrics.AccountId", oneAccount)),
		gateway.Handle("DescribeAlarms", gateway.Read, s.describeAlarms,
			gateway.Refuse("ChildrenOfAlarmName", noComposites),
			gateway.Refuse("ParentsOfAlarmName", noComposites)),
		gateway.Handle("DeleteAlarms", gateway.Write, s.deleteAlarms),

		gateway.Handle("PutDashboard", gateway.Write, s.putDashboard),
		gateway.Handle("GetDashboard", gateway.Read, s.getDashboard),
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
