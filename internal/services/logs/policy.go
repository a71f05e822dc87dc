package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/audit"
	"larder/internal/store"
)

// policies holds every resource policy, by name.
const policies = store.Table[policy]("log-resource-policies")

// policy lets other services write logs.
type policy struct {
	Name, Document string
	Updated        time.Time
}

const (
	maxPolicies = 10
	maxDocument = 5120 // characters
)

func (p policy) describe() types.ResourcePolicy {
	return types.ResourcePolicy{
		PolicyName: &p.Name, PolicyDocument: &p.Document, LastUpdatedTime: millis(p.Updated),
		PolicyScope: types.PolicyScopeAccount,
	}
}

func (s *Service) putResourcePolicy(
	ctx context.Context, in *sdk.PutResourcePolicyInput,
) (*sdk.PutResourcePolicyOutput, error) {
	p := policy{Name: aws.ToString(in.PolicyName), Document: aws.ToString(in.PolicyDocument), Updated: s.Now()}
	if p.Name == "" {
		return nil, invalidParameter("policyName must be given: resource policies are the account's")
	}
	if err := checkDocument(p.Document); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		all, err := policies.Keys(tx)
		if err != nil {
			return err
		}
		if len(all) >= maxPolicies && !slices.Contains(all, p.Name) {
			return &types.LimitExceededException{Message: new("Resource limit exceeded.")}
		}
		return policies.Put(tx, p.Name, p)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.PutResourcePolicyOutput{ResourcePolicy: new(p.describe())}, nil
}

func checkDocument(text string) error {
	if n := utf8.RuneCountInString(text); n < 1 || n > maxDocument {
		return invalidParameter("The policy document must have 1 to %d characters; it has %d", maxDocument, n)
	}
	var document struct{ Statement json.RawMessage }
	var statements []struct{ Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource json.RawMessage }
	err := json.Unmarshal([]byte(text), &document)
	raw := bytes.TrimSpace(document.Statement)
	if len(raw) > 0 && raw[0] == '{' { // one statement needs no list
		raw = slices.Concat([]byte{'['}, raw, []byte{']'})
	}
	if err != nil || json.Unmarshal(raw, &statements) != nil || len(statements) == 0 {
		return invalidParameter("Invalid policy document: it must be a JSON object with a Statement")
	}
	for i, st := range statements {
		switch {
		case string(st.Effect) != `"Allow"` && string(st.Effect) != `"Deny"`:
			return invalidParameter("Invalid policy document: statement %d must have the Effect Allow or Deny", i+1)
		case st.Principal == nil && st.NotPrincipal == nil:
			return invalidParameter("Invalid policy document: statement %d must have a Principal", i+1)
		case st.Action == nil && st.NotAction == nil:
			return invalidParameter("Invalid policy document: statement %d must have an Action", i+1)
		case st.Resource == nil && st.NotResource == nil:
			return invalidParameter("Invalid policy document: statement %d must have a Resource", i+1)
		}
	}
	return nil
}

func (s *Service) describeResourcePolicies(
	_ context.Context, in *sdk.DescribeResourcePoliciesInput,
) (*sdk.DescribeResourcePoliciesOutput, error) {
	var all []policy
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = policies.List(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	all, token, err := page(all, func(p policy) string { return p.Name }, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeResourcePoliciesOutput{ResourcePolicies: []types.ResourcePolicy{}, NextToken: token}
	for _, p := range all {
		described := p.describe()
		document, err := normalized(p.Document)
		if err != nil {
			return nil, err
		}
		described.PolicyDocument = &document
		out.ResourcePolicies = append(out.ResourcePolicies, described)
	}
	return out, nil
}

func (s *Service) deleteResourcePolicy(
	ctx context.Context, in *sdk.DeleteResourcePolicyInput,
) (*sdk.DeleteResourcePolicyOutput, error) {
	name := aws.ToString(in.PolicyName)
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := policies.Get(tx, name); errors.Is(err, store.ErrNotFound) {
			return notFound("Policy with name [%s] does not exist.", name)
		} else if err != nil && !store.IsUnreadable(err) {
			return err
		}
		return policies.Delete(tx, name)
	})
	return &sdk.DeleteResourcePolicyOutput{}, err
}
