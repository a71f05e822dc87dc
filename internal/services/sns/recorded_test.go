package sns_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/servicetest"
)

// TestRecordedAttributeRefusals: the texts are what AWS answered to LocalStack's tests about a message's attributes,
// for one message and for one of a batch.
func TestRecordedAttributeRefusals(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	const code = "ParameterValueInvalid"
	text := types.MessageAttributeValue{DataType: new("String"), StringValue: new("x")}
	for _, test := range []struct {
		what, name string
		value      types.MessageAttributeValue
		message    string
	}{
		{"an empty text", "attr1", types.MessageAttributeValue{DataType: new("String"), StringValue: new("")},
			"The message attribute 'attr1' must contain non-empty message attribute value for message attribute " +
				"type 'String'."},
		{"no text", "attr1", types.MessageAttributeValue{DataType: new("String")},
			"The message attribute 'attr1' must contain non-empty message attribute value for message attribute " +
				"type 'String'."},
		{"no bytes", "attr1", types.MessageAttributeValue{DataType: new("Binary"), BinaryValue: []byte{}},
			"The message attribute 'attr1' must contain non-empty message attribute value for message attribute " +
				"type 'Binary'."},
		{"bytes for a text", "attr1", types.MessageAttributeValue{DataType: new("String"), BinaryValue: []byte("x")},
			"The message attribute 'attr1' with type 'String' must use field 'String'."},
		{"bytes for a number", "attr1", types.MessageAttributeValue{DataType: new("Number"), BinaryValue: []byte("1")},
			"The message attribute 'attr1' with type 'Number' must use field 'String'."},
		{"a text for bytes", "attr1", types.MessageAttributeValue{DataType: new("Binary"), StringValue: new("x")},
			"The message attribute 'attr1' with type 'Binary' must use field 'Binary'."},
		{"no type", "attr1", types.MessageAttributeValue{DataType: new("InvalidType"), StringValue: new("x")},
			"The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes " +
				"is Binary, Number, and String."},
		{"a long name", strings.Repeat("a", 257), text, "Length of message attribute name must be less " +
			"than 256 bytes."},
		{"a caret", "a^b", text, "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. " +
			"Can only include alphanumeric characters, hyphens, underscores, or dots."},
		{"a leading dot", ".abc", text, "Invalid message attribute name starting with character '.' was found."},
		{"a trailing dot", "abc.", text, "Invalid message attribute name ending with character '.' was found."},
		{"two dots", "a..bc", text, "Message attribute name can not have successive '.' character."},
	} {
		t.Run(test.what, func(t *testing.T) {
			attributes := map[string]types.MessageAttributeValue{test.name: test.value}
			_, err := s.Publish(t.Context(),
				&sdk.PublishInput{TopicArn: &topic, Message: new("x"), MessageAttributes: attributes})
			servicetest.WantError(t, err, code, test.message)
			entries := []types.PublishBatchRequestEntry{{Id: new("1"), Message: new("x")},
				{Id: new("2"), Message: new("x"), MessageAttributes: attributes}}
			_, err = s.PublishBatch(t.Context(),
				&sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: entries})
			servicetest.WantError(t, err, code, test.message)
		})
	}
}

// TestRecordedRefusals: codes, texts and statuses of whole requests as they were recorded from AWS, in the form that
// the service's clients read. An SDK does not send some of them.
func TestRecordedRefusals(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	mail := s.subscribe(t, topic, "email", "ops@example.com")
	null := func(member string) string {
		return "1 validation error detected: Value null at '" + member + "' failed to satisfy constraint: Member " +
			"must not be null"
	}
	const parameter, validation = "InvalidParameter", "ValidationError"
	batch := url.Values{"TopicArn": {topic}}
	for _, id := range strings.Fields("1 2 3 4 5 6 7 8 9 10 11") {
		batch.Set("PublishBatchRequestEntries.member."+id+".Id", id)
		batch.Set("PublishBatchRequestEntries.member."+id+".Message", "x")
	}
	for _, test := range []struct {
		action        string
		form          url.Values
		code, message string
	}{
		{"Publish", url.Values{"TopicArn": {topic}, "Message": {"x"}, "MessageAttributes.entry.1.Name": {"attr1"},
			"MessageAttributes.entry.1.Value.StringValue": {"x"}}, validation,
			null("messageAttributes.attr1.member.dataType")},
		{"PublishBatch", url.Values{"TopicArn": {topic}, "PublishBatchRequestEntries.member.1.Id": {"1"},
			"PublishBatchRequestEntries.member.1.Message":                                     {"x"},
			"PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Name":              {"attr1"},
			"PublishBatchRequestEntries.member.1.MessageAttributes.entry.1.Value.StringValue": {"x"}}, validation,
			null("publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType")},
		{"PublishBatch", batch, "TooManyEntriesInBatchRequest",
			"The batch request contains more entries than permissible."},
		{"PublishBatch", url.Values{"TopicArn": {topic}, "PublishBatchRequestEntries.member.1.Id": {"1"},
			"PublishBatchRequestEntries.member.1.Message":          {`{"sqs":"x"}`},
			"PublishBatchRequestEntries.member.1.MessageStructure": {"json"}}, parameter,
			"Invalid parameter: Message Structure - No default entry in JSON message body"},
		{"Publish", url.Values{"Message": {"x"}}, parameter,
			"Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"},
		{"Publish", url.Values{"Message": {"x"}, "TopicArn": {""}}, parameter,
			"Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"},
		{"GetTopicAttributes", url.Values{}, validation, null("topicArn")},
		{"Subscribe", url.Values{"TopicArn": {topic}, "Protocol": {"http"}, "Endpoint": {"http://127.0.0.1/hook"},
			"Attributes.entry.1.key": {"RawMessageDelivery"}, "Attributes.entry.1.value": {"wrongvalue"}}, parameter,
			"Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [wrongvalue]. Must be " +
				"true or false."},
		{"Subscribe", url.Values{"TopicArn": {topic}, "Protocol": {"email"}, "Endpoint": {"dev@example.com"},
			"Attributes.entry.1.key": {"RawMessageDelivery"}, "Attributes.entry.1.value": {"true"}}, parameter,
			"Invalid parameter: Attributes Reason: Delivery protocol [email] does not support raw message delivery."},
		{"SetSubscriptionAttributes", url.Values{"SubscriptionArn": {mail}, "AttributeName": {"fake"},
			"AttributeValue": {"x"}}, parameter, "Invalid parameter: AttributeName"},
		{"SetSubscriptionAttributes", url.Values{"SubscriptionArn": {mail}, "AttributeName": {"RawMessageDelivery"},
			"AttributeValue": {""}}, parameter,
			"Invalid parameter: RawMessageDelivery: Invalid value []. Must be true or false."},
		{"ConfirmSubscription", url.Values{"TopicArn": {topic}, "Token": {"randomtoken"}}, parameter, "Invalid token"},
		{"ConfirmSubscription", url.Values{"TopicArn": {topic}, "Token": {strings.Repeat("5f", 64)}}, parameter,
			"Invalid parameter: Token"},
		{"ConfirmSubscription", url.Values{"TopicArn": {prefix + "none"}, "Token": {strings.Repeat("5f", 64)}},
			parameter, "Invalid parameter: Token"},
		{"Unsubscribe", url.Values{"SubscriptionArn": {"randomstring"}}, parameter,
			"Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"},
		{"Unsubscribe", url.Values{"SubscriptionArn": {topic}}, parameter, "Invalid parameter: SubscriptionId"},
		{"DeleteTopic", url.Values{"TopicArn": {"arn:aws:sns:us-west-2:123456789012:mine"}}, parameter,
			"Invalid parameter: TopicArn"},
	} {
		t.Run(test.action+" "+test.form.Encode(), func(t *testing.T) {
			test.form.Set("Action", test.action)
			status, got := servicetest.Raw(t, s.config, "sns",
				http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
				strings.NewReader(test.form.Encode()))
			want := "<Error><Type>Sender</Type><Code>" + test.code + "</Code><Message>" + test.message +
				"</Message></Error>"
			if status != http.StatusBadRequest || !strings.Contains(got, want) {
				t.Errorf("got  %d %s\nwant %s", status, got, want)
			}
		})
	}
}

// TestFIFOFalse: a topic that is said to be no FIFO topic is a standard one, and shows nothing of it.
func TestFIFOFalse(t *testing.T) {
	s := newServer(t)
	out := must(s.CreateTopic(t.Context(),
		&sdk.CreateTopicInput{Name: new("mine"), Attributes: map[string]string{"FifoTopic": "false"}}))(t)
	if fifo, ok := s.topicAttributes(t, *out.TopicArn)["FifoTopic"]; ok {
		t.Errorf("FifoTopic is %s", fifo)
	}
}
