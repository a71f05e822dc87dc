package iampolicy_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/internal/caller"
	"larder/internal/iampolicy"
)

const (
	account = "123456789012"
	arn     = "arn:aws:sns:us-east-1:123456789012:mine"
	alarm   = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:mine-cpu"
)

// TestDecide: a statement matches by all of its parts, and the decision is the strictest of those that match.
func TestDecide(t *testing.T) {
	user, service := caller.User(account), caller.Service("cloudwatch.amazonaws.com", account, alarm)
	const allow, deny = iampolicy.Allow, iampolicy.Deny
	const anyone, publish = `"Principal":"*"`, `"Action":"sns:Publish"`
	condition := func(operator, key, values string) string {
		return fmt.Sprintf(`%s,%s,"Condition":{%q:{%q:%s}}`, anyone, publish, operator, key, values)
	}
	const nothing iampolicy.Decision = iampolicy.Implicit
	for _, test := range []struct {
		statement     string // an Allow, without its braces
		user, service iampolicy.Decision
	}{
		{`"Principal":"*","Action":"*"`, allow, allow},
		{`"Principal":{"AWS":"*"},"Action":"SNS:*"`, allow, allow},
		{`"Principal":{"AWS":["arn:aws:iam::123456789012:root"]},"Action":"sns:publish"`, allow, nothing},
		{`"Principal":{"AWS":"123456789012"},"Action":"sns:Pub*"`, allow, nothing},
		{`"Principal":{"AWS":"arn:aws:iam::123456789012:user/larder"},"Action":["a:b","sns:Publis?"]`, allow, nothing},
		{`"Principal":{"AWS":"arn:aws:iam::999999999999:root"},"Action":"*"`, nothing, nothing},
		{`"Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish"`, nothing, allow},
		{`"Principal":{"Service":["logs.us-east-1.amazonaws.com"]},"Action":"sns:Publish"`, nothing, nothing},
		{`"NotPrincipal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish"`, allow, nothing},
		{anyone + `,"NotAction":"sns:Publish"`, nothing, nothing},
		{anyone + `,"NotAction":["sns:Subscribe"]`, allow, allow},
		{anyone + `,"Action":"sns:Subscribe"`, nothing, nothing},
		{anyone + "," + publish + `,"Resource":"arn:aws:sns:*:*:mine"`, allow, allow},
		{anyone + "," + publish + `,"Resource":["arn:aws:sns:us-east-1:123456789012:other"]`, nothing, nothing},
		{anyone + "," + publish + `,"NotResource":"*"`, nothing, nothing},
		{condition("StringEquals", "AWS:SourceOwner", `"123456789012"`), allow, allow},
		{condition("StringEquals", "aws:SourceAccount", `"123456789012"`), nothing, allow},
		{condition("StringEquals", "aws:SourceAccount", `["1","2"]`), nothing, nothing},
		{condition("StringEqualsIfExists", "aws:SourceAccount", `"1"`), allow, nothing},
		{condition("StringNotEquals", "aws:SourceAccount", `"1"`), allow, allow},
		{condition("StringNotEqualsIfExists", "aws:SourceAccount", `"123456789012"`), allow, nothing},
		{condition("ArnLike", "aws:SourceArn", `"arn:aws:cloudwatch:*:123456789012:alarm:mine-*"`), nothing, allow},
		{condition("ArnEquals", "aws:SourceArn", `"arn:aws:cloudwatch:*:alarm:mine-*"`), nothing, nothing},
		{condition("ArnNotLike", "aws:SourceArn", `"arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"`), allow, nothing},
		{condition("StringLike", "aws:SourceArn", `"*:alarm:mine*"`), nothing, allow},
		{condition("Bool", "aws:SecureTransport", `"true"`), allow, allow},
		{condition("Bool", "aws:SecureTransport", `false`), nothing, nothing},
		{condition("Bool", "aws:PrincipalIsAWSService", `"true"`), nothing, allow},
		{condition("Null", "aws:SourceArn", `"true"`), allow, nothing},
		{condition("Null", "aws:SourceArn", `false`), nothing, allow},
		{condition("ForAnyValue:StringLike", "aws:PrincipalArn", `"*:user/*"`), allow, nothing},
		{condition("ForAllValues:StringEquals", "aws:SourceAccount", `"1"`), allow, nothing},
		{condition("NumericLessThanEquals", "size", `[3]`), allow, allow},
		{condition("NumericGreaterThan", "size", `"3"`), nothing, nothing},
		{condition("DateLessThan", "time", `"2026-01-02T00:00:00Z"`), allow, allow},
		{condition("DateGreaterThanEquals", "time", `1893456000`), nothing, nothing},
		{condition("IpAddress", "ip", `["10.0.0.0/8"]`), allow, allow},
		{condition("NotIpAddress", "ip", `"10.1.2.3"`), nothing, nothing},
	} {
		values := map[string]string{"size": "3", "time": "2026-01-01T00:00:00Z", "ip": "10.1.2.3"}
		for by, want := range map[caller.Caller]iampolicy.Decision{user: test.user, service: test.service} {
			r := iampolicy.Request{Caller: by, Action: "sns:Publish", Resource: arn, Values: values}
			allows := `{"Effect":"Allow",` + test.statement + `}`
			denies := strings.Replace(allows, "Allow", "Deny", 1)
			if got := decide(t, allows, r); got != want {
				t.Errorf("%s: %s: got %d, want %d", by, test.statement, got, want)
			}
			all := `{"Effect":"Allow","Principal":"*","Action":"*"}`
			denied := map[iampolicy.Decision]iampolicy.Decision{allow: deny, nothing: allow}[want]
			for _, list := range []string{all + "," + denies, denies + "," + all} {
				if got := decide(t, "["+list+"]", r); got != denied {
					t.Errorf("%s: denied by %s: got %d, want %d", by, test.statement, got, denied)
				}
			}
		}
	}
}

func decide(t *testing.T, statement string, r iampolicy.Request) iampolicy.Decision {
	t.Helper()
	p, err := iampolicy.Parse(`{"Version":"2012-10-17","Statement":` + statement + `}`)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return p.Decide(r)
}

// TestParseRefuses: what cannot be evaluated is refused by its name.
func TestParseRefuses(t *testing.T) {
	for statement, want := range map[string]string{
		`1`:                                   "the policy has no statement that can be read",
		`{"Effect":"Maybe"}`:                  `statement 1: the Effect "Maybe" is neither Allow nor Deny`,
		`{"Effect":"Allow","Principal":"me"}`: `the principal "me" is neither * nor an object`,
		`[{"Effect":"Deny"},{"Effect":"Allow","Condition":{"Is":{"a":"b"}}}]`: "statement 2: Is is no condition operator",
		`{"Effect":"Allow","Condition":{"StringEquals":{"a":{"b":"c"}}}}`:     "is neither a text nor a list of texts",
		`{"Effect":"Allow","Condition":{"ForAnyValue:StringSame":{"a":["b"]}}}`: "ForAnyValue:StringSame is no condition " +
			"operator",
		`{"Effect":"Allow","Action":[["sns:Publish"]],"Principal":{"AWS":"*"}}`: "is neither a text nor a list of texts",
	} {
		_, err := iampolicy.Parse(`{"Statement":` + statement + `}`)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", statement, err, want)
		}
	}
	if _, err := iampolicy.Parse("{"); err == nil {
		t.Error("what is no JSON is taken")
	}
}
