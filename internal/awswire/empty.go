package awswire

import "reflect"

// Empty says what becomes of a response's list or map that has nothing in it.
type Empty string

// The zero value leaves it to the handler: a nil list is left out, one of no items is sent.
const (
	// Sent writes an empty list or map, also where the handler has none: [] in JSON and CBOR, an empty element in XML.
	Sent Empty = "sent"
	// Omitted leaves the member out, also where the handler has one of no items.
	Omitted Empty = "omitted"
)

// empties are the members of a service's responses for which AWS decides otherwise than by what there is to say. Each
// row is from an answer that was recorded from AWS, in LocalStack's validated snapshots. A member without a record has
// no row: its list is sent, empty or not, where its handler has one.
func empties(serviceID string) map[string]Empty {
	switch serviceID {
	case "SNS":
		return map[string]Empty{
			"ListTopicsOutput.Topics":                      Sent,
			"ListSubscriptionsOutput.Subscriptions":        Sent,
			"ListSubscriptionsByTopicOutput.Subscriptions": Sent,
			"PublishBatchOutput.Failed":                    Sent,
		}
	case "CloudWatch":
		return map[string]Empty{
			"DescribeAlarmsOutput.CompositeAlarms": Sent,
			"MetricAlarm.Dimensions":               Sent,
			"MetricAlarm.Metrics":                  Omitted,
			"ListMetricsOutput.OwningAccounts":     Omitted,
			"ListTagsForResourceOutput.Tags":       Sent,
		}
	case "Secrets Manager":
		return map[string]Empty{
			"DescribeSecretOutput.Tags":               Omitted,
			"DescribeSecretOutput.VersionIdsToStages": Omitted,
			"SecretListEntry.Tags":                    Omitted,
			"SecretVersionsListEntry.VersionStages":   Omitted,
		}
	case "EC2":
		return map[string]Empty{
			"CreateSecurityGroupOutput.Tags":     Omitted,
			"Vpc.Ipv6CidrBlockAssociationSet":    Sent,
			"Subnet.Ipv6CidrBlockAssociationSet": Sent,
		}
	}
	return nil
}

// absent reports whether an output's member is left out: what AWS omits, or what the SDK's types cannot tell from
// omitted (an empty enum).
func (m *member) absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return m.empty != Sent && (v.IsNil() || m.empty == Omitted && v.Len() == 0)
	case reflect.Pointer, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}
