package kms_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"

	"larder/internal/caller"
	"larder/internal/servicetest"
)

const (
	rootAllowed = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account +
		`:root"},"Action":"kms:*","Resource":"*"}`
	notAllowed = "because no resource-based policy allows the kms:ACTION action"
	denied     = "with an explicit deny in a resource-based policy"
)

// policy gives a key a policy of these statements.
func (s *server) policy(t *testing.T, id, statements string) {
	t.Helper()
	must(s.PutKeyPolicy(t.Context(), &sdk.PutKeyPolicyInput{KeyId: &id, BypassPolicyLockoutSafetyCheck: true,
		Policy: new(`{"Version":"2012-10-17","Statement":[` + statements + `]}`)}))(t)
}

// TestKeyPolicyOfUsers: users do with a key what its policy lets the account do, and not what it denies them.
func TestKeyPolicyOfUsers(t *testing.T) {
	administrate := strings.Replace(rootAllowed, `"kms:*"`, `["kms:Put*","kms:Describe*"]`, 1)
	for _, test := range []struct{ statements, encrypt, describe, disable string }{
		{rootAllowed, "", "", ""},
		{administrate, notAllowed, "", notAllowed},
		{rootAllowed + `,{"Effect":"Deny","Principal":"*","Action":["kms:Encrypt","kms:DescribeKey"],"Resource":"*"}`,
			denied, denied, ""},
		{rootAllowed + `,{"Effect":"Deny","Principal":{"AWS":"` + account + `"},"Action":"kms:Encrypt","Resource":"*",` +
			`"Condition":{"StringNotEquals":{"kms:EncryptionContext:App":"mine"}}}`, denied, "", ""},
		{rootAllowed + `,{"Effect":"Deny","Principal":"*","Action":"kms:Encrypt","Resource":"*",` +
			`"Condition":{"StringEquals":{"kms:EncryptionContext:app":"other"}}}`, "", "", ""},
	} {
		s := newServer(t)
		id := s.create(t)
		s.policy(t, id, test.statements)
		want := func(err error, action, refusal string) {
			t.Helper()
			if refusal == "" {
				if err != nil {
					t.Errorf("%s: %s: %v", test.statements, action, err)
				}
				return
			}
			servicetest.WantError(t, err, "AccessDeniedException", "User: arn:aws:iam::"+account+
				":user/larder is not authorized to perform: kms:"+action+" on resource: "+prefix+"key/"+id+" "+
				strings.Replace(refusal, "ACTION", action, 1))
		}
		_, err := s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("x")})
		want(err, "Encrypt", test.encrypt)
		_, err = s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &id})
		want(err, "DescribeKey", test.describe)
		_, err = s.Client.DisableKey(t.Context(), &sdk.DisableKeyInput{KeyId: &id})
		want(err, "DisableKey", test.disable)
	}
}

// TestPermit: services do with a key what its policy lets them, on their own or for users.
func TestPermit(t *testing.T) {
	alarms := caller.Service("cloudwatch.amazonaws.com", account, "arn:aws:cloudwatch:us-east-1:"+account+":alarm:a")
	me := caller.User(account)
	lets := func(principal, condition string) string {
		return rootAllowed + `,{"Effect":"Allow","Principal":` + principal +
			`,"Action":["kms:Decrypt","kms:GenerateDataKey*"],"Resource":"*"` + condition + `}`
	}
	for _, test := range []struct {
		statements   string
		alarms, user bool
	}{
		{rootAllowed, false, true},
		{lets(`{"Service":"cloudwatch.amazonaws.com"}`, ""), true, true},
		{lets(`{"Service":"logs.us-east-1.amazonaws.com"}`, ""), false, true},
		{lets(`"*"`, `,"Condition":{"StringEquals":{"aws:SourceAccount":"`+account+`"}}`), true, true},
		{lets(`"*"`, `,"Condition":{"StringEquals":{"kms:EncryptionContext:aws:sns:topicArn":"mine"}}`), true, true},
		{lets(`"*"`, `,"Condition":{"StringEquals":{"kms:EncryptionContext:aws:sns:topicArn":"other"}}`), false, true},
		{rootAllowed + `,{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*",` +
			`"Condition":{"StringEquals":{"kms:ViaService":"sns.us-east-1.amazonaws.com"}}}`, false, false},
	} {
		s := newServer(t)
		id := s.create(t)
		s.policy(t, id, test.statements)
		for by, want := range map[caller.Caller]bool{alarms: test.alarms, me: test.user} {
			err := s.kms.For("sns").Permit(id, by, map[string]string{"aws:sns:topicArn": "mine"}, "GenerateDataKey", "Decrypt")
			if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "AccessDeniedException") {
				t.Errorf("%s with %s: %v", by, test.statements, err)
			}
		}
	}
	s := newServer(t)
	for by, want := range map[caller.Caller]bool{alarms: false, me: true} {
		if err := s.kms.For("sns").Permit("alias/aws/sns", by, nil, "GenerateDataKey"); (err == nil) != want {
			t.Errorf("%s with AWS's own key: %v", by, err)
		}
	}
	const lent = "0ba6c1a8-6aab-4a3e-94a4-6d94cbe0e6a9"
	s.kms.Lent = map[string]string{prefix + "key/" + lent: "ours"}
	if err := s.kms.For("sns").Permit(lent, alarms, nil, "GenerateDataKey", "Decrypt"); err != nil {
		t.Errorf("with a lent key: %v", err)
	}
}
