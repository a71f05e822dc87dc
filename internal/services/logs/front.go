package logs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/catalog"
	"larder/internal/constraint"
)

// front is what the service's model allows. Sources: the API reference of CloudWatch Logs, and recorded answers of AWS.
// The model bounds names of log groups and streams by maxName, too: the service refuses longer ones in its own words.
func front() *constraint.Front {
	const (
		namePattern       = `[\.\-_/#A-Za-z0-9]+`
		streamPattern     = "[^:*]*"
		metricPattern     = "[^:*$]*"
		identifierPattern = `[\w#+=/:,.@-]*`
	)
	name := constraint.Rule{Least: 1, Pattern: namePattern}
	prefix := constraint.Rule{Least: 1, Most: maxName, Pattern: streamPattern}
	identifier := constraint.Rule{Least: 1, Most: maxIdentifier, Pattern: identifierPattern}
	metric := constraint.Rule{Most: maxText, Pattern: metricPattern}
	made := constraint.Rule{Least: 1, Most: maxText, Pattern: metricPattern}
	instant := constraint.Rule{NotNegative: true}
	return &constraint.Front{
		Code: "InvalidParameterException",
		Required: map[string][]string{
			"AssociateKmsKeyInput": {"KmsKeyId"}, "CreateLogGroupInput": {"LogGroupName"},
			"CreateLogStreamInput": {"LogGroupName", "LogStreamName"}, "DeleteLogGroupInput": {"LogGroupName"},
			"DeleteLogStreamInput":    {"LogGroupName", "LogStreamName"},
			"DeleteMetricFilterInput": {"LogGroupName", "FilterName"}, "DeleteRetentionPolicyInput": {"LogGroupName"},
			"GetLogEventsInput": {"LogStreamName"}, "InputLogEvent": {"Timestamp", "Message"},
			"ListTagsForResourceInput": {"ResourceArn"}, "ListTagsLogGroupInput": {"LogGroupName"},
			"MetricTransformation":    {"MetricName", "MetricNamespace", "MetricValue"},
			"PutLogEventsInput":       {"LogGroupName", "LogStreamName", "LogEvents"},
			"PutMetricFilterInput":    {"LogGroupName", "FilterName", "FilterPattern", "MetricTransformations"},
			"PutRetentionPolicyInput": {"LogGroupName", "RetentionInDays"},
			"StartLiveTailInput":      {"LogGroupIdentifiers"},
			"TagLogGroupInput":        {"LogGroupName", "Tags"}, "TagResourceInput": {"ResourceArn", "Tags"},
			"TestMetricFilterInput": {"FilterPattern", "LogEventMessages"},
			"UntagLogGroupInput":    {"LogGroupName", "Tags"},
			"UntagResourceInput":    {"ResourceArn", "TagKeys"},
		},
		Rules: constraint.Rules{
			"LogGroupName": name, "LogGroupNamePattern": {Pattern: `[\.\-_/#A-Za-z0-9]*`}, "LogGroupNamePrefix": name,
			"LogGroupIdentifier":                     identifier,
			"LogGroupIdentifiers":                    {Least: 1, Most: maxIdentifiers, Each: &identifier},
			"StartLiveTailInput.LogGroupIdentifiers": {Least: 1, Most: maxTailedGroups, Each: &identifier},
			"ResourceArn":                            {Least: 1, Most: 1011, Pattern: `[\w+=/:,.@-]*`},
			"ResourceIdentifier":                     {Least: 1, Most: maxIdentifier, Pattern: `[\w+=/:,.@\-\*]*`},
			"KmsKeyId":                               {Most: 256}, "RetentionInDays": {Values: retentions()},

			"LogStreamName": {Least: 1, Pattern: streamPattern}, "LogStreamNamePrefix": prefix,
			"LogStreamNames":        {Least: 1, Most: maxStreamNames, Each: &prefix},
			"LogStreamNamePrefixes": {Least: 1, Most: maxStreamNames, Each: &prefix},

			"LogEvents": {Least: 1, Most: maxBatchEvents}, "Timestamp": instant, "InputLogEvent.Message": {Least: 1},
			"SequenceToken": {Least: 1}, "StartTime": instant, "EndTime": instant, "NextToken": {Least: 1},
			"Limit": {Least: 1, Most: maxLimit}, "FilterLogEventsInput.Limit": {Least: 1, Most: maxEvents},
			"GetLogEventsInput.Limit": {Least: 1, Most: maxEvents}, "LogEventFilterPattern": {Most: maxPattern},

			"FilterName": prefix, "FilterNamePrefix": prefix, "FilterPattern": {Most: maxPattern},
			"MetricName": metric, "MetricNamespace": metric, "MetricValue": {Most: 100},
			"MetricTransformation.MetricName": made, "MetricTransformation.MetricNamespace": made,
			"MetricTransformations": {Least: 1, Most: 1, Shown: shown},
			"LogEventMessages":      {Least: 1, Most: maxTestMessages, Each: &constraint.Rule{Least: 1}},
			"PolicyDocument":        {Least: 1, Most: 51_200}, "PolicyName": {Least: 1},
		},
	}
}

// retentions are the days that events can be kept for, as an error lists them.
func retentions() (days []string) {
	for _, n := range catalog.LogRetentionDays() {
		days = append(days, strconv.Itoa(n))
	}
	return days
}

// shown is how the service repeats transformations in an error.
func shown(transformations any) string {
	text := func(s *string) string {
		if s == nil {
			return "null"
		}
		return *s
	}
	var each []string
	for _, t := range transformations.([]types.MetricTransformation) {
		value, unit, dimensions := "null", "null", "null"
		if t.DefaultValue != nil {
			value = fmt.Sprint(*t.DefaultValue)
		}
		if t.Unit != "" {
			unit = string(t.Unit)
		}
		if t.Dimensions != nil {
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(t.Dimensions)) {
				pairs = append(pairs, name+"="+t.Dimensions[name])
			}
			dimensions = "{" + strings.Join(pairs, ", ") + "}"
		}
		each = append(each, fmt.Sprintf("MetricTransformation(metricName=%s, metricNamespace=%s, metricValue=%s, "+
			"defaultValue=%s, unit=%s, dimensions=%s)",
			text(t.MetricName), text(t.MetricNamespace), text(t.MetricValue), value, unit, dimensions))
	}
	return "[" + strings.Join(each, ", ") + "]"
}
