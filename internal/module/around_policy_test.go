package module

import (
	"testing"

	"larder/internal/caller"
	"larder/internal/iampolicy"
)

// TestCompanionsPolicies: the policies of the modules' own key and topics let in whom the redis module needs, and
// nobody for another deployment.
func TestCompanionsPolicies(t *testing.T) {
	a := mustLoad(t, companionCalls(map[string]string{"kms": "", "sns": "kms_key_arn = module.kms.key_arn"})).Companions
	const account = "000000000000"
	alarm := func(name string) caller.Caller {
		return caller.Service("cloudwatch.amazonaws.com", account, "arn:aws:cloudwatch:us-east-1:"+account+":alarm:"+name)
	}
	logs := caller.Service("logs.us-east-1.amazonaws.com", account, "")
	elasticache := caller.Service(iampolicy.ElastiCache, account, "")
	user := caller.User(account)
	topic := map[string]Topic{}
	for _, of := range a.SNS {
		topic[of.Level] = of
	}
	const group = "kms:encryptioncontext:aws:logs:arn"
	const groups = "arn:aws:logs:us-east-1:" + account + ":log-group:/aws/elasticache/"
	for _, test := range []struct {
		what, policy, action, resource string
		by                             caller.Caller
		values                         map[string]string
		want                           bool
	}{
		{"an alarm", topic["critical"].Policy, "sns:Publish", topic["critical"].ARN, alarm("shop-dev-redis-cpu"), nil, true},
		{"an alarm", topic["warning"].Policy, "sns:Publish", topic["warning"].ARN, alarm("shop-dev-redis-cpu"), nil, true},
		{"events", topic["info"].Policy, "sns:Publish", topic["info"].ARN, elasticache, nil, true},
		{"a user", topic["critical"].Policy, "sns:Subscribe", topic["critical"].ARN, user, nil, true},
		{"an alarm's key", a.KMS.Policy, "kms:GenerateDataKey", "*", alarm("shop-dev-redis-cpu"), nil, true},
		{"an alarm's key", a.KMS.Policy, "kms:Decrypt", "*", alarm("shop-dev-redis-cpu"), nil, true},
		{"another alarm's key", a.KMS.Policy, "kms:Decrypt", "*", alarm("other-cpu"), nil, false},
		{"events' key", a.KMS.Policy, "kms:GenerateDataKey", "*", elasticache, nil, false},
		{"a log group", a.KMS.Policy, "kms:GenerateDataKey", "*", logs,
			map[string]string{group: groups + "shop-dev-redis/slow-log"}, true},
		{"a log group", a.KMS.Policy, "kms:DescribeKey", "*", logs,
			map[string]string{group: groups + "shop-dev-redis/slow-log"}, true},
		{"another log group", a.KMS.Policy, "kms:Decrypt", "*", logs, map[string]string{group: groups + "other"}, false},
		{"a user's key", a.KMS.Policy, "kms:ScheduleKeyDeletion", "*", user, nil, true},
	} {
		policy, err := iampolicy.Parse(test.policy)
		if err != nil {
			t.Fatal(test.what, err)
		}
		r := iampolicy.Request{Caller: test.by, Action: test.action, Resource: test.resource, Values: test.values}
		if got := policy.Decide(r) == iampolicy.Allow; got != test.want {
			t.Errorf("%s, %s: allowed is %v by %s", test.what, test.action, got, test.policy)
		}
	}
}
