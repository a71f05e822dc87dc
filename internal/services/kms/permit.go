package kms

import (
	"fmt"
	"strings"

	"larder/internal/caller"
	"larder/internal/iampolicy"
)

// use is a use of a key, as its policy sees it.
type use struct {
	caller  caller.Caller
	via     string // the service that a user's request goes through
	context map[string]string
}

// permit refuses what a key's policy does not allow. On AWS, too, nobody can do anything with a key that its policy
// does not say: what lets the account's users in is its statement for the account's root.
func (s *Service) permit(k key, action string, by use) error {
	policy, err := iampolicy.Parse(k.Policy)
	switch {
	case err != nil && by.caller.Service == "": // kept by an earlier larder; it can be replaced
		s.Failed(fmt.Errorf("the policy of the key %s cannot be evaluated: %w", k.ID, err))
		return nil
	case err != nil:
		return clientError("AccessDeniedException", "the policy of the key %s cannot be evaluated: %v", k.ID, err)
	}
	decision := policy.Decide(iampolicy.Request{
		Caller: by.caller, Action: "kms:" + action, Resource: s.keyARN(k.ID), Values: s.conditionKeys(by),
	})
	if decision != iampolicy.Allow {
		return s.unauthorized(decision, by.caller, action, k)
	}
	return nil
}

// conditionKeys are those that are KMS's own.
func (s *Service) conditionKeys(by use) map[string]string {
	values := map[string]string{}
	if by.caller.Service == "" {
		values["kms:calleraccount"] = by.caller.Account
	}
	if by.via != "" {
		values["kms:viaservice"] = by.via + "." + s.Region + ".amazonaws.com"
	}
	for key, value := range by.context {
		values["kms:encryptioncontext:"+strings.ToLower(key)] = value
	}
	return values
}

// unauthorized is the refusal of what a policy does not allow.
func (s *Service) unauthorized(d iampolicy.Decision, by caller.Caller, action string, k key) error {
	return clientError("AccessDeniedException", "%s", iampolicy.Refusal(d, by, "kms:"+action, s.keyARN(k.ID)))
}

// Permit refuses what the policy of a key does not let a caller do, who uses it through the service. The key is given
// by id, ARN, alias or alias ARN, and has to be enabled.
func (c Client) Permit(id string, by caller.Caller, context map[string]string, actions ...string) error {
	k, err := c.kms.encryptionKey(c.user("Encrypt"), &id)
	if err != nil {
		return c.passedOn(err)
	}
	as := use{caller: by, context: context}
	if by.Service == "" {
		as.via = c.service
	}
	for _, action := range actions {
		if err := c.kms.permit(k, action, as); err != nil {
			return c.passedOn(err)
		}
	}
	return nil
}
