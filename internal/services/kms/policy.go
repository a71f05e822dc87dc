package kms

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"

	"larder/internal/iampolicy"
)

const (
	maxPolicy  = 32768     // bytes
	policyName = "default" // the one policy that a key has
)

// defaultPolicy is what a key gets that is made without one, to the letter.
func (s *Service) defaultPolicy() string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`, s.Account)
}

func (s *Service) getKeyPolicy(ctx context.Context, in *sdk.GetKeyPolicyInput) (*sdk.GetKeyPolicyOutput, error) {
	if in.PolicyName != nil && *in.PolicyName != policyName {
		return nil, notFound("No such policy exists")
	}
	k, err := s.view(ctx, "GetKeyPolicy", in.KeyId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetKeyPolicyOutput{Policy: &k.Policy, PolicyName: new(policyName)}, nil
}

func (s *Service) putKeyPolicy(ctx context.Context, in *sdk.PutKeyPolicyInput) (*sdk.PutKeyPolicyOutput, error) {
	if in.PolicyName != nil && *in.PolicyName != policyName {
		return nil, notFound("No such policy exists")
	}
	if err := s.checkPolicy(*in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	err := s.changeAny(ctx, "PutKeyPolicy", in.KeyId, func(k *key) error {
		k.Policy = *in.Policy
		return nil
	})
	return &sdk.PutKeyPolicyOutput{}, err
}

func (s *Service) listKeyPolicies(ctx context.Context, in *sdk.ListKeyPoliciesInput) (*sdk.ListKeyPoliciesOutput,
	error) {
	if _, err := s.view(ctx, "ListKeyPolicies", in.KeyId); err != nil {
		return nil, err
	}
	names, marker, err := page([]string{policyName}, func(name string) string { return name }, maxPage, in.Limit,
		in.Marker)
	return &sdk.ListKeyPoliciesOutput{PolicyNames: names, NextMarker: marker, Truncated: marker != nil}, err
}

// statement is one statement of a key policy, as far as it is looked at.
type statement struct {
	Effect                  string
	Principal, NotPrincipal json.RawMessage
	Action, NotAction       oneOrMore
	Resource, NotResource   oneOrMore
}

// oneOrMore is a text or a list of texts.
type oneOrMore []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// checkPolicy refuses what is no key policy, and, unless the check is bypassed, one that nobody of the account could
// change again.
func (s *Service) checkPolicy(text string, bypass bool) error {
	statements, err := parsePolicy(text)
	if err != nil {
		return err
	}
	if _, err := iampolicy.Parse(text); err != nil {
		return badPolicy("Policy cannot be evaluated: %v", err)
	}
	safe := func(st statement) bool {
		return st.Effect == "Allow" && slices.ContainsFunc(st.Action, grantsPutKeyPolicy) && s.grantsUs(st.Principal)
	}
	if !bypass && !slices.ContainsFunc(statements, safe) {
		return badPolicy("The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

func parsePolicy(text string) ([]statement, error) {
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return nil, badPolicy("Policy contains invalid Json")
	}
	var statements []statement
	raw := bytes.TrimSpace(policy.Statement)
	if len(raw) > 0 && raw[0] == '{' { // one statement needs no list
		raw = slices.Concat([]byte{'['}, raw, []byte{']'})
	}
	if err := json.Unmarshal(raw, &statements); err != nil || len(statements) == 0 {
		return nil, badPolicy("Policy contains no statement that can be read")
	}
	for i, st := range statements {
		switch {
		case st.Effect != "Allow" && st.Effect != "Deny":
			return nil, badPolicy("Statement %d of the policy has the Effect %q; it must be Allow or Deny", i+1,
				st.Effect)
		case len(st.Principal) == 0 && len(st.NotPrincipal) == 0:
			return nil, badPolicy("Policy contains a statement with no principal.")
		case len(st.Action) == 0 && len(st.NotAction) == 0:
			return nil, badPolicy("Statement %d of the policy has no Action", i+1)
		case len(st.Resource) == 0 && len(st.NotResource) == 0:
			return nil, badPolicy("Policy contains a statement with no resource.")
		}
	}
	return statements, nil
}

func grantsPutKeyPolicy(action string) bool {
	switch action = strings.ToLower(action); {
	case action == "*" || action == "kms:putkeypolicy":
		return true
	default:
		prefix, wild := strings.CutSuffix(action, "*")
		return wild && strings.HasPrefix("kms:putkeypolicy", prefix)
	}
}

// grantsUs tells whether a principal is everybody, or of this account.
func (s *Service) grantsUs(principal json.RawMessage) bool {
	var by map[string]oneOrMore
	if err := json.Unmarshal(principal, &by); err != nil {
		return string(principal) == `"*"`
	}
	return slices.ContainsFunc(by["AWS"], func(p string) bool {
		return p == "*" || p == s.Account || strings.HasPrefix(p, "arn:aws:iam::"+s.Account+":")
	})
}
