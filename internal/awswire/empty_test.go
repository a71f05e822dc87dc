package awswire_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/awswire"
)

// TestEmpty encodes outputs whose lists and maps have nothing in them, and compares with what AWS sends.
func TestEmpty(t *testing.T) {
	alarms := &cloudwatch.DescribeAlarmsOutput{
		MetricAlarms: []cloudwatchtypes.MetricAlarm{{Metrics: []cloudwatchtypes.MetricDataQuery{}}},
	}
	for _, c := range []struct {
		name   string
		shapes *awswire.Shapes
		out    any
		want   string
	}{
		{"topics", awswire.SNS(), &sns.ListTopicsOutput{}, `<Topics></Topics>`},
		{"subscriptions", awswire.SNS(), &sns.ListSubscriptionsOutput{}, `<Subscriptions></Subscriptions>`},
		{"a topic's", awswire.SNS(), &sns.ListSubscriptionsByTopicOutput{}, `<Subscriptions></Subscriptions>`},
		{"a batch", awswire.SNS(), &sns.PublishBatchOutput{}, `<XResult><Failed></Failed></XResult>`},
		{"an alarm's tags", awswire.CloudWatch(), &cloudwatch.ListTagsForResourceOutput{}, `<Tags></Tags>`},
		{"alarms", awswire.CloudWatch(), alarms, `<CompositeAlarms></CompositeAlarms>` +
			`<MetricAlarms><member><Dimensions></Dimensions></member></MetricAlarms>`},
		{"metrics", awswire.CloudWatch(), &cloudwatch.ListMetricsOutput{OwningAccounts: []string{}},
			`<XResult></XResult>`},
		{"a VPC", awswire.EC2(), &ec2.CreateVpcOutput{Vpc: &ec2types.Vpc{}},
			`<vpc><ipv6CidrBlockAssociationSet></ipv6CidrBlockAssociationSet></vpc>`},
		{"a new group", awswire.EC2(), &ec2.CreateSecurityGroupOutput{Tags: []ec2types.Tag{}},
			`<requestId>id</requestId></XResponse>`},
		{"a subnet", awswire.EC2(), &ec2.CreateSubnetOutput{Subnet: &ec2types.Subnet{}},
			`<subnet><ipv6CidrBlockAssociationSet></ipv6CidrBlockAssociationSet></subnet>`},
		{"a secret", awswire.SecretsManager(), &secretsmanager.DescribeSecretOutput{
			Tags: []secretstypes.Tag{}, VersionIdsToStages: map[string][]string{},
		}, `{}`},
		{"a secret in a list", awswire.SecretsManager(), &secretsmanager.ListSecretsOutput{
			SecretList: []secretstypes.SecretListEntry{{Tags: []secretstypes.Tag{}}},
		}, `{"SecretList":[{}]}`},
		{"versions", awswire.SecretsManager(), &secretsmanager.ListSecretVersionIdsOutput{
			Versions: []secretstypes.SecretVersionsListEntry{{VersionStages: []string{}}},
		}, `{"Versions":[{}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := encoded(t, c.shapes, c.out)
			// XML has envelopes around what is compared; JSON is compared whole.
			if isJSON := c.want[0] == '{'; isJSON && got != c.want || !strings.Contains(got, c.want) {
				t.Errorf("encoded as\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func encoded(t *testing.T, shapes *awswire.Shapes, out any) string {
	t.Helper()
	codec := awswire.NewCodec(shapes)
	var b []byte
	var err error
	switch shapes.Protocol {
	case awswire.AWSQuery:
		b, err = codec.AppendQueryResponse(nil, "X", "id", out)
	case awswire.EC2Query:
		b, err = codec.AppendEC2Response(nil, "X", "id", out)
	default:
		b, err = codec.AppendJSONResponse(nil, out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestEmptyOfCloudWatch has such lists in the other two protocols that CloudWatch speaks.
func TestEmptyOfCloudWatch(t *testing.T) {
	codec := awswire.NewCodec(awswire.CloudWatch())
	for _, c := range []struct {
		out        any
		json, cbor string
	}{
		{&cloudwatch.ListTagsForResourceOutput{}, `{"Tags":[]}`, "\xa1\x64Tags\x80"},
		{&cloudwatch.ListMetricsOutput{OwningAccounts: []string{}}, `{}`, "\xa0"},
	} {
		if b, err := codec.AppendJSONResponse(nil, c.out); err != nil || string(b) != c.json {
			t.Errorf("%T: JSON %s, %v; want %s", c.out, b, err, c.json)
		}
		if b, err := codec.AppendCBORResponse(nil, c.out); err != nil || string(b) != c.cbor {
			t.Errorf("%T: CBOR %q, %v; want %q", c.out, b, err, c.cbor)
		}
	}
}
