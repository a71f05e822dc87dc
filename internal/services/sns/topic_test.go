package sns_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"larder/internal/servicetest"
)

const defaultDelivery = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":` +
	`3,"numMaxDelayRetries":0,` +
	`"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,` +
	`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`

func TestTopicLife(t *testing.T) {
	s := newServer(t)
	out := must(s.CreateTopic(t.Context(), &sdk.CreateTopicInput{
		Name:       new("uex-prod-critical"),
		Attributes: map[string]string{"KmsMasterKeyId": "alias/mine", "DisplayName": "Critical"},
		Tags:       []types.Tag{{Key: new("team"), Value: new("payments")}},
	}))(t)
	arn := *out.TopicArn
	if arn != prefix+"uex-prod-critical" {
		t.Errorf("the ARN is %s", arn)
	}
	want := map[string]string{
		"TopicArn": arn, "Owner": account, "DisplayName": "Critical", "KmsMasterKeyId": "alias/mine",
		"SubscriptionsPending": "0", "SubscriptionsConfirmed": "0", "SubscriptionsDeleted": "0",
		"EffectiveDeliveryPolicy": defaultDelivery,
		"Policy": `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",` +
			`"Effect":"Allow",` +
			`"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:` +
			`RemovePermission",` +
			`"SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + arn +
			`","Condition":{"StringEquals":{"AWS:SourceOwner":"123456789012"}}}]}`,
	}
	if diff := cmp.Diff(want, s.topicAttributes(t, arn)); diff != "" {
		t.Errorf("created: -want +got\n%s", diff)
	}
	if !s.sns.HasTopic(arn) || s.sns.HasTopic(prefix+"other") || s.sns.HasTopic("x") {
		t.Error("HasTopic is mistaken")
	}
	set := func(name, value string) {
		t.Helper()
		must(s.SetTopicAttributes(t.Context(),
			&sdk.SetTopicAttributesInput{TopicArn: &arn, AttributeName: &name, AttributeValue: &value}))(t)
	}
	set("Policy",
		`{"Statement":{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"SNS:Publish",`+
			`"Resource":"*"}}`)
	set("KmsMasterKeyId", "")
	set("SignatureVersion", "2")
	set("TracingConfig", "PassThrough")
	set("LambdaSuccessFeedbackSampleRate", "0")
	set("DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":{"numRetries":5},"disableSubscriptionOverrides":true}}`)
	want["Policy"] = `{"Statement":{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"SNS:` +
		`Publish","Resource":"*"}}`
	delete(want, "KmsMasterKeyId")
	want["SignatureVersion"], want["TracingConfig"] = "2", "PassThrough"
	want["LambdaSuccessFeedbackSampleRate"] = "0"
	want["DeliveryPolicy"] = `{"http":{"defaultHealthyRetryPolicy":{"numRetries":5},"disableSubscriptionOverrides":true}}`
	want["EffectiveDeliveryPolicy"] = `{"http":{"defaultHealthyRetryPolicy":{"backoffFunction":"linear",` +
		`"maxDelayTarget":20,"minDelayTarget":20,` +
		`"numMaxDelayRetries":0,"numMinDelayRetries":0,"numNoDelayRetries":0,"numRetries":5},` +
		`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"},"disableSubscriptionOverrides":true}}`
	if diff := cmp.Diff(want, s.topicAttributes(t, arn)); diff != "" {
		t.Errorf("changed: -want +got\n%s", diff)
	}
	for range 2 { // the second time there is none
		must(s.DeleteTopic(t.Context(), &sdk.DeleteTopicInput{TopicArn: &arn}))(t)
	}
	_, err := s.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &arn})
	servicetest.WantError(t, err, "NotFound", "Topic does not exist")
}

func TestTopicTags(t *testing.T) {
	s := newServer(t)
	arn := s.topic(t, "mine")
	tag := func(arn string, tags ...types.Tag) error {
		_, err := s.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}
	if err := tag(arn, types.Tag{Key: new("b"), Value: new("1")},
		types.Tag{Key: new("a"), Value: new("")}); err != nil {
		t.Fatal(err)
	}
	must(s.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"b", "unknown"}}))(t)
	got := must(s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: &arn}))(t).Tags
	if diff := cmp.Diff([]types.Tag{{Key: new("a"), Value: new("")}}, got,
		cmpopts.IgnoreUnexported(types.Tag{})); diff != "" {
		t.Error(diff)
	}
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: new(fmt.Sprint("key-", i)), Value: new("")})
	}
	servicetest.WantError(t, tag(arn, many...), "TagLimitExceeded",
		"The topic would have 51 tags. A topic can have at most 50.")
	servicetest.WantError(t, tag(prefix+"other", many[0]), "ResourceNotFound", "Resource does not exist")
	_, err := s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: new(prefix + "other")})
	servicetest.WantError(t, err, "ResourceNotFound", "Resource does not exist")
	for message, bad := range map[string][]types.Tag{
		`The tag key "aws:x" must not begin with aws:, which is kept for AWS's own tags`: {{Key: new("aws:x"),
			Value: new("")}},
	} {
		servicetest.WantError(t, tag(arn, bad...), "InvalidParameter", "Invalid parameter: Tags Reason: "+message)
	}
	twice := types.Tag{Key: new("k"), Value: new("")}
	servicetest.WantError(t, tag(arn, twice, twice), "InvalidParameter",
		"Invalid parameter: Duplicated keys are not allowed.")
}

// A request that is sent again makes the same topic; one that asks for another of the name is refused.
func TestSameTopic(t *testing.T) {
	s := newServer(t)
	create := func(attributes map[string]string, tags ...types.Tag) error {
		_, err := s.CreateTopic(t.Context(),
			&sdk.CreateTopicInput{Name: new("mine"), Attributes: attributes, Tags: tags})
		return err
	}
	first := map[string]string{"DisplayName": "one"}
	tag := types.Tag{Key: new("a"), Value: new("b")}
	other := types.Tag{Key: new("b"), Value: new("c")}
	for _, err := range []error{create(first, tag, other), create(first, tag, other), create(nil), create(first),
		create(nil, tag)} {
		if err != nil {
			t.Error(err)
		}
	}
	servicetest.WantError(t, create(map[string]string{"DisplayName": "two"}), "InvalidParameter",
		"Invalid parameter: Attributes Reason: Topic already exists with different attributes")
	servicetest.WantError(t, create(nil, tag, types.Tag{Key: new("c"), Value: new("")}), "InvalidParameter",
		"Invalid parameter: Tags Reason: Topic already exists with different tags")
	servicetest.WantError(t, create(nil, types.Tag{Key: new("a"), Value: new("c")}), "InvalidParameter",
		"Invalid parameter: Tags Reason: Topic already exists with different tags")
}

func TestTopicRefusals(t *testing.T) {
	s := newServer(t)
	arn := s.topic(t, "mine")
	set := func(name, value string) error {
		_, err := s.SetTopicAttributes(t.Context(),
			&sdk.SetTopicAttributesInput{TopicArn: &arn, AttributeName: &name, AttributeValue: &value})
		return err
	}
	create := func(in sdk.CreateTopicInput) error { _, err := s.CreateTopic(t.Context(), &in); return err }
	get := func(arn string) error {
		_, err := s.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &arn})
		return err
	}
	confirm := func(arn string) error {
		_, err := s.ConfirmSubscription(t.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: &arn, Token: new("70")})
		return err
	}
	_, texting := s.CheckIfPhoneNumberIsOptedOut(t.Context(),
		&sdk.CheckIfPhoneNumberIsOptedOutInput{PhoneNumber: new("+1")})
	const code = "InvalidParameter"
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"name", create(sdk.CreateTopicInput{Name: new("a b")}), code, "Invalid parameter: Topic Name"},
		{"long name", create(sdk.CreateTopicInput{Name: new(strings.Repeat("a", 257))}), code,
			"Invalid parameter: Topic Name"},
		{"FIFO", create(sdk.CreateTopicInput{Name: new("a.fifo"), Attributes: map[string]string{"FifoTopic": "true"}}),
			code,
			"Invalid parameter: FifoTopic Reason: larder does not serve FIFO topics"},
		{"FIFO's name", create(sdk.CreateTopicInput{Name: new("a.fifo")}), code,
			"Invalid parameter: FifoTopic Reason: larder does not serve FIFO topics"},
		{"token of no topic", confirm(prefix + "other"), code, "Invalid parameter: Token"},
		{"another region's ARN", get("arn:aws:sns:us-west-2:123456789012:a"), code, "Invalid parameter: TopicArn"},
		{"another's ARN", get("arn:aws:sns:us-east-1:999999999999:a"), code,
			"Invalid parameter: TopicArn Reason: arn:aws:sns:us-east-1:999999999999:a is not an ARN of a topic or a " +
				"subscription of account 123456789012 in us-east-1"},
		{"protection", create(sdk.CreateTopicInput{Name: new("a"), DataProtectionPolicy: new("{}")}),
			"InvalidParameterValue",
			"larder does not serve CreateTopic's DataProtectionPolicy: data protection policies are not served"},
		{"no attribute", set("Colour", "red"), code, "Invalid parameter: AttributeName"},
		{"FIFO afterwards", set("FifoTopic", "false"), code, "Invalid parameter: AttributeName"},
		{"attribute", set("HTTPSuccessFeedbackRoleArn", ""), "InvalidParameterValue",
			"larder does not serve the attribute HTTPSuccessFeedbackRoleArn of a topic"},
		{"sample rate", set("SQSSuccessFeedbackSampleRate", "10"), code,
			`Invalid parameter: SQSSuccessFeedbackSampleRate Reason: "10" must be one of [0]`},
		{"display name", set("DisplayName", strings.Repeat("ä", 101)), code,
			"Invalid parameter: DisplayName Reason: must have at most 100 characters"},
		{"signature", set("SignatureVersion", "3"), code,
			`Invalid parameter: SignatureVersion Reason: "3" must be one of [1 2]`},
		{"tracing", set("TracingConfig", "Active"), code,
			`Invalid parameter: TracingConfig Reason: "Active" must be one of [PassThrough]`},
		{"policy", set("Policy", "{"), code,
			"Invalid parameter: Policy Reason: Policy is not a JSON object with a Statement"},
		{"statement", set("Policy", `{"Statement":[{"Effect":"Allow","Principal":"*"}]}`), code,
			"Invalid parameter: Policy Reason: Policy statement 1 must have an Action"},
		{"principal", set("Policy", `{"Statement":[{"Effect":"Allow"}]}`), code,
			"Invalid parameter: Policy Reason: Policy statement 1 must have a Principal"},
		{"effect", set("Policy", `{"Statement":{"Effect":"Maybe"}}`), code,
			"Invalid parameter: Policy Reason: Policy statement 1 must have the Effect Allow or Deny"},
		{"large policy", set("Policy", strings.Repeat(" ", 30721)), code,
			"Invalid parameter: Policy Reason: Policy has 30721 bytes; it must have at most 30720"},
		{"delivery", set("DeliveryPolicy", `{"sqs":{}}`), code,
			"Invalid parameter: DeliveryPolicy Reason: DeliveryPolicy must not have sqs: http is the only protocol with a " +
				"delivery policy"},
		{"delivery form", set("DeliveryPolicy", `{"http":1}`), code,
			"Invalid parameter: DeliveryPolicy Reason: DeliveryPolicy must be a JSON object with an object for http"},
		{"no topic", get(prefix + "other"), "NotFound", "Topic does not exist"},
		{"no ARN", get("mine"), code,
			"Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"},
		{"texts", texting, "InvalidAction",
			"larder does not serve sns:CheckIfPhoneNumberIsOptedOut; docs/COMPATIBILITY.md lists what it serves"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
}
