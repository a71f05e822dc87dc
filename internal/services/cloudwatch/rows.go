package cloudwatch

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/store"
)

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{alarms, dashboards, histories, actions} }

// RowKey is the alarm's key in its table.
func (a storedAlarm) RowKey() string { return aws.ToString(a.AlarmName) }

// CheckRow says when an alarm lacks what it is evaluated by, or shown with.
func (a storedAlarm) CheckRow() error {
	switch {
	case a.AlarmArn == nil || a.StateValue == "" || a.StateUpdatedTimestamp == nil:
		return errors.New("it lacks an ARN or a state")
	case a.AlarmRule != nil:
		return nil
	case a.EvaluationPeriods == nil || a.MetricName == nil && len(a.Metrics) == 0 || a.MetricName != nil &&
		(a.Namespace == nil || a.Period == nil):
		return errors.New("it lacks a rule, and a metric with periods")
	}
	return nil
}

// RowKey is the dashboard's key in its table.
func (d dashboard) RowKey() string { return d.Name }

// RowKey is the item's key in its table.
func (h history) RowKey() string { return h.Key }

// CheckRow says when an item lacks what it is found by.
func (h history) CheckRow() error {
	return head{AlarmName: h.AlarmName, Timestamp: h.Timestamp, Key: h.Key}.CheckRow()
}

// RowKey is the item's key in its table.
func (h head) RowKey() string { return h.Key }

// CheckRow says when an item lacks what it is found by.
func (h head) CheckRow() error {
	if h.AlarmName == nil || h.Timestamp == nil || !strings.Contains(h.Key, "\x00") {
		return errors.New("it lacks an alarm or a time")
	}
	return nil
}

// RowKey is the action's key in its table.
func (a action) RowKey() string { return a.Key }
