package sns_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/alarm"
	"larder/internal/caller"
	"larder/internal/iampolicy"
	"larder/internal/servicetest"
	"larder/internal/store"
)

func TestPublishRefusals(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	text := func(kind, value string) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{"a": {DataType: &kind, StringValue: &value}}
	}
	for _, test := range []struct {
		in            sdk.PublishInput
		code, message string
	}{
		{sdk.PublishInput{Message: new("")}, "InvalidParameter", "Invalid parameter: Empty message"},
		{sdk.PublishInput{Message: new(strings.Repeat("a", 256<<10+1))}, "InvalidParameter",
			"Invalid parameter: Message too long"},
		{sdk.PublishInput{Message: new("a"), Subject: new(strings.Repeat("a", 100))}, "InvalidParameter",
			"Invalid parameter: Subject"},
		{sdk.PublishInput{Message: new("a"), Subject: new("a\nb")}, "InvalidParameter", "Invalid parameter: Subject"},
		{sdk.PublishInput{Message: new("a"), Subject: new("a\tb")}, "InvalidParameter", "Invalid parameter: Subject"},
		{sdk.PublishInput{Message: new("a"), Subject: new("a\u2028b")}, "InvalidParameter",
			"Invalid parameter: Subject"},
		{sdk.PublishInput{Message: new("a"), Subject: new("")}, "InvalidParameter", "Invalid parameter: Subject"},
		{sdk.PublishInput{Message: new("a"), MessageStructure: new("json")}, "InvalidParameter",
			"Invalid parameter: Message Structure - JSON message body failed to parse"},
		{sdk.PublishInput{Message: new(`{"sms":"a"}`), MessageStructure: new("json")}, "InvalidParameter",
			"Invalid parameter: Message Structure - No default entry in JSON message body"},
		{sdk.PublishInput{Message: new("a"), MessageAttributes: text("Number", "x")}, "ParameterValueInvalid",
			"Could not cast message attribute 'a' value to number"},
		{sdk.PublishInput{Message: new("a"), MessageAttributes: text("String", "")}, "ParameterValueInvalid",
			"The message attribute 'a' must contain non-empty message attribute value for message attribute " +
				"type 'String'."},
		{sdk.PublishInput{Message: new("a"), MessageAttributes: text("Date", "x")}, "ParameterValueInvalid",
			"The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, " +
				"Number, and String."},
		{sdk.PublishInput{Message: new("a"), MessageGroupId: new("x")}, "InvalidParameterValue",
			"larder does not serve Publish's MessageGroupId: topics are standard topics"},
		{sdk.PublishInput{Message: new("a"), TopicArn: new(prefix + "other")}, "NotFound", "Topic does not exist"},
	} {
		if test.in.TopicArn == nil {
			test.in.TopicArn = &topic
		}
		_, err := s.Publish(t.Context(), &test.in)
		servicetest.WantError(t, err, test.code, test.message)
	}
	if err := s.sns.PublishWith(larderItself, topic, "", "larder's own", nothingElse); err != nil {
		t.Error(err)
	}
}

// larderItself publishes as ElastiCache does.
var larderItself = caller.Service(iampolicy.ElastiCache, account, "")

func nothingElse(*store.Tx) error { return nil }

// TestSubjectsOfAlarmsAreTaken: an alarm of whatever name can tell its topic.
func TestSubjectsOfAlarmsAreTaken(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	owner := alarm.Owner{Account: "123456789012", Region: "US East (N. Virginia)"}
	for _, name := range []string{
		"cpu", strings.Repeat("a", 255), strings.Repeat("é", 255), strings.Repeat("a", 59), "größe 温度 👩\u200d💻",
		`a "quoted" \ name`, " ", "line\u2028end", "\u0085",
	} {
		for _, state := range []alarm.State{alarm.OK, alarm.Alarm, alarm.Insufficient} {
			subject := alarm.Subject(name, state, owner)
			if err := s.sns.PublishWith(larderItself, topic, subject, "{}", nothingElse); err != nil {
				t.Errorf("%s: %v", subject, err)
			}
		}
	}
}

func TestPublishBatch(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	e := newEndpoint(t, nil)
	stop := s.run(t)
	s.subscribeEndpoint(t, topic, e, map[string]string{"RawMessageDelivery": "true"})
	out := must(s.PublishBatch(t.Context(),
		&sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: new("a"), Message: new("one")}, {Id: new("c"), Message: new("three")},
		}}))(t)
	if len(out.Successful) != 2 || out.Failed == nil || len(out.Failed) > 0 || *out.Successful[1].Id != "c" {
		t.Errorf("%+v", out)
	}
	for _, want := range []string{"one", "three"} {
		if got := e.next(t); got.body != want || got.header.Get("X-Amz-Sns-Rawdelivery") != "true" {
			t.Errorf("got %v", got)
		}
	}
	stop()
	_, err := s.PublishBatch(t.Context(),
		&sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
			{Id: new("a"), Message: new("one")}, {Id: new("a"), Message: new("two")}}})
	servicetest.WantError(t, err, "BatchEntryIdsNotDistinct",
		"Two or more batch entries in the request have the same Id.")
}
