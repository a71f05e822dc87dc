package sns

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	smithyrand "github.com/aws/smithy-go/rand"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/store"
)

// subscriptions holds every subscription, by the part of its ARN after the account: "topic:id".
const subscriptions = store.Table[subscription]("sns-subscriptions")

// subscription is somebody whom a topic's messages are for.
type subscription struct {
	ID, Topic, Protocol, Endpoint string
	Attributes                    map[string]string // those that were set
	Pending                       bool              // until the endpoint's owner confirms
	Tokens                        []string          // hashes of what the endpoint's owner can confirm with
	Authenticated                 bool              // whether unsubscribing needs a signature
	Created                       time.Time
}

func (sub subscription) key() string { return sub.Topic + ":" + sub.ID }

func (sub subscription) isHTTP() bool { return sub.Protocol == "http" || sub.Protocol == "https" }

// pendingLife is how long a subscription waits to be confirmed.
const pendingLife = 48 * time.Hour

// maxTokens bounds how many of a subscription's tokens are good: the last ones.
const maxTokens = 10

// pendingARN stands for the ARN of a subscription that is not confirmed, unless the caller asks for the ARN.
const pendingARN = "pending confirmation"

// onAttributes is what a filter policy looks at unless it is told otherwise.
const onAttributes = "MessageAttributes"

// protocols are those of the receivers that larder can reach. All of them have to confirm.
func protocols() []string { return []string{"http", "https", "email", "email-json"} }

// foreign are the other protocols that SNS has.
func foreign() []string { return []string{"sms", "sqs", "application", "lambda", "firehose"} }

func (s *Service) gone(sub subscription) bool {
	return sub.Pending && s.Now().Sub(sub.Created) >= pendingLife
}

// subscribed lists the subscriptions of a topic.
func (s *Service) subscribed(tx *store.Tx, topic string) ([]subscription, error) {
	var out []subscription
	for sub, err := range subscriptions.Readable(tx, topic+":") {
		if err != nil {
			return nil, err
		}
		if sub.Topic != topic {
			break
		}
		if !s.gone(sub) {
			out = append(out, sub)
		}
	}
	return out, nil
}

func (s *Service) subscribe(ctx context.Context, in *sdk.SubscribeInput) (*sdk.SubscribeOutput, error) {
	asked := subscription{
		Protocol: aws.ToString(in.Protocol), Endpoint: aws.ToString(in.Endpoint), Attributes: map[string]string{},
		Pending: true, Created: s.Now(),
	}
	if err := checkEndpoint(asked.Protocol, asked.Endpoint); err != nil {
		return nil, err
	}
	for name, value := range in.Attributes {
		if err := asked.set(within, name, value); err != nil {
			return nil, err
		}
	}
	if err := asked.checkFilter(within); err != nil {
		return nil, err
	}
	made := asked
	err := s.Store.View(func(tx *store.Tx) error { return s.subscribeOnce(tx, in.TopicArn, &made) })
	if err == nil && made.Pending {
		made = asked
		err = s.invite(ctx, in.TopicArn, &made)
	}
	if err != nil {
		return nil, err
	}
	if in.ReturnSubscriptionArn || !made.Pending {
		return &sdk.SubscribeOutput{SubscriptionArn: new(s.arn(made.key()))}, nil
	}
	return &sdk.SubscribeOutput{SubscriptionArn: new(pendingARN)}, nil
}

// invite keeps a pending subscription together with the message that its endpoint confirms with: nobody is subscribed
// who cannot be asked.
func (s *Service) invite(ctx context.Context, topicARN *string, asked *subscription) error {
	token, hash, err := s.newToken()
	if err != nil {
		return err
	}
	m, err := s.invitation(*topicARN, token)
	if err != nil {
		return err
	}
	return s.send(caller.Of(ctx), m, audit.In(ctx, s.Store), func(tx *store.Tx) ([]string, error) {
		if err := s.purge(tx); err != nil {
			return nil, err
		}
		if err := s.subscribeOnce(tx, topicARN, asked); err != nil || !asked.Pending {
			return nil, err
		}
		asked.Tokens = append(asked.Tokens,
			hash) // who asks again while it is pending gets another; the ones before stay good
		asked.Tokens = asked.Tokens[max(0, len(asked.Tokens)-maxTokens):]
		asked.Created = s.Now()
		return []string{asked.key()}, subscriptions.Put(tx, asked.key(), *asked)
	})
}

// subscribeOnce gives a subscription its topic and its id, or finds the one that the topic has for the same endpoint.
func (s *Service) subscribeOnce(tx *store.Tx, topicARN *string, asked *subscription) error {
	to, err := s.findTopic(tx, topicARN)
	if err != nil {
		return err
	}
	asked.Topic = to.Name
	subscribed, err := s.subscribed(tx, asked.Topic)
	if err != nil {
		return err
	}
	for _, found := range subscribed {
		if found.Protocol != asked.Protocol || found.Endpoint != asked.Endpoint {
			continue
		}
		if len(asked.Attributes) > 0 && !maps.Equal(asked.Attributes, found.Attributes) {
			return invalidParameter("Attributes Reason: Subscription already exists with different attributes")
		}
		*asked = found
		return nil
	}
	asked.ID, err = s.newID()
	return err
}

func checkEndpoint(protocol, endpoint string) error {
	if !slices.Contains(protocols(), protocol) {
		return invalidParameter("Amazon SNS does not support this protocol string: %s", protocol)
	}
	if strings.HasPrefix(protocol, "email") {
		if user, host, ok := strings.Cut(endpoint, "@"); !ok || user == "" || host == "" ||
			strings.ContainsAny(endpoint, " \t\r\n") {
			return invalidParameter("Email address")
		}
		return nil
	}
	if at, err := url.Parse(endpoint); !strings.HasPrefix(endpoint, protocol+"://") || err != nil || at.Host == "" {
		return invalidParameter("Endpoint must match the specified protocol")
	}
	return nil
}

// within begins the refusal of an attribute that comes with the request that subscribes.
const within = "Attributes Reason: "

// set sets or takes back one of a subscription's attributes. where begins a refusal: it is within, or nothing.
func (sub subscription) set(where, name, value string) error {
	rules := map[string]rule{
		deliveryPolicy: subscriptionDeliveryReason, filterPolicyScope: scopeReason, rawMessageDelivery: rawReason,
		filterPolicy: func(string) string { return "" }, // what may be in it depends on the scope: see checkFilter
	}
	wrong, ok := rules[name]
	switch {
	case !ok && slices.Contains(unservedOfSubscriptions(), name):
		return notServed("larder does not serve the attribute %s of a subscription", name)
	case !ok:
		return invalidParameter("%sAttributeName", where)
	case value == "" && name != rawMessageDelivery:
		delete(sub.Attributes, name)
		return nil
	}
	if reason := wrong(value); reason != "" {
		return invalidParameter("%s%s: %s", where, name, reason)
	}
	switch {
	case sub.isHTTP():
	case name == rawMessageDelivery && value == "true":
		return invalidParameter("%sDelivery protocol [%s] does not support raw message delivery.", where, sub.Protocol)
	case name == deliveryPolicy:
		return invalidParameter("%sDelivery protocol [%s] does not support %s.", where, sub.Protocol, name)
	}
	sub.Attributes[name] = value
	return nil
}

// unservedOfSubscriptions are attributes that AWS's subscriptions have, for receivers that larder does not serve.
func unservedOfSubscriptions() []string {
	return []string{"RedrivePolicy", "ReplayPolicy", "SubscriptionRoleArn"}
}

func rawReason(value string) string {
	if value != "true" && value != "false" {
		return fmt.Sprintf("Invalid value [%s]. Must be true or false.", value)
	}
	return ""
}

func scopeReason(value string) string {
	if value != onAttributes && value != onBody {
		return fmt.Sprintf("Invalid value [%s]. Please use either MessageBody or MessageAttributes", value)
	}
	return ""
}

// checkFilter refuses a subscription whose filter policy its scope does not allow. where begins a refusal, as in set.
func (sub subscription) checkFilter(where string) error {
	text := sub.Attributes[filterPolicy]
	if text == "" {
		return nil
	}
	switch err := checkFilterPolicy(text, sub.Attributes[filterPolicyScope]); {
	case errors.Is(err, errNested):
		return invalidParameter("%s%s", where, err)
	case err != nil:
		return invalidParameter("%s%s: %s", where, filterPolicy, err)
	}
	return nil
}

// newID makes a random UUID, version 4.
func (s *Service) newID() (string, error) {
	id, err := smithyrand.NewUUID(s.Random).GetUUID()
	if err != nil {
		return "", fmt.Errorf("cannot make an id: %w", err)
	}
	return id, nil
}

// findSubscription returns the subscription of that ARN.
func (s *Service) findSubscription(tx *store.Tx, arn *string) (subscription, error) {
	name, err := s.resource(arn, "SubscriptionArn")
	if err != nil {
		return subscription{}, err
	}
	if !strings.Contains(name, ":") {
		return subscription{}, invalidParameter("SubscriptionArn Reason: %s is the ARN of a topic", *arn)
	}
	found, err := subscriptions.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && s.gone(found) {
		return subscription{}, notFound("Subscription does not exist")
	}
	return found, err
}

func (s *Service) getSubscriptionAttributes(
	_ context.Context, in *sdk.GetSubscriptionAttributesInput,
) (*sdk.GetSubscriptionAttributesOutput, error) {
	var found subscription
	var of topic
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if found, err = s.findSubscription(tx, in.SubscriptionArn); err == nil {
			of, err = topics.Get(tx, found.Topic)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{
		"SubscriptionArn": s.arn(found.key()), "TopicArn": s.arn(found.Topic), "Owner": s.Account,
		"SubscriptionPrincipal": "arn:aws:iam::" + s.Account + ":user/larder",
		"Protocol":              found.Protocol, "Endpoint": found.Endpoint,
		"PendingConfirmation":          strconv.FormatBool(found.Pending),
		"ConfirmationWasAuthenticated": strconv.FormatBool(found.Authenticated), rawMessageDelivery: "false",
	}
	maps.Copy(attributes, found.Attributes)
	if found.isHTTP() {
		if attributes[effectiveDeliveryPolicy], err = policyText(of, found); err != nil {
			return nil, err
		}
	}
	if found.Attributes[filterPolicy] != "" && found.Attributes[filterPolicyScope] == "" {
		attributes[filterPolicyScope] = onAttributes
	}
	return &sdk.GetSubscriptionAttributesOutput{Attributes: attributes}, nil
}

func (s *Service) setSubscriptionAttributes(
	ctx context.Context, in *sdk.SetSubscriptionAttributesInput,
) (*sdk.SetSubscriptionAttributesOutput, error) {
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		found, err := s.findSubscription(tx, in.SubscriptionArn)
		if err != nil {
			return err
		}
		if found.Attributes == nil {
			found.Attributes = map[string]string{}
		}
		if err := found.set("", aws.ToString(in.AttributeName), aws.ToString(in.AttributeValue)); err != nil {
			return err
		}
		if err := found.checkFilter(""); err != nil && strings.HasPrefix(aws.ToString(in.AttributeName), filterPolicy) {
			return err
		}
		return subscriptions.Put(tx, found.key(), found)
	})
	return &sdk.SetSubscriptionAttributesOutput{}, err
}

// unsubscribe ends a subscription. One that is not confirmed ends by itself, and it succeeds where there is none.
func (s *Service) unsubscribe(ctx context.Context, in *sdk.UnsubscribeInput) (*sdk.UnsubscribeOutput, error) {
	key, err := s.resource(in.SubscriptionArn, "SubscriptionArn")
	if err == nil && !strings.Contains(key, ":") {
		err = invalidParameter("SubscriptionId")
	}
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		found, err := subscriptions.Get(tx, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case store.IsUnreadable(err):
			return errors.Join(cancel(tx, key), subscriptions.Delete(tx, key))
		case err != nil:
			return err
		case s.gone(found):
			return nil
		case found.Pending:
			return invalidParameter("SubscriptionArn Reason: Cannot unsubscribe a subscription that is pending confirmation")
		}
		of, err := topics.Get(tx, found.Topic)
		if err != nil {
			return fmt.Errorf("cannot find the topic of the subscription %s: %w", key, err)
		}
		of.Deleted++
		return errors.Join(topics.Put(tx, of.Name, of), cancel(tx, key), subscriptions.Delete(tx, key))
	})
	return &sdk.UnsubscribeOutput{}, err
}

// purge drops the subscriptions that nobody confirmed in time.
func (s *Service) purge(tx *store.Tx) error {
	all, err := subscriptions.List(tx)
	for _, sub := range all {
		if s.gone(sub) {
			err = errors.Join(err, cancel(tx, sub.key()), subscriptions.Delete(tx, sub.key()))
		}
	}
	return err
}
