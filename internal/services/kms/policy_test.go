package kms_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"

	"larder/internal/servicetest"
)

func TestPolicies(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	get := func() string {
		return *must(s.GetKeyPolicy(t.Context(),
			&sdk.GetKeyPolicyInput{KeyId: &id, PolicyName: new("default")}))(t).Policy
	}
	if got := get(); !strings.Contains(got, `"AWS" : "arn:aws:iam::123456789012:root"`) {
		t.Errorf("the default policy is %s", got)
	}
	put := func(text string, bypass bool) error {
		_, err := s.PutKeyPolicy(t.Context(),
			&sdk.PutKeyPolicyInput{KeyId: &id, Policy: &text, BypassPolicyLockoutSafetyCheck: bypass})
		return err
	}
	statement := func(principal, action string) string {
		return `{"Statement":{"Effect":"Allow","Principal":` + principal + `,"Action":` + action + `,"Resource":"*"}}`
	}
	const us = `{"AWS":["arn:aws:iam::123456789012:user/larder","arn:aws:iam::999999999999:root"]}`
	good := []string{
		statement(us, `["kms:Get*","kms:Put*"]`), statement(`"*"`, `"*"`), statement(`{"AWS":"123456789012"}`,
			`["KMS:PutKeyPolicy","kms:GetKeyPolicy"]`),
		`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"*"},"NotAction":"kms:*",` +
			`"NotResource":"*"},` +
			`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}`,
	}
	for _, policy := range good {
		if err := put(policy, false); err != nil {
			t.Errorf("%s: %v", policy, err)
		} else if get() != policy {
			t.Errorf("got %s", get())
		}
	}
	const locked = "The new key policy will not allow you to update the key policy in the future."
	for policy, message := range map[string]string{
		`{`:                                "Policy contains invalid Json",
		`{}`:                               "Policy contains no statement that can be read",
		`{"Statement":1}`:                  "Policy contains no statement that can be read",
		`{"Statement":{"Effect":"Maybe"}}`: `Statement 1 of the policy has the Effect "Maybe"; it must be Allow or Deny`,
		`{"Statement":{"Effect":"Allow"}}`: "Policy contains a statement with no principal.",
		`{"Statement":{"Effect":"Allow","Principal":"*"}}`:                  "Statement 1 of the policy has no Action",
		`{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*"}}`: "Policy contains a statement with no resource.",
		statement(us, `"kms:Decrypt"`):                                      locked,
		statement(`{"AWS":"arn:aws:iam::999999999999:root"}`, `"kms:*"`):    locked,
		statement(`{"Service":"cloudwatch.amazonaws.com"}`, `"kms:*"`):      locked,
		strings.Replace(statement(us, `"kms:*"`), `"Allow"`, `"Deny"`, 1):   locked,
	} {
		servicetest.WantError(t, put(policy, false), "MalformedPolicyDocumentException", message)
		_, err := s.CreateKey(t.Context(), &sdk.CreateKeyInput{Policy: &policy})
		servicetest.WantError(t, err, "MalformedPolicyDocumentException", message)
	}
	if err := put(statement(us, `"kms:Decrypt"`), true); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"other"} {
		_, err := s.GetKeyPolicy(t.Context(), &sdk.GetKeyPolicyInput{KeyId: &id, PolicyName: &name})
		servicetest.WantError(t, err, "NotFoundException", "No such policy exists")
		_, err = s.PutKeyPolicy(t.Context(), &sdk.PutKeyPolicyInput{KeyId: &id, PolicyName: &name, Policy: &good[0]})
		servicetest.WantError(t, err, "NotFoundException", "No such policy exists")
	}
}
