package secretsmanager_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/servicetest"
)

func TestResourcePolicy(t *testing.T) {
	s := newServer(t)
	arn := s.create(t, "mine", "one")
	get := func() *string {
		out := must(s.GetResourcePolicy(t.Context(), &sdk.GetResourcePolicyInput{SecretId: new("mine")}))(t)
		if *out.ARN != arn || *out.Name != "mine" {
			t.Errorf("got %+v", out)
		}
		return out.ResourcePolicy
	}
	put := func(policy string, block bool) error {
		_, err := s.PutResourcePolicy(t.Context(),
			&sdk.PutResourcePolicyInput{SecretId: &arn, ResourcePolicy: &policy, BlockPublicPolicy: &block})
		return err
	}
	if got := get(); got != nil {
		t.Errorf("at first it is %q", *got)
	}
	statement := func(principal, rest string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":` + principal +
			`,"Action":"secretsmanager:GetSecretValue","Resource":"*"` + rest + `}}`
	}
	const condition = `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`
	private := []string{statement(`{"AWS":"arn:aws:iam::123456789012:root"}`, ""), statement(`"*"`, condition),
		strings.Replace(statement(`"*"`, ""), "Allow", "Deny", 1)}
	public := []string{statement(`"*"`, ""), statement(`{"AWS":"*"}`, ""),
		statement(`{"AWS":["arn:aws:iam::123456789012:root","*"]}`, "")}
	for _, policy := range append(private, public...) {
		if err := put(policy, false); err != nil {
			t.Fatal(err)
		}
		if got := get(); *got != policy {
			t.Errorf("got %s", *got)
		}
	}
	for _, policy := range private {
		if err := put(policy, true); err != nil {
			t.Errorf("%s: %v", policy, err)
		}
	}
	for _, policy := range public {
		servicetest.WantError(t, put(policy, true), "PublicPolicyException",
			"The resource policy grants access to everybody, which BlockPublicPolicy forbids.")
	}
	for policy, message := range map[string]string{
		`{`:                 "This resource policy contains a syntax error.",
		`{"Statement":[]}`:  "This resource policy contains a syntax error.",
		`{"Statement":"x"}`: "This resource policy contains a syntax error.",
		`{"Statement":[{}]}`: `Statement 1 of the resource policy has the Effect ""; it must be Allow or ` +
			`Deny.`,
		`{"Statement":[{"Effect":"Allow"}]}`:                 "Statement 1 of the resource policy has no Principal.",
		`{"Statement":[{"Effect":"Allow","Principal":"*"}]}`: "Statement 1 of the resource policy has no Action.",
	} {
		servicetest.WantError(t, put(policy, false), "MalformedPolicyDocumentException", message)
	}
	servicetest.WantError(t, put(strings.Repeat(" ", 20481), false), "ValidationException",
		refusal("'"+strings.Repeat(" ", 20481)+"'", "resourcePolicy", "have length less than or equal to 20480"))

	must(s.DeleteResourcePolicy(t.Context(), &sdk.DeleteResourcePolicyInput{SecretId: new("mine")}))(t)
	if got := get(); got != nil {
		t.Errorf("after its deletion it is %q", *got)
	}
	must(s.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: &arn}))(t)
	_, err := s.GetResourcePolicy(t.Context(), &sdk.GetResourcePolicyInput{SecretId: &arn})
	servicetest.WantError(t, err, "InvalidRequestException",
		"You can't perform this operation on the secret because it was marked for deletion.")
}
