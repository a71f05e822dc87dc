package constraint_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"larder/internal/constraint"
)

func front() *constraint.Front {
	return &constraint.Front{
		Code: "ValidationException",
		Required: map[string][]string{"TagResourceInput": {"KeyId", "Tags"}, "Tag": {"TagKey"},
			"MessageAttributeValue": {"DataType"}},
		Rules: constraint.Rules{
			"GenerateDataKeyPairInput.KeyPairSpec": {Open: true},
			"KeyId":                                {Least: 1, Most: 5, Pattern: "[a-z]+"},
			"Limit":                                {Least: 1, Most: 1000},
			"Plaintext":                            {Least: 1, Most: 3, Withheld: true},
			"Tags":                                 {Most: 2}, "Tag.TagKey": {Least: 1, Most: 3}, "TagValue": {Most: 3},
			"ListAliasesInput.Limit": {Least: 1, Most: 100},
			"TagKeys":                {Each: &constraint.Rule{Least: 1, Most: 3, Pattern: "[a-z]*"}},
			"EncryptionContext":      {Most: 1},
			"RetentionInDays":        {Values: []string{"1", "3"}},
		},
	}
}

// TestCheck has each kind of rule, kept and broken. An empty text means that the input is allowed.
func TestCheck(t *testing.T) {
	const one, failed = "1 validation error detected: Value ", " failed to satisfy constraint: Member must "
	tag := func(key, value string) kmstypes.Tag { return kmstypes.Tag{TagKey: &key, TagValue: &value} }
	tags := func(all ...kmstypes.Tag) any { return &kms.TagResourceInput{KeyId: new("mine"), Tags: all} }
	each := "satisfy constraint: [Member must have length less than or equal to 3, Member must have length greater " +
		"than or equal to 1, " +
		"Member must satisfy regular expression pattern: [a-z]*]"
	for _, c := range []struct {
		name  string
		input any
		want  string
	}{
		{"nothing", &kms.EncryptInput{}, ""},
		{"all right", &kms.EncryptInput{KeyId: new("mine"), Plaintext: []byte("abc")}, ""},
		{"characters, not bytes", tags(tag("äöü", "äöü")), ""},
		{"short", &kms.EncryptInput{KeyId: new("")}, "2 validation errors detected: Value '' at 'keyId'" + failed +
			"satisfy regular expression pattern: [a-z]+; Value '' at 'keyId'" + failed +
			"have length greater than or equal to 1"},
		{"long", &kms.EncryptInput{KeyId: new("sixsix")}, one + "'sixsix' at 'keyId'" + failed +
			"have length less than or equal to 5"},
		{"a part fits the pattern", &kms.EncryptInput{KeyId: new("a1")}, one + "'a1' at 'keyId'" + failed +
			"satisfy regular expression pattern: [a-z]+"},
		{"no bytes", &kms.EncryptInput{Plaintext: []byte{}}, one + "at 'plaintext'" + failed +
			"have length greater than or equal to 1"},
		{"many bytes", &kms.EncryptInput{Plaintext: []byte("abcd")}, one + "at 'plaintext'" + failed +
			"have length less than or equal to 3"},
		{"small", &kms.ListKeysInput{Limit: new(int32(0))}, one + "'0' at 'limit'" + failed +
			"have value greater than or equal to 1"},
		{"negative, without a rule", &kms.GenerateRandomInput{NumberOfBytes: new(int32(-1))}, ""},
		{"large", &kms.ListKeysInput{Limit: new(int32(1001))}, one + "'1001' at 'limit'" + failed +
			"have value less than or equal to 1000"},
		{"a type's own rule", &kms.ListAliasesInput{Limit: new(int32(101))}, one + "'101' at 'limit'" + failed +
			"have value less than or equal to 100"},
		{"missing", &kms.TagResourceInput{}, "2 validation errors detected: Value null at 'keyId'" + failed +
			"not be null; Value null at 'tags'" + failed + "not be null"},
		{"many items", tags(tag("a", ""), tag("b", ""), tag("c", "")), one + "at 'tags'" + failed +
			"have length less than or equal to 2"},
		{"below a list", tags(tag("a", ""), tag("four", "four")),
			"2 validation errors detected: Value 'four' at 'tags.2.member.tagKey'" + failed +
				"have length less than or equal to 3; Value 'four' at 'tags.2.member.tagValue'" + failed +
				"have length less than or equal to 3"},
		{"missing below a list", tags(kmstypes.Tag{}), one + "null at 'tags.1.member.tagKey'" + failed + "not be null"},
		{"texts", &kms.UntagResourceInput{TagKeys: []string{"a", "B"}}, one + "'[a, B]' at 'tagKeys'" + failed + each},
		{"a long text", &kms.UntagResourceInput{TagKeys: []string{"four"}}, one + "'[four]' at 'tagKeys'" + failed +
			each},
		{"a map", &kms.EncryptInput{EncryptionContext: map[string]string{"a": "", "b": ""}}, one +
			"at 'encryptionContext'" + failed +
			"have length less than or equal to 1"},
		{"an open enum", &kms.GenerateDataKeyPairInput{KeyPairSpec: "x"}, ""},
		{"an enum of its own", &cloudwatchlogs.PutRetentionPolicyInput{RetentionInDays: new(int32(2))}, one +
			"'2' at 'retentionInDays'" + failed +
			"satisfy enum value set: [1, 3]"},
		{"below a map", &sns.PublishInput{MessageAttributes: map[string]snstypes.MessageAttributeValue{
			"b": {}, "a": {}, "c": {DataType: new("String")},
		}}, "2 validation errors detected: Value null at 'messageAttributes.a.member.dataType'" + failed +
			"not be null; Value null at 'messageAttributes.b.member.dataType'" + failed + "not be null"},
		{"below a list's map", &sns.PublishBatchInput{PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{
			{MessageAttributes: map[string]snstypes.MessageAttributeValue{"a": {}}},
		}}, one + "null at 'publishBatchRequestEntries.1.member.messageAttributes.a.member.dataType'" + failed +
			"not be null"},
		{"below a structure", &cloudwatch.GetMetricDataInput{MetricDataQueries: []cloudwatchtypes.MetricDataQuery{
			{MetricStat: &cloudwatchtypes.MetricStat{Unit: "Mile"}},
		}}, one + "'Mile' at 'metricDataQueries.1.member.metricStat.unit'" + failed + "satisfy enum value set: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := front().Check(c.input)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != "ValidationException" ||
				api.ErrorFault() != smithy.FaultClient {
				t.Fatalf("%v is no ValidationException of the client's", err)
			}
			if got := api.ErrorMessage(); got != c.want &&
				!(strings.HasSuffix(c.want, ": ") && strings.HasPrefix(got, c.want)) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestEnums compares the order of enums with lists in recorded answers.
func TestEnums(t *testing.T) {
	const set = "Member must satisfy enum value set: "
	for _, c := range []struct {
		input any
		want  string
	}{
		{&cloudwatch.SetAlarmStateInput{StateValue: "x"}, set + "[INSUFFICIENT_DATA, ALARM, OK]"},
		{&cloudwatch.PutMetricAlarmInput{Statistic: "x"}, set + "[Maximum, SampleCount, Sum, Minimum, Average]"},
		{&kms.GenerateDataKeyInput{KeySpec: "x"}, set + "[AES_256, AES_128]"},
		{&kms.GenerateMacInput{MacAlgorithm: "x"}, set + "[HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]"},
		{&cloudwatchlogs.DescribeLogStreamsInput{OrderBy: logstypes.OrderBy("x")}, set +
			"[LogStreamName, LastEventTime]"},
		{&cloudwatch.GetMetricStatisticsInput{Statistics: []cloudwatchtypes.Statistic{"Sum", "x"}},
			"Value '[Sum, x]' at 'statistics' failed to satisfy constraint: Member must satisfy constraint: [" + set +
				"[Maximum, SampleCount, Sum, Minimum, Average]]"},
	} {
		err := front().Check(c.input)
		if err == nil || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("%T: got  %v\nwant %s", c.input, err, c.want)
		}
	}
}

// TestLongValues: a message repeats a bounded part of a value, and cuts no character.
func TestLongValues(t *testing.T) {
	long := strings.Repeat("ä", 100_000)
	got := front().Check(&kms.TagResourceInput{KeyId: new("mine"),
		Tags: []kmstypes.Tag{{TagKey: new("a"), TagValue: &long}}}).Error()
	if want := "Value '" + strings.Repeat("ä", 64<<10) +
		"…' at 'tags.1.member.tagValue' failed"; !strings.Contains(got, want) {
		t.Errorf("the message has %d bytes and no value cut at 65536 characters", len(got))
	}
}

// TestUnused: a rule for nothing is a misspelt one.
func TestUnused(t *testing.T) {
	f := constraint.Front{
		Required: map[string][]string{"TagResourceInput": {"KeyId", "KeyID"}, "Tag": {"TagKey"}, "Tags": {"TagKey"}},
		Rules:    constraint.Rules{"TagValue": {}, "Tag.TagKey": {}, "Tag.KeyId": {}, "Limit": {}},
	}
	want := []string{"Limit", "Tag.KeyId", "TagResourceInput.KeyID", "Tags.TagKey"}
	f.Required["MessageAttributeValue"] = []string{"DataType"}
	if got := f.Unused([]reflect.Type{reflect.TypeFor[kms.TagResourceInput](),
		reflect.TypeFor[sns.PublishInput]()}); !slices.Equal(got, want) {
		t.Errorf("%v are left, want %v", got, want)
	}
}
