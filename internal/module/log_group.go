package module

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// LogGroup is a log group to make.
type LogGroup struct {
	LogType         ectypes.LogType // that is delivered to it
	Create          *cloudwatchlogs.CreateLogGroupInput
	RetentionInDays int32 // 0: for ever
	Keep            bool  // when the deployment goes
}

// enabledLogs are in the order in which AWS lists them.
func (in *Inputs) enabledLogs() []ectypes.LogType {
	var all []ectypes.LogType
	if in.EngineLogEnabled {
		all = append(all, ectypes.LogTypeEngineLog)
	}
	if in.SlowLogEnabled {
		all = append(all, ectypes.LogTypeSlowLog)
	}
	return all
}

func logGroups(in *Inputs) []LogGroup {
	if !in.CreateLogGroups {
		return nil
	}
	var all []LogGroup
	for _, log := range in.enabledLogs() {
		all = append(all, LogGroup{
			LogType: log,
			Create: &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(in.logDestination(log)),
				KmsKeyId: in.CloudwatchLogKMSKeyARN, Tags: allTags(in)},
			RetentionInDays: int32(in.CloudwatchLogRetentionDays), Keep: in.LogSkipDestroy,
		})
	}
	return all
}

// logDestination is the name of the log group that a log goes to, made or given.
func (in *Inputs) logDestination(log ectypes.LogType) string {
	if !in.CreateLogGroups {
		return text(in.givenDestination(log))
	}
	prefix := "/aws/elasticache"
	if in.LogGroupPrefix != nil {
		prefix = *in.LogGroupPrefix
	}
	return prefix + "/" + in.replicationGroupID() + "/" + string(log)
}

func (in *Inputs) givenDestination(log ectypes.LogType) *string {
	if log == ectypes.LogTypeSlowLog {
		return in.SlowLogDestination
	}
	return in.EngineLogDestination
}

func logDeliveries(in *Inputs) []ectypes.LogDeliveryConfigurationRequest {
	var all []ectypes.LogDeliveryConfigurationRequest
	for _, log := range in.enabledLogs() {
		all = append(all, ectypes.LogDeliveryConfigurationRequest{
			LogType: log, LogFormat: ectypes.LogFormat(in.LogFormat),
			DestinationType: ectypes.DestinationTypeCloudWatchLogs, Enabled: aws.Bool(true),
			DestinationDetails: &ectypes.DestinationDetails{
				CloudWatchLogsDetails: &ectypes.CloudWatchLogsDestinationDetails{LogGroup: aws.String(in.logDestination(log))},
			},
		})
	}
	return all
}

func logRules() []rule {
	var rules []rule
	for log, names := range map[ectypes.LogType][2]string{
		ectypes.LogTypeSlowLog:   {"slow_log_destination", "slow_log_enabled"},
		ectypes.LogTypeEngineLog: {"engine_log_destination", "engine_log_enabled"},
	} {
		rules = append(rules, rule{input: names[0], with: []string{names[1], "create_log_groups"},
			broken: func(in *Inputs) string {
				enabled := in.SlowLogEnabled && log == ectypes.LogTypeSlowLog || in.EngineLogEnabled &&
					log == ectypes.LogTypeEngineLog
				destination := in.givenDestination(log)
				switch {
				case enabled && in.CreateLogGroups && destination != nil:
					return "is not used while the module makes the log groups: set create_log_groups = false, or " +
						"leave it out"
				case enabled && !in.CreateLogGroups && destination == nil:
					return "names no destination for the " + string(log) +
						" and create_log_groups is false: name a log group, or set create_log_groups = true"
				}
				return ""
			}})
	}
	return rules
}
