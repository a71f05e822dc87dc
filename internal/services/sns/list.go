package sns

import (
	"context"
	"encoding/base64"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/store"
)

// pageSize is how many topics or subscriptions one answer lists.
const pageSize = 100

// page returns the rows, which come in the order of their keys, behind those that a token says were listed, and the
// next token.
func page[T any](rows []T, key func(T) string, token *string) ([]T, *string, error) {
	if token != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, invalidParameter("NextToken")
		}
		for len(rows) > 0 && key(rows[0]) <= string(last) {
			rows = rows[1:]
		}
	}
	if len(rows) <= pageSize {
		return rows, nil, nil
	}
	return rows[:pageSize], new(base64.RawURLEncoding.EncodeToString([]byte(key(rows[pageSize-1])))), nil
}

func (s *Service) listTopics(_ context.Context, in *sdk.ListTopicsInput) (*sdk.ListTopicsOutput, error) {
	var all []topic
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = topics.List(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	all, token, err := page(all, func(t topic) string { return t.Name }, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListTopicsOutput{NextToken: token}
	for _, t := range all {
		out.Topics = append(out.Topics, types.Topic{TopicArn: new(s.arn(t.Name))})
	}
	return out, nil
}

func (s *Service) listSubscriptions(
	_ context.Context, in *sdk.ListSubscriptionsInput,
) (*sdk.ListSubscriptionsOutput, error) {
	var all []subscription
	err := s.Store.View(func(tx *store.Tx) error {
		for sub, err := range subscriptions.Readable(tx, "") {
			if err != nil {
				return err
			}
			if !s.gone(sub) {
				all = append(all, sub)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all, token, err := page(all, subscription.key, in.NextToken)
	return &sdk.ListSubscriptionsOutput{Subscriptions: s.describe(all), NextToken: token}, err
}

func (s *Service) listSubscriptionsByTopic(
	_ context.Context, in *sdk.ListSubscriptionsByTopicInput,
) (*sdk.ListSubscriptionsByTopicOutput, error) {
	var all []subscription
	err := s.Store.View(func(tx *store.Tx) error {
		of, err := s.findTopic(tx, in.TopicArn)
		if err != nil {
			return err
		}
		all, err = s.subscribed(tx, of.Name)
		return err
	})
	if err != nil {
		return nil, err
	}
	all, token, err := page(all, subscription.key, in.NextToken)
	return &sdk.ListSubscriptionsByTopicOutput{Subscriptions: s.describe(all), NextToken: token}, err
}

// describe lists subscriptions as the API does: one that is not confirmed has no ARN.
func (s *Service) describe(subscribed []subscription) []types.Subscription {
	var out []types.Subscription
	for _, sub := range subscribed {
		arn := s.arn(sub.key())
		if sub.Pending {
			arn = "PendingConfirmation"
		}
		out = append(out, types.Subscription{
			SubscriptionArn: &arn, TopicArn: new(s.arn(sub.Topic)), Protocol: aws.String(sub.Protocol),
			Endpoint: aws.String(sub.Endpoint), Owner: &s.Account,
		})
	}
	return out
}
