package secretsmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"larder/internal/iampolicy"
	"larder/internal/store"
)

const maxPolicy = 20480 // bytes

func (s *Service) getResourcePolicy(
	_ context.Context, in *sdk.GetResourcePolicyInput,
) (*sdk.GetResourcePolicyOutput, error) {
	var found secret
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.findLive(tx, in.SecretId)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &sdk.GetResourcePolicyOutput{ARN: &found.ARN, Name: &found.Name, ResourcePolicy: text(found.Policy)}, nil
}

func (s *Service) putResourcePolicy(
	ctx context.Context, in *sdk.PutResourcePolicyInput,
) (*sdk.PutResourcePolicyOutput, error) {
	if err := s.checkID(in.SecretId); err != nil {
		return nil, err
	}
	statements, err := parsePolicy(aws.ToString(in.ResourcePolicy))
	if err != nil {
		return nil, err
	}
	if aws.ToBool(in.BlockPublicPolicy) && slices.ContainsFunc(statements, statement.public) {
		return nil, &types.PublicPolicyException{Message: new("The resource policy grants access to everybody, which " +
			"BlockPublicPolicy forbids.")}
	}
	changed, err := s.change(ctx, in.SecretId, func(found *secret) error {
		found.Policy = *in.ResourcePolicy
		return nil
	})
	return &sdk.PutResourcePolicyOutput{ARN: &changed.ARN, Name: &changed.Name}, err
}

func (s *Service) deleteResourcePolicy(
	ctx context.Context, in *sdk.DeleteResourcePolicyInput,
) (*sdk.DeleteResourcePolicyOutput, error) {
	changed, err := s.change(ctx, in.SecretId, func(found *secret) error {
		found.Policy = ""
		return nil
	})
	return &sdk.DeleteResourcePolicyOutput{ARN: &changed.ARN, Name: &changed.Name}, err
}

// statement is one statement of a resource policy, as far as it is looked at.
type statement struct {
	Effect                  string
	Principal, NotPrincipal json.RawMessage
	Action, NotAction       json.RawMessage
	Condition               json.RawMessage
}

// public tells whether a statement lets everybody in.
func (st statement) public() bool {
	if st.Effect != "Allow" || len(st.Condition) > 0 {
		return false
	}
	var by map[string]json.RawMessage
	if err := json.Unmarshal(st.Principal, &by); err != nil {
		return string(st.Principal) == `"*"`
	}
	return bytes.Contains(by["AWS"], []byte(`"*"`))
}

func parsePolicy(text string) ([]statement, error) {
	var policy struct{ Statement json.RawMessage }
	var statements []statement
	err := json.Unmarshal([]byte(text), &policy)
	raw := bytes.TrimSpace(policy.Statement)
	if len(raw) > 0 && raw[0] == '{' { // one statement needs no list
		raw = slices.Concat([]byte{'['}, raw, []byte{']'})
	}
	if err != nil || json.Unmarshal(raw, &statements) != nil || len(statements) == 0 {
		return nil, malformed("This resource policy contains a syntax error.")
	}
	for i, st := range statements {
		switch {
		case st.Effect != "Allow" && st.Effect != "Deny":
			return nil, malformed("Statement %d of the resource policy has the Effect %q; it must be Allow or Deny.",
				i+1, st.Effect)
		case st.Principal == nil && st.NotPrincipal == nil:
			return nil, malformed("Statement %d of the resource policy has no Principal.", i+1)
		case st.Action == nil && st.NotAction == nil:
			return nil, malformed("Statement %d of the resource policy has no Action.", i+1)
		}
	}
	if _, err := iampolicy.Parse(text); err != nil {
		return nil, malformed("This resource policy cannot be evaluated: %v", err)
	}
	return statements, nil
}
