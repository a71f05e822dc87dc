package logs_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":` +
	`"delivery.logs.amazonaws.com"},` +
	`"Action":"logs:PutLogEvents","Resource":"*"}]}`

func (s *server) putPolicy(t *testing.T, name, document string) error {
	_, err := s.PutResourcePolicy(t.Context(),
		&sdk.PutResourcePolicyInput{PolicyName: &name, PolicyDocument: &document})
	return err
}

func TestResourcePolicies(t *testing.T) {
	s := newServer(t)
	first := must(s.PutResourcePolicy(t.Context(),
		&sdk.PutResourcePolicyInput{PolicyName: new("p-0"), PolicyDocument: new(document)}))(t)
	want := types.ResourcePolicy{
		PolicyName: new("p-0"), PolicyDocument: new(document), LastUpdatedTime: new(s.now.UnixMilli()),
		PolicyScope: types.PolicyScopeAccount,
	}
	if diff := cmp.Diff(&want, first.ResourcePolicy, plain); diff != "" {
		t.Error(diff)
	}
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprint("p-", i))
		if err := s.putPolicy(t, names[i], document); err != nil {
			t.Fatal(err)
		}
	}
	servicetest.WantError(t, s.putPolicy(t, "p-x", document), "LimitExceededException", "Resource limit exceeded.")
	if err := s.putPolicy(t, "p-3", strings.Replace(document, "Allow", "Deny", 1)); err != nil {
		t.Error(err)
	}
	var got []string
	for token := (*string)(nil); len(got) == 0 || token != nil; {
		out := must(s.DescribeResourcePolicies(t.Context(),
			&sdk.DescribeResourcePoliciesInput{Limit: new(int32(4)), NextToken: token}))(t)
		for _, p := range out.ResourcePolicies {
			got = append(got, *p.PolicyName)
		}
		token = out.NextToken
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Error(diff)
	}
	must(s.DeleteResourcePolicy(t.Context(), &sdk.DeleteResourcePolicyInput{PolicyName: new("p-3")}))(t)
	_, err := s.DeleteResourcePolicy(t.Context(), &sdk.DeleteResourcePolicyInput{PolicyName: new("p-3")})
	servicetest.WantError(t, err, "ResourceNotFoundException", "Policy with name [p-3] does not exist.")
}

func TestPolicyRefusals(t *testing.T) {
	s := newServer(t)
	for document, message := range map[string]string{
		`{`:                               "Invalid policy document: it must be a JSON object with a Statement",
		`{"Statement":[]}`:                "Invalid policy document: it must be a JSON object with a Statement",
		`{"Statement":{}}`:                "Invalid policy document: statement 1 must have the Effect Allow or Deny",
		`{"Statement":{"Effect":"Deny"}}`: "Invalid policy document: statement 1 must have a Principal",
		`{"Statement":{"Effect":"Deny","Principal":"*"}}`: "Invalid policy document: statement 1 must have an " +
			"Action",
		`{"Statement":{"Effect":"Deny","Principal":"*","Action":"*"}}`: "Invalid policy document: statement 1 must have a " +
			"Resource",
		strings.Repeat(" ",
			5121): "The policy document must have 1 to 5120 characters; it has 5121",
	} {
		servicetest.WantError(t, s.putPolicy(t, "mine", document), "InvalidParameterException", message)
	}
	servicetest.WantError(t, s.putPolicy(t, "", document), "InvalidParameterException",
		"1 validation error detected: Value '' at 'policyName' failed to satisfy constraint: "+
			"Member must have length greater than or equal to 1")
	_, err := s.PutResourcePolicy(t.Context(),
		&sdk.PutResourcePolicyInput{ResourceArn: new(prefix + "mine"), PolicyDocument: new(document)})
	servicetest.WantError(t, err, "ValidationException",
		"larder does not serve PutResourcePolicy's ResourceArn: resource policies are the account's")
}
