package sns_test

import (
	"context"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/caller"
	"larder/internal/servicetest"
)

// TestServicesNeedTheTopicsPolicy: a service publishes where the topic's policy lets it; the default one does.
func TestServicesNeedTheTopicsPolicy(t *testing.T) {
	const mine = prefix + "mine"
	unlisted := " is not authorized to perform: SNS:Publish on resource: " + mine +
		" because no resource-based policy allows the SNS:Publish action"
	denied := " is not authorized to perform: SNS:Publish on resource: " + mine +
		" with an explicit deny in a resource-based policy"
	owner := `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publish"],"Resource":"` + mine +
		`","Condition":{"StringEquals":{"AWS:SourceOwner":"` + account + `"}}}`
	alarms := `{"Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` +
		mine +
		`","Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"},` +
		`"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:` + account + `:alarm:mine-*"}}}`
	for _, test := range []struct{ name, policy, alarm, other, elasticache, user string }{
		{"default", "", "", "", "", ""},
		{"the module's", "[" + owner + "," + alarms + "]", "", "", "", ""},
		{"the account that a service acts for", `{"Effect":"Allow","Principal":"*","Action":"sns:Publish","Resource":"*",` +
			`"Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"}}}`, "", "", unlisted, ""},
		{"alarms alone", alarms, "", unlisted, unlisted, ""},
		{"TLS alone", `{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*",` +
			`"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`, unlisted, unlisted, unlisted, ""},
		{"the account's root", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account +
			`:root"},"Action":"sns:*","Resource":"*"}`, unlisted, unlisted, unlisted, ""},
		{"denied", "[" + owner + `,{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*"}]`,
			denied, denied, denied, denied},
		{"services denied", "[" + owner + `,{"Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"*",` +
			`"Condition":{"Bool":{"aws:PrincipalIsAWSService":"true"}}}]`, denied, denied, denied, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			topic := s.topic(t, "mine")
			must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &topic,
				AttributeName: new("Policy"), AttributeValue: statements(test.policy)}))(t)
			alarm := "arn:aws:cloudwatch:us-east-1:" + account + ":alarm:"
			for source, want := range map[string]string{alarm + "mine-cpu": test.alarm, alarm + "other": test.other} {
				by := caller.Service("cloudwatch.amazonaws.com", account, source)
				wantAuthorized(t, s.sns.PublishWith(by, topic, "", "x", nothingElse), "cloudwatch.amazonaws.com", want)
			}
			wantAuthorized(t, s.sns.PublishWith(larderItself, topic, "", "x", nothingElse), "elasticache.amazonaws.com",
				test.elasticache)
			const me = "User: arn:aws:iam::" + account + ":user/larder"
			_, err := s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: new("x")})
			wantAuthorized(t, err, me, test.user)
			_, err = s.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &topic,
				PublishBatchRequestEntries: []types.PublishBatchRequestEntry{{Id: new("a"), Message: new("x")}}})
			wantAuthorized(t, err, me, test.user)
		})
	}
}

func statements(list string) *string {
	if list == "" {
		return new("")
	}
	return new(`{"Version":"2012-10-17","Statement":` + list + `}`)
}

func wantAuthorized(t *testing.T, err error, who, refusal string) {
	t.Helper()
	if refusal != "" {
		servicetest.WantError(t, err, "AuthorizationError", who+refusal)
	} else if err != nil {
		t.Errorf("%s: %v", who, err)
	}
}

// TestServicesNeedTheTopicsKey: a service publishes to an encrypted topic where the key lets it, and never where the
// key is AWS's own, whose policy names no service.
func TestServicesNeedTheTopicsKey(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	alarm := caller.Service("cloudwatch.amazonaws.com", account, "")
	s.keys.barred = alarm.Service
	for _, test := range []struct {
		key    string
		by     caller.Caller
		denied bool
	}{
		{"", alarm, false}, {"alias/mine", alarm, true}, {"alias/mine", larderItself, false}, {"alias/aws/sns", alarm, true},
	} {
		must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &topic,
			AttributeName: new("KmsMasterKeyId"), AttributeValue: &test.key}))(t)
		err := s.sns.PublishWith(test.by, topic, "", "x", nothingElse)
		if test.denied {
			servicetest.WantError(t, err, "KMSAccessDenied", "no")
		} else if err != nil {
			t.Errorf("%s with %q: %v", test.by, test.key, err)
		}
		must(s.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: new("x")}))(t)
	}
}

// TestTopicPolicyDeniesUsers: a statement takes actions on the topic away from the account's users, and no others.
func TestTopicPolicyDeniesUsers(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	deny := `{"Effect":"Deny","Principal":"*","Action":["sns:Subscribe","sns:DeleteTopic","sns:TagResource"],"Resource":` +
		`"*"}`
	must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &topic,
		AttributeName: new("Policy"), AttributeValue: statements(deny)}))(t)
	for action, f := range map[string]func(context.Context) error{
		"Subscribe": func(ctx context.Context) error {
			_, err := s.Client.Subscribe(ctx, &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"),
				Endpoint: new("http://127.0.0.1:1/")})
			return err
		},
		"DeleteTopic": func(ctx context.Context) error {
			_, err := s.DeleteTopic(ctx, &sdk.DeleteTopicInput{TopicArn: &topic})
			return err
		},
		"TagResource": func(ctx context.Context) error {
			_, err := s.TagResource(ctx, &sdk.TagResourceInput{ResourceArn: &topic,
				Tags: []types.Tag{{Key: new("a"), Value: new("b")}}})
			return err
		},
	} {
		servicetest.WantError(t, f(t.Context()), "AuthorizationError", "User: arn:aws:iam::"+account+
			":user/larder is not authorized to perform: SNS:"+action+" on resource: "+topic+
			" with an explicit deny in a resource-based policy")
	}
	s.topicAttributes(t, topic)
	s.topic(t, "other")
	_, err := s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &topic, AttributeName: new(
		"Policy"),
		AttributeValue: statements(`{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"StringSame":{"a":"b"}}}`)})
	servicetest.WantError(t, err, "InvalidParameter",
		"Invalid parameter: Policy Reason: Policy cannot be evaluated: statement 1: StringSame is no condition operator")
	must(s.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &topic,
		AttributeName: new("Policy"), AttributeValue: new("")}))(t)
	must(s.DeleteTopic(t.Context(), &sdk.DeleteTopicInput{TopicArn: &topic}))(t)
}
