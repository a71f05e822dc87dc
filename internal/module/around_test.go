package module

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// companionCalls writes calls of the modules around the redis module, each with lines of its own.
func companionCalls(lines map[string]string) string {
	text := block()
	for _, kind := range sortedKeys(lines) {
		text += "module \"" + kind + "\" {\n  source = \"./modules/" + kind +
			"\"\n  project_name = \"shop\"\n  environment = \"dev\"\n  " + lines[kind] + "\n}\n"
	}
	return text
}

func TestCompanions(t *testing.T) {
	a := mustLoad(t, companionCalls(map[string]string{
		"vpc":      `cidr_block = "10.4.0.0/18"`,
		"security": "vpc_id = module.vpc.vpc_id\n  client_security_group_ids = [\"sg-0000000d\"]",
		"kms":      `tags = { Team = "payments" }`,
		"sns":      "kms_key_arn = module.kms.key_arn\n  critical_emails = [\"ops@example.com\"]",
		"secrets":  `auth_token_length = 32`,
	})).Companions
	tags := map[string]string{"Project": "shop", "Environment": "dev", "ManagedBy": "larder-module"}
	with := func(key, value string) map[string]string {
		all := map[string]string{key: value}
		for k, v := range tags {
			all[k] = v
		}
		return all
	}
	vpc := &VPC{CIDR: "10.4.0.0/18", Tags: with("Name", "shop-dev"), Subnets: []Subnet{
		{"10.4.5.64/26", "us-east-1a", with("Name", "shop-dev-data-us-east-1a")},
		{"10.4.5.128/26", "us-east-1b", with("Name", "shop-dev-data-us-east-1b")},
		{"10.4.5.192/26", "us-east-1c", with("Name", "shop-dev-data-us-east-1c")},
	}}
	if diff := cmp.Diff(vpc, a.VPC); diff != "" {
		t.Errorf("VPC (-want +got):\n%s", diff)
	}
	clients, nodes := a.Security.WithRules("sg-0000000b", "sg-0000000c")
	if diff := cmp.Diff([]SecurityGroup{
		{Name: "shop-dev-redis-clients", Description: "Clients of shop-dev-redis",
			Tags: with("Name", "shop-dev-redis-clients"), RuleTags: tags,
			Rules: []SecurityGroupRule{{Egress: true, Description: "To Redis", PeerGroup: "sg-0000000c", Port: 6379}}},
		{Name: "shop-dev-redis-nodes", Description: "Nodes of shop-dev-redis",
			Tags: with("Name", "shop-dev-redis-nodes"), RuleTags: tags,
			Rules: []SecurityGroupRule{{Description: "From the clients", PeerGroup: "sg-0000000b", Port: 6379},
				{Description: "From a client", PeerGroup: "sg-0000000d", Port: 6379}}},
	}, []SecurityGroup{clients, nodes}); diff != "" {
		t.Errorf("security groups (-want +got):\n%s", diff)
	}
	if a.Security.VPCID != "vpc-0000000a" || a.KMS.Alias != "alias/shop-dev" || a.KMS.DeletionDays != 30 ||
		a.KMS.Tags["Team"] != "payments" {
		t.Errorf("security is in %s, the key is %+v", a.Security.VPCID, a.KMS)
	}
	key := testStandIns().KMSKeyARN
	if len(a.SNS) != 3 || a.SNS[0].Name != "shop-dev-critical" || a.SNS[0].KeyARN != key || a.SNS[1].KeyARN != key ||
		a.SNS[2].KeyARN != "" || a.SNS[0].Emails[0] != "ops@example.com" {
		t.Errorf("topics are %+v", a.SNS)
	}
	if *a.Secrets.Create.Name != "shop/dev/redis-auth-token" || a.Secrets.Length != 32 || a.Secrets.RecoveryDays != 7 {
		t.Errorf("the secret is %+v", a.Secrets)
	}
	for _, policy := range []string{a.KMS.Policy, a.SNS[0].Policy, a.SNS[2].Policy} {
		var document struct{ Statement []map[string]any }
		if err := json.Unmarshal([]byte(policy), &document); err != nil || len(document.Statement) == 0 {
			t.Errorf("the policy %s: %v", policy, err)
		}
	}
	if !strings.Contains(a.SNS[1].Policy, "arn:aws:cloudwatch:us-east-1:000000000000:alarm:shop-dev-*") ||
		strings.Contains(a.SNS[2].Policy, "cloudwatch") {
		t.Error("alarms are let in where they should not be, or not where they should")
	}
}

// Without blocks nothing is made; a module that only has the name of one of larder's is stood in for.
func TestCompanionsOnlyWhatIsCalled(t *testing.T) {
	if diff := cmp.Diff(Companions{}, mustLoad(t, block()).Companions); diff != "" {
		t.Errorf("made for references alone:\n%s", diff)
	}
	for text, want := range map[string]string{
		`cidr = "10.0.0.0/8"`: `module "vpc" is stood in for: it is called like modules/vpc of larder's, and sets cidr`,
	} {
		call := mustLoad(t, companionCalls(map[string]string{"vpc": text}))
		if call.Companions.VPC != nil || call.Notices[len(call.Notices)-1] != want {
			t.Errorf("%s: made %v, notices %v", text, call.Companions.VPC, call.Notices)
		}
	}
	dir := writeFiles(t, "main.tf", block()+"module \"vpc\" {\n  source = \"./modules/vpc\"\n}\n")
	if call, _ := load(dir, Vars{}); call == nil || call.Companions.VPC != nil {
		t.Error("a call without the required inputs is taken for larder's")
	}
}

func TestCompanionsComplaints(t *testing.T) {
	for _, tt := range []struct{ kind, line, want string }{
		{"vpc", `cidr_block = "10.0.0.0/8"`,
			`input "cidr_block": "10.0.0.0/8" is not an IPv4 network with room for the subnets`},
		{"vpc", `availability_zones = ["us-east-1a"]`, `input "availability_zones": [us-east-1a] are not three zones`},
		{"kms", `deletion_window_in_days = 3`, `input "deletion_window_in_days": 3 is less than 7`},
		{"security", `vpc_id = "net"`, `input "vpc_id": "net" is not a VPC ID`},
		{"sns", `kms_key_arn = "x"`, `input "kms_key_arn": "x" is not the ARN of a KMS key`},
		{"secrets", `auth_token = "short"`, `input "auth_token": the token (not shown) is 5 characters long`},
		{"sns", `kms_key_arn = module.kms.nothing`, `module.kms has no output "nothing"`},
		{"vpc", "}\nmodule \"more\" {\n  source = \"./modules/vpc\"", `module "more" calls modules/vpc a second time`},
	} {
		got := complaints(t, writeFiles(t, "main.tf", companionCalls(map[string]string{tt.kind: tt.line})), Vars{})
		if len(got) != 1 || !strings.Contains(got[0], tt.want) {
			t.Errorf("%s: %v, want %s", tt.line, got, tt.want)
		}
	}
}

// The token of modules/secrets is that of the group once it is made; before, it stands for one to be generated.
func TestCompanionsToken(t *testing.T) {
	text := companionCalls(map[string]string{"secrets": ""})
	text = strings.Replace(text, "module \"redis\" {",
		"module \"redis\" {\n  auth_token = module.secrets.redis_auth_token", 1)
	if call := mustLoad(t, text); !call.GeneratedToken {
		t.Error("before the secret is made a token is known")
	}
	made := testStandIns()
	made.Token, made.SecretName = "a-token-of-modules-secrets", "shop/dev/redis-auth-token"
	call, diags := Load(Source{Config: mustOpen(t, writeFiles(t, "main.tf", text)), NodeTypes: testTypes()}, made)
	if diags.HasErrors() || call.Inputs.AuthToken != made.Token {
		t.Errorf("the token of the group is another: %v", diags)
	}
}

// Subnets lie inside of the network and do not meet.
func TestSubnetsAreApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(16, 20).Draw(t, "bits")
		b := rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")
		network := netip.PrefixFrom(netip.AddrFrom4([4]byte(b)), bits).Masked()
		v := vpc(vpcInputs{CIDRBlock: network.String()}, []string{"a", "b", "c"})
		var before []netip.Prefix
		for _, s := range v.Subnets {
			p := netip.MustParsePrefix(s.CIDR)
			if p != p.Masked() || p.Bits() != bits+8 || !network.Contains(p.Addr()) {
				t.Fatalf("%s is no subnet of %s", p, network)
			}
			for _, other := range before {
				if other.Overlaps(p) {
					t.Fatalf("%s and %s meet", other, p)
				}
			}
			before = append(before, p)
		}
	})
}
