// Package sns serves the SNS API: topics, subscriptions, and messages that really go to HTTP subscribers and into
// mailboxes.
package sns

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/isolate"
	"larder/internal/seal"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Sealer          *seal.Sealer
	Keys            Keys
	Certifier       Certifier
	Account, Region string
	// Endpoint is where subscribers reach the API: http://127.0.0.1:4566.
	Endpoint string
	// MailDir holds a mailbox for each address.
	MailDir string
	// Client posts to subscribers; NewClient makes one.
	Client *http.Client
	// Timeout is how long a subscriber may take to answer.
	Timeout time.Duration
	// Random makes the ends of subscriptions' ARNs, messages' ids and tokens.
	Random io.Reader
	Now    func() time.Time
	// After fires when a time has passed.
	After  func(time.Duration) <-chan time.Time
	Logger *slog.Logger
}

// DefaultTimeout is how long AWS waits for a subscriber's answer.
const DefaultTimeout = 15 * time.Second

// idleTimeout is how long a connection to a subscriber is kept for its next message.
const idleTimeout = 30 * time.Second

// Keys encrypts with the account's KMS keys. Its refusals have KMS's codes.
type Keys interface {
	Wrap(id string, plaintext []byte, context map[string]string) ([]byte, error)
	Unwrap(blob []byte, context map[string]string) ([]byte, error)
	// Permit refuses what the key's policy does not let a caller do through the service.
	Permit(id string, by caller.Caller, context map[string]string, actions ...string) error
}

// Service answers the SNS API. Run delivers.
type Service struct {
	Config
	workers workers
	guard   isolate.Guard
	signing sync.Mutex // one signing key is made at a time
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c} }

// maxBody is the size of a request, in bytes, that has a message of the largest size with every byte escaped.
const maxBody = 3*maxMessage + 1<<20

// Why parts of the API are not served.
const (
	noProtection = "data protection policies are not served"
	noReceiver   = "larder has no receiver of another kind"
	noFIFO       = "topics are standard topics"
	noPhones     = "larder sends no text messages"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	actions := s.actions()
	for i, action := range actions {
		actions[i] = action.Guarded(s.guardTopic)
	}
	return gateway.Service{Shapes: awswire.SNS(), Front: front(), MaxBody: maxBody, Actions: actions,
		Audit: audit.Log{Store: s.Store}, DeniedCode: "AuthorizationError"}
}

// actions are what is served of the API.
func (s *Service) actions() []gateway.Action {
	return []gateway.Action{
		gateway.Handle("CreateTopic", gateway.Write, s.createTopic,
			gateway.Refuse("DataProtectionPolicy", noProtection)),
		gateway.Handle("GetTopicAttributes", gateway.Read, s.getTopicAttributes),
		gateway.Handle("SetTopicAttributes", gateway.Permissions, s.setTopicAttributes),
		gateway.Handle("DeleteTopic", gateway.Write, s.deleteTopic),

		gateway.Handle("Subscribe", gateway.Write, s.subscribe,
			gateway.Only("Protocol", noReceiver, protocols()...).Among(foreign()...)),
		gateway.Handle("GetSubscriptionAttributes", gateway.Read, s.getSubscriptionAttributes),
		gateway.Handle("SetSubscriptionAttributes", gateway.Write, s.setSubscriptionAttributes),
		gateway.Handle("ConfirmSubscription", gateway.Write, s.confirmSubscription),
		gateway.Handle("Unsubscribe", gateway.Write, s.unsubscribe),

		gateway.Handle("Publish", gateway.Write, s.publish,
			gateway.Refuse("MessageDeduplicationId", noFIFO), gateway.Refuse("MessageGroupId",
				noFIFO), gateway.Refuse("PhoneNumber", noPhones)),
		gateway.Handle("PublishBatch", gateway.Write, s.publishBatch,
			gateway.Refuse("PublishBatchRequestEntries.MessageDeduplicationId", noFIFO),
			gateway.Refuse("PublishBatchRequestEntries.MessageGroupId", noFIFO)),

		gateway.Handle("ListTopics", gateway.List, s.listTopics),
		gateway.Handle("ListSubscriptions", gateway.List, s.listSubscriptions),
		gateway.Handle("ListSubscriptionsByTopic", gateway.List, s.listSubscriptionsByTopic),

		gateway.Handle("TagResource", gateway.Tagging, s.tagResource),
		gateway.Handle("UntagResource", gateway.Tagging, s.untagResource),
		gateway.Handle("ListTagsForResource", gateway.Read, s.listTags),
	}
}

// HasTopic tells whether there is a topic of that ARN.
func (s *Service) HasTopic(arn string) bool {
	err := s.Store.View(func(tx *store.Tx) error {
		_, err := s.findTopic(tx, &arn)
		return err
	})
	return err == nil
}

func (s *Service) arn(resource string) string {
	return fmt.Sprintf("arn:aws:sns:%s:%s:%s", s.Region, s.Account, resource)
}

// resource takes an ARN of this account apart. member is how the request calls it.
func (s *Service) resource(arn *string, member string) (string, error) {
	const elements = 6
	parts := strings.SplitN(aws.ToString(arn), ":", elements)
	switch {
	case len(parts) < elements:
		return "", invalidParameter("%s Reason: An ARN must have at least %d elements, not %d", member, elements,
			len(parts))
	case parts[3] != s.Region: // which AWS does not explain
		return "", invalidParameter("%s", member)
	}
	resource, ok := strings.CutPrefix(*arn, s.arn(""))
	if !ok {
		return "", invalidParameter("%s Reason: %s is not an ARN of a topic or a subscription of account %s in %s",
			member, *arn, s.Account, s.Region)
	}
	return resource, nil
}
