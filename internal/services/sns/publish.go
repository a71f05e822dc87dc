package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/caller"
	"larder/internal/store"
)

// Bounds of what is published. Source: Publish in the API reference, and SNS's quotas.
const (
	maxMessage    = 256 << 10 // bytes, of a message with its attributes
	maxSubject    = 99        // characters: fewer than 100
	maxBatch      = 10
	maxBatchEntry = 80 // characters of an entry's id
)

// Kinds of messages, as their header and their body call them.
const (
	notification = "Notification"
	confirmation = "SubscriptionConfirmation"
)

// message is what is on its way to subscribers.
type message struct {
	ID, Kind, Topic string // Topic is its ARN
	Subject         *string
	Body            string
	Bodies          map[string]string // by protocol, where they differ
	Attributes      map[string]attribute
	Token           string // to confirm with
	Time            time.Time
}

// bodyFor is what subscribers of a protocol get.
func (m message) bodyFor(protocol string) string {
	if body, ok := m.Bodies[protocol]; ok {
		return body
	}
	return m.Body
}

// PublishWith publishes a message of larder's own, and runs also in the transaction that keeps it for the subscribers:
// both happen, or neither does. The policies of the topic and of its key have to let the caller publish. The subject
// may be empty.
func (s *Service) PublishWith(
	by caller.Caller, topicARN, subject, body string, also func(*store.Tx) error,
) error {
	p := publication{message: &body}
	if subject != "" {
		p.subject = &subject
	}
	m, err := s.compose(&topicARN, p)
	if err != nil {
		return err
	}
	if err := s.authorize(by, "Publish", topicARN); err != nil {
		return err
	}
	return s.send(by, m, s.Store.Update, func(tx *store.Tx) ([]string, error) {
		if err := also(tx); err != nil {
			return nil, err
		}
		return s.recipients(tx, m)
	})
}

func (s *Service) publish(ctx context.Context, in *sdk.PublishInput) (*sdk.PublishOutput, error) {
	arn := in.TopicArn
	switch {
	case arn == nil && in.TargetArn == nil:
		return nil, invalidParameter("TopicArn or TargetArn Reason: no value for required parameter")
	case arn == nil:
		arn = in.TargetArn
	case in.TargetArn != nil:
		return nil, invalidParameter("TopicArn or TargetArn Reason: both are given")
	}
	m, err := s.compose(arn, publication{in.Subject, in.Message, in.MessageStructure, in.MessageAttributes})
	if err != nil {
		return nil, err
	}
	if err := s.enqueue(ctx, m); err != nil {
		return nil, err
	}
	return &sdk.PublishOutput{MessageId: &m.ID}, nil
}

// publishBatch publishes several messages. One that is wrong has the whole batch refused, as on AWS.
func (s *Service) publishBatch(ctx context.Context, in *sdk.PublishBatchInput) (*sdk.PublishBatchOutput, error) {
	if err := s.checkBatch(in); err != nil {
		return nil, err
	}
	var messages []message
	for _, e := range in.PublishBatchRequestEntries {
		m, err := s.compose(in.TopicArn, publication{e.Subject, e.Message, e.MessageStructure, e.MessageAttributes})
		if err != nil {
			return nil, err
		}
		messages = append(messages, m)
	}
	out := &sdk.PublishBatchOutput{}
	for i, m := range messages {
		if err := s.enqueue(ctx, m); err != nil {
			return nil, err
		}
		out.Successful = append(out.Successful,
			types.PublishBatchResultEntry{Id: in.PublishBatchRequestEntries[i].Id, MessageId: &m.ID})
	}
	return out, nil
}

var validEntry = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (s *Service) checkBatch(in *sdk.PublishBatchInput) error {
	entries := in.PublishBatchRequestEntries
	if len(entries) == 0 {
		return &types.EmptyBatchRequestException{Message: new("The batch request doesn't contain any entries.")}
	}
	if len(entries) > maxBatch {
		return &types.TooManyEntriesInBatchRequestException{Message: new("The batch request contains more entries " +
			"than permissible.")}
	}
	var ids []string
	size := 0
	for _, e := range entries {
		if !validEntry.MatchString(aws.ToString(e.Id)) {
			return &types.InvalidBatchEntryIdException{Message: new(fmt.Sprintf("The Id of a batch entry must have 1 to %d "+
				"letters, digits, hyphens and underscores.", maxBatchEntry))}
		}
		if slices.Contains(ids, *e.Id) {
			return &types.BatchEntryIdsNotDistinctException{Message: new("Two or more batch entries in the request have the " +
				"same Id.")}
		}
		ids = append(ids, *e.Id)
		size += len(aws.ToString(e.Message)) + attributesSize(e.MessageAttributes)
	}
	if size > maxMessage {
		return &types.BatchRequestTooLongException{Message: new("The length of all the batch messages put together is more " +
			"than the limit.")}
	}
	return s.Store.View(func(tx *store.Tx) error {
		_, err := s.findTopic(tx, in.TopicArn)
		return err
	})
}

// publication is what is asked to be published, by either action.
type publication struct {
	subject, message, structure *string
	attributes                  map[string]types.MessageAttributeValue
}

// validSubject has no line breaks or other control characters. Source: Publish in the API reference.
var validSubject = regexp.MustCompile(`^[^\p{Cc}\p{Zl}\p{Zp}]+$`)

// subjectFits tells whether a text may be a subject.
func subjectFits(text string) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxSubject && validSubject.MatchString(text)
}

// compose checks a publication and makes the message of it.
func (s *Service) compose(topicARN *string, p publication) (message, error) {
	body := aws.ToString(p.message)
	switch {
	case body == "":
		return message{}, invalidParameter("Empty message")
	case !utf8.ValidString(body):
		return message{}, invalidParameter("Message Reason: it is not UTF-8")
	case len(body)+attributesSize(p.attributes) > maxMessage:
		return message{}, invalidParameter("Message too long")
	case p.subject != nil && !subjectFits(*p.subject):
		return message{}, invalidParameter("Subject")
	}
	m := message{Kind: notification, Topic: aws.ToString(topicARN), Subject: p.subject, Body: body, Time: s.Now()}
	switch aws.ToString(p.structure) {
	case "":
	case "json":
		if err := m.structure(); err != nil {
			return m, err
		}
	default:
		return m, invalidParameter("MessageStructure Reason: it must be json")
	}
	var err error
	if m.Attributes, err = attributes(p.attributes); err != nil {
		return m, err
	}
	m.ID, err = s.newID()
	return m, err
}

// structure takes apart a message that has a text for each protocol.
func (m *message) structure() error {
	var bodies map[string]any
	if json.Unmarshal([]byte(m.Body), &bodies) != nil {
		return invalidParameter("Message Structure - JSON message body failed to parse")
	}
	m.Bodies = map[string]string{}
	for protocol, body := range bodies {
		if text, ok := body.(string); ok { // what is no text is ignored, as on AWS
			m.Bodies[protocol] = text
		}
	}
	text, ok := m.Bodies["default"]
	if !ok {
		return invalidParameter("Message Structure - No default entry in JSON message body")
	}
	m.Body = text
	return nil
}
