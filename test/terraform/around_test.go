package terraform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The modules around the redis module, planned with the real provider: networks, rules, and who may use keys and
// topics.
func TestModulesAround(t *testing.T) {
	w := newWorkspace(t, "calls")
	var calls strings.Builder
	for name, inputs := range map[string]string{
		"vpc": "", "kms": "", "secrets": "", "security": `vpc_id = "vpc-0000000a"`,
		"sns": "kms_key_arn = \"arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555\"\n  critical_emails = [\"ops@example.com\"]",
	} {
		calls.WriteString("module \"" + name + "\" {\n  source = \"../modules/" + name +
			"\"\n  project_name = \"shop\"\n  environment = \"prod\"\n  " + inputs + "\n}\n")
	}
	w.write("main.tf", calls.String())
	w.env = append(w.env, "AWS_ENDPOINT_URL="+serveAWS(t))
	w.init().must("plan", "-input=false", "-no-color", "-out=plan")
	planned := plannedValues(t, w.must("show", "-json", "plan"))
	for _, want := range []struct{ address, attribute, value string }{
		{"module.vpc.aws_vpc.this", "cidr_block", "10.0.0.0/16"},
		{"module.vpc.aws_subnet.private_data[0]", "availability_zone", "us-east-1a"},
		{"module.vpc.aws_subnet.private_data[2]", "availability_zone", "us-east-1c"},
		{"module.vpc.aws_subnet.private_data[2]", "cidr_block", "10.0.23.0/24"},
		{"module.kms.aws_kms_alias.this", "name", "alias/shop-prod"},
		{"module.secrets.aws_secretsmanager_secret.this", "name", "shop/prod/redis-auth-token"},
		{"module.security.aws_security_group.redis", "name", "shop-prod-redis-nodes"},
		{"module.sns.aws_sns_topic.this[\"critical\"]", "name", "shop-prod-critical"},
		{"module.sns.aws_sns_topic.this[\"warning\"]", "kms_master_key_id",
			"arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555"},
		{"module.sns.aws_sns_topic_subscription.email[\"critical-0\"]", "endpoint", "ops@example.com"},
	} {
		if got := planned[want.address][want.attribute]; got != want.value {
			t.Errorf("%s has the %s %v, want %s", want.address, want.attribute, got, want.value)
		}
	}
	if key := planned["module.sns.aws_sns_topic.this[\"info\"]"]["kms_master_key_id"]; key != nil {
		t.Errorf("the info topic, which ElastiCache publishes to, is encrypted with %v", key)
	}
	if planned["module.kms.aws_kms_key.this"]["enable_key_rotation"] != true {
		t.Error("the key is not rotated")
	}
	for address, want := range map[string]map[string]string{
		"module.kms.aws_kms_key.this": {"Account": "arn:aws:iam::000000000000:root",
			"Alarms": "cloudwatch.amazonaws.com", "Logs": "logs.us-east-1.amazonaws.com"},
		"module.sns.aws_sns_topic.this[\"critical\"]": {"Account": "*", "Alarms": "cloudwatch.amazonaws.com"},
		"module.sns.aws_sns_topic.this[\"info\"]":     {"Account": "*"},
	} {
		if diff := cmp.Diff(want, principals(t, planned[address]["policy"])); diff != "" {
			t.Errorf("who the policy of %s lets in (-want +got):\n%s", address, diff)
		}
	}
}

// plannedValues returns what a plan knows of each resource, by its address.
func plannedValues(t *testing.T, shown []byte) map[string]map[string]any {
	t.Helper()
	var plan struct {
		ResourceChanges []struct {
			Address string
			Change  struct{ After map[string]any }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(shown, &plan); err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]any{}
	for _, r := range plan.ResourceChanges {
		all[r.Address] = r.Change.After
	}
	return all
}

// principals returns whom each statement of a policy is about. A statement for everybody, or for a service, has to have
// a condition.
func principals(t *testing.T, policy any) map[string]string {
	t.Helper()
	var document struct {
		Statement []struct {
			Sid       string
			Principal json.RawMessage
			Condition map[string]any
		}
	}
	text, _ := policy.(string)
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v in the policy %q", err, text)
	}
	all := map[string]string{}
	for _, s := range document.Statement {
		var one map[string]string
		if err := json.Unmarshal(s.Principal, &one); err != nil {
			one = map[string]string{"AWS": strings.Trim(string(s.Principal), `"`)}
		}
		all[s.Sid] = one["AWS"] + one["Service"]
		if len(s.Condition) == 0 && !strings.HasSuffix(all[s.Sid], ":root") {
			t.Errorf("the statement %s is about %s on no condition", s.Sid, all[s.Sid])
		}
	}
	return all
}
