package cloudwatch

import "larder/internal/constraint"

// front is what the service's model allows. Source: the API reference of CloudWatch. Enums are the SDK's. What the
// service says in words of its own, such as that a parameter is missing, has no rule here.
func front() *constraint.Front {
	action := constraint.Rule{Most: maxActions, Each: &constraint.Rule{Least: 1, Most: 1024}}
	return &constraint.Front{
		Code:     "ValidationError",
		Required: map[string][]string{"PutMetricAlarmInput": {"AlarmName"}, "PutCompositeAlarmInput": {"AlarmName"}},
		Rules: constraint.Rules{
			"ActionPrefix": {Least: 1, Most: 1024}, "AlarmActions": action, "AlarmDescription": {Most: 1024},
			"AlarmName":           {Least: 1, Most: maxName},
			"AlarmNamePrefix":     {Least: 1, Most: maxName},
			"AlarmNames":          {Most: maxNames, Each: &constraint.Rule{Least: 1, Most: maxName}},
			"ChildrenOfAlarmName": {Least: 1, Most: maxName}, "DatapointsToAlarm": {Least: 1},
			"Dimension.Name":  {Least: 1, Most: maxName},
			"Dimension.Value": {Least: 1, Most: 1024}, "Dimensions": {Most: 30}, "EvaluationPeriods": {Least: 1},
			"ExtendedStatistics": {Least: 1, Most: 10}, "InsufficientDataActions": action,
			"MaxRecords":       {Least: 1, Most: maxRecords},
			"MetricDatum.Unit": {Open: true},
			"MetricName":       {Least: 1, Most: maxName}, "Namespace": {Least: 1, Most: maxName}, "OKActions": action,
			"ParentsOfAlarmName": {Least: 1, Most: maxName}, "StateReason": {Most: 1023},
			"StateReasonData": {Most: 4000},
			"Statistics":      {Least: 1, Most: 5},
		},
	}
}
