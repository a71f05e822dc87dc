package sns

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/iampolicy"
	"larder/internal/store"
)

// guardTopic refuses what the policy of the topic that a request names denies the caller.
func (s *Service) guardTopic(ctx context.Context, action string, input any) error {
	arn := gateway.Text(input, "TopicArn", "TargetArn", "ResourceArn")
	if arn == nil {
		return nil
	}
	if action == "PublishBatch" {
		action = "Publish"
	}
	return s.authorize(caller.Of(ctx), action, *arn)
}

// authorize refuses what a topic's policy does not let a caller do. Users have the rights of the account's
// administrator, which a statement can only take away; services have those that a statement gives them. Whoever does
// the action says what is wrong with a topic that cannot be found or read.
func (s *Service) authorize(by caller.Caller, action, arn string) error {
	var of topic
	err := s.Store.View(func(tx *store.Tx) (err error) {
		of, err = s.findTopic(tx, &arn)
		return err
	})
	switch {
	case errors.As(err, new(*types.NotFoundException)), errors.As(err, new(*types.InvalidParameterException)),
		store.IsUnreadable(err):
		return nil
	case err != nil:
		return err
	}
	text := of.Attributes[policyAttribute]
	if text == "" {
		text = s.defaultPolicy(of.Name)
	}
	decision, err := s.decide(text, by, action, arn)
	allowed := decision == iampolicy.Allow || by.Service == "" && decision == iampolicy.Implicit
	switch {
	case err != nil && by.Service == "": // kept by an earlier larder; it can be replaced
		s.Logger.Error("the policy of a topic cannot be evaluated", "topic", arn, "error", err)
		return nil
	case err != nil:
		return notAuthorized(fmt.Sprintf("the policy of %s cannot be evaluated: %v", arn, err))
	case !allowed:
		return notAuthorized(iampolicy.Refusal(decision, by, "SNS:"+action, arn))
	}
	return nil
}

func (s *Service) decide(text string, by caller.Caller, action, arn string) (iampolicy.Decision, error) {
	policy, err := iampolicy.Parse(text)
	if err != nil {
		return iampolicy.Implicit, err
	}
	return policy.Decide(iampolicy.Request{Caller: by, Action: "sns:" + action, Resource: arn}), nil
}
