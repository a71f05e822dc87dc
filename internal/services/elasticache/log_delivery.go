package elasticache

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/catalog"
)

// oldestWithEngineLog is the first engine version whose engine log is delivered; the slow log is from 6.0 on.
const oldestWithEngineLog = "6.2"

// changeLogs turns deliveries on, changes or ends them. One reads enabling, or modifying, until something can be
// delivered.
func changeLogs(rg cache.Topology, given []types.LogDeliveryConfigurationRequest, now time.Time) error {
	for _, in := range given {
		if in.LogType == "" {
			return missing("LogType")
		}
		var before *cache.LogDelivery
		rest := slices.DeleteFunc(slices.Clone(rg.LogDeliveries), func(d cache.LogDelivery) bool {
			if d.LogType == string(in.LogType) {
				before = &d
			}
			return d.LogType == string(in.LogType)
		})
		if in.Enabled != nil && !*in.Enabled {
			rg.LogDeliveries = rest
			continue
		}
		if in.LogType == types.LogTypeEngineLog && catalog.CompareVersions(rg.EngineVersion, oldestWithEngineLog) < 0 {
			return invalidCombination("The engine log is delivered from engine version %s on, and the replication "+
				"group %s has %s.", oldestWithEngineLog, rg.ID, rg.EngineVersion)
		}
		d, err := newLogDelivery(in)
		if err != nil {
			return err
		}
		d.Status, d.Since = cache.LogsEnabling, now
		if before != nil {
			d = replacing(d, *before)
		}
		rg.LogDeliveries = append(rest, d)
		slices.SortFunc(rg.LogDeliveries,
			func(a, b cache.LogDelivery) int { return strings.Compare(a.LogType, b.LogType) })
	}
	return nil
}

func newLogDelivery(in types.LogDeliveryConfigurationRequest) (cache.LogDelivery, error) {
	d := cache.LogDelivery{LogType: string(in.LogType), Destination: string(in.DestinationType),
		Format: string(in.LogFormat)}
	switch details := in.DestinationDetails; {
	case in.LogFormat == "":
		return d, missing("LogFormat")
	case in.DestinationType != types.DestinationTypeCloudWatchLogs:
		return d, invalidValue("larder delivers logs to cloudwatch-logs only, not to %q.", in.DestinationType)
	case details == nil || details.CloudWatchLogsDetails == nil ||
		aws.ToString(details.CloudWatchLogsDetails.LogGroup) == "":
		return d, missing("DestinationDetails.CloudWatchLogsDetails.LogGroup")
	default:
		d.Name = *details.CloudWatchLogsDetails.LogGroup
	}
	return d, nil
}

// replacing is a delivery that takes the place of another of its log type: the same one again, in another form, or to
// elsewhere.
func replacing(d, before cache.LogDelivery) cache.LogDelivery {
	same := d.Destination == before.Destination && d.Name == before.Name
	if same && d.Format == before.Format {
		return before
	}
	d.Status = cache.LogsModifying
	if same {
		d.Since = before.Since
	}
	return d
}

// pendingLogs are the deliveries that were asked for and have yet to begin.
func pendingLogs(deliveries []cache.LogDelivery) []types.PendingLogDeliveryConfiguration {
	var out []types.PendingLogDeliveryConfiguration
	for _, d := range deliveries {
		if d.Status == cache.LogsEnabling || d.Status == cache.LogsModifying {
			out = append(out, types.PendingLogDeliveryConfiguration{
				LogType: types.LogType(d.LogType), LogFormat: types.LogFormat(d.Format),
				DestinationType:    types.DestinationType(d.Destination),
				DestinationDetails: logGroupOf(d),
			})
		}
	}
	return out
}

func describeLogs(deliveries []cache.LogDelivery) []types.LogDeliveryConfiguration {
	var out []types.LogDeliveryConfiguration
	for _, d := range deliveries {
		out = append(out, types.LogDeliveryConfiguration{
			LogType: types.LogType(d.LogType), LogFormat: types.LogFormat(d.Format),
			DestinationType:    types.DestinationType(d.Destination),
			DestinationDetails: logGroupOf(d),
			Status:             types.LogDeliveryConfigurationStatus(d.Status), Message: text(d.Message),
		})
	}
	return out
}

// logGroupOf is the log group that a delivery goes to, as the API describes it.
func logGroupOf(d cache.LogDelivery) *types.DestinationDetails {
	return &types.DestinationDetails{
		CloudWatchLogsDetails: &types.CloudWatchLogsDestinationDetails{LogGroup: &d.Name},
	}
}
