package secretsmanager_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/servicetest"
)

// TestResourcePolicyDenies: a statement takes actions on the secret away from the account's users, and no others.
func TestResourcePolicyDenies(t *testing.T) {
	s := newServer(t)
	arn, other := s.create(t, "mine", "x"), s.create(t, "other", "x")
	policy := func(statement string) error {
		_, err := s.PutResourcePolicy(t.Context(), &sdk.PutResourcePolicyInput{SecretId: &arn,
			ResourcePolicy: new(`{"Version":"2012-10-17","Statement":` + statement + `}`)})
		return err
	}
	get := func(id string) error {
		_, err := s.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: &id})
		return err
	}
	remove := func() error {
		_, err := s.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: &arn})
		return err
	}
	refusal := func(action string) string {
		return "User: arn:aws:iam::" + account + ":user/larder is not authorized to perform: secretsmanager:" + action +
			" on resource: " + arn + " with an explicit deny in a resource-based policy"
	}
	if err := policy(`{"Effect":"Deny","Principal":{"AWS":"` + account + `"},"Action":["secretsmanager:GetSecretValue",` +
		`"secretsmanager:DeleteSecret"],"Resource":"*"}`); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{arn, "mine"} {
		servicetest.WantError(t, get(id), "AccessDeniedException", refusal("GetSecretValue"))
	}
	servicetest.WantError(t, remove(), "AccessDeniedException", refusal("DeleteSecret"))
	out := must(s.BatchGetSecretValue(t.Context(), &sdk.BatchGetSecretValueInput{SecretIdList: []string{"mine",
		"other"}}))(t)
	if len(out.SecretValues) != 1 || len(out.Errors) != 1 || *out.Errors[0].ErrorCode != "AccessDeniedException" {
		t.Errorf("a batch gives %+v and %+v", out.SecretValues, out.Errors)
	}
	if err := get(other); err != nil {
		t.Error(err)
	}
	s.put(t, "mine", "y")
	servicetest.WantError(t, policy(`{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"Same":{"a":"b"}}}`),
		"MalformedPolicyDocumentException",
		"This resource policy cannot be evaluated: statement 1: Same is no condition operator")
	if err := policy(`{"Effect":"Allow","Principal":"*","Action":"secretsmanager:ListSecrets"}`); err != nil {
		t.Fatal(err)
	}
	if err := get(arn); err != nil {
		t.Error(err)
	}
	if err := remove(); err != nil {
		t.Error(err)
	}
}
