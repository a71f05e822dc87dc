package secretsmanager

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/iampolicy"
	"larder/internal/store"
)

// guardSecret refuses what the policy of the secret that a request names denies the caller.
func (s *Service) guardSecret(ctx context.Context, action string, input any) error {
	id := gateway.Text(input, "SecretId")
	if id == nil {
		return nil
	}
	var found secret
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.find(tx, id)
		return err
	})
	if refusal := smithy.APIError(nil); errors.As(err, &refusal) || store.IsUnreadable(err) {
		return nil // whoever does the action says what is wrong
	}
	if err != nil {
		return err
	}
	return s.authorize(ctx, action, found)
}

// authorize refuses what a secret's policy denies. The account's users have the rights of its administrator, which a
// statement can only take away.
func (s *Service) authorize(ctx context.Context, action string, found secret) error {
	if found.Policy == "" {
		return nil
	}
	policy, err := iampolicy.Parse(found.Policy)
	if err != nil { // kept by an earlier larder; it can be replaced
		s.Failed(fmt.Errorf("the policy of the secret %s cannot be evaluated: %w", found.Name, err))
		return nil
	}
	by := caller.Of(ctx)
	r := iampolicy.Request{Caller: by, Action: "secretsmanager:" + action, Resource: found.ARN}
	if policy.Decide(r) != iampolicy.Deny {
		return nil
	}
	return &smithy.GenericAPIError{Code: "AccessDeniedException", Fault: smithy.FaultClient,
		Message: iampolicy.Refusal(iampolicy.Deny, by, r.Action, found.ARN)}
}
