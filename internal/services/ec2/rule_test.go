package ec2_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/servicetest"
)

// tcp is a permission for one port.
func tcp(port int32, add ...func(*types.IpPermission)) types.IpPermission {
	p := types.IpPermission{IpProtocol: new("tcp"), FromPort: &port, ToPort: &port}
	for _, f := range add {
		f(&p)
	}
	return p
}

func cidr(block string) func(*types.IpPermission) {
	return func(p *types.IpPermission) { p.IpRanges = append(p.IpRanges, types.IpRange{CidrIp: &block}) }
}

func peer(group string) func(*types.IpPermission) {
	return func(p *types.IpPermission) {
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, types.UserIdGroupPair{GroupId: &group})
	}
}

// ingress authorizes, and returns the rules made.
func (s *server) ingress(t tb, group string, permissions ...types.IpPermission) []types.SecurityGroupRule {
	t.Helper()
	return must(s.AuthorizeSecurityGroupIngress(t.Context(), &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: &group, IpPermissions: permissions,
	}))(t).SecurityGroupRules
}

func (s *server) rule(t tb, id string) types.SecurityGroupRule {
	t.Helper()
	return must(s.DescribeSecurityGroupRules(t.Context(),
		&sdk.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{id}}))(t).SecurityGroupRules[0]
}

// described is a group as it is described.
func (s *server) described(t tb, group string) types.SecurityGroup {
	t.Helper()
	return must(s.DescribeSecurityGroups(t.Context(),
		&sdk.DescribeSecurityGroupsInput{GroupIds: []string{group}}))(t).SecurityGroups[0]
}

func TestRuleLife(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	clients, nodes := s.group(t, vpc, "clients"), s.group(t, vpc, "nodes")
	p := tcp(6379, cidr("10.1.2.3/16"), peer(clients))
	p.IpRanges[0].Description = new("office")
	made := must(s.AuthorizeSecurityGroupIngress(t.Context(), &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: &nodes, IpPermissions: []types.IpPermission{p},
		TagSpecifications: specification(types.ResourceTypeSecurityGroupRule, tag("Name", "redis")),
	}))(t).SecurityGroupRules
	rule := func(id string) types.SecurityGroupRule {
		return types.SecurityGroupRule{
			SecurityGroupRuleId:  &id,
			SecurityGroupRuleArn: new("arn:aws:ec2:us-east-1:123456789012:security-group-rule/" + id),
			GroupId:              &nodes, GroupOwnerId: new(account), IsEgress: new(false), IpProtocol: new("tcp"),
			FromPort: new(int32(6379)), ToPort: new(int32(6379)),
			Tags: []types.Tag{tag("Name", "redis")},
		}
	}
	byRange, byGroup := rule(*made[0].SecurityGroupRuleId), rule(*made[1].SecurityGroupRuleId)
	byRange.CidrIpv4, byRange.Description = new("10.1.0.0/16"), new("office")
	byGroup.ReferencedGroupInfo = &types.ReferencedSecurityGroup{GroupId: &clients, UserId: new(account)}
	wantSame(t, made, []types.SecurityGroupRule{byRange, byGroup})

	// The id stays when the rule says something else.
	must(s.ModifySecurityGroupRules(t.Context(),
		&sdk.ModifySecurityGroupRulesInput{GroupId: &nodes, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{
			SecurityGroupRuleId: byGroup.SecurityGroupRuleId,
			SecurityGroupRule: &types.SecurityGroupRuleRequest{IpProtocol: new("-1"), CidrIpv6: new("fd00::1/64"),
				Description: new("all")},
		}}}))(t)
	byGroup.ReferencedGroupInfo, byGroup.CidrIpv6, byGroup.Description = nil, new("fd00::/64"), new("all")
	byGroup.IpProtocol, byGroup.FromPort, byGroup.ToPort = new("-1"), new(int32(-1)), new(int32(-1))
	wantSame(t, s.rule(t, *byGroup.SecurityGroupRuleId), byGroup)

	revoked := must(s.RevokeSecurityGroupIngress(t.Context(), &sdk.RevokeSecurityGroupIngressInput{
		GroupId: &nodes, SecurityGroupRuleIds: []string{*byGroup.SecurityGroupRuleId},
	}))(t).RevokedSecurityGroupRules
	wantSame(t, revoked, []types.RevokedSecurityGroupRule{{
		SecurityGroupRuleId: byGroup.SecurityGroupRuleId, GroupId: &nodes, IsEgress: new(false), IpProtocol: new("-1"),
		FromPort: new(int32(-1)), ToPort: new(int32(-1)), CidrIpv6: new("fd00::/64"), Description: new("all"),
	}})
	wantSame(t, s.described(t, nodes).IpPermissions, []types.IpPermission{{
		IpProtocol: new("tcp"), FromPort: new(int32(6379)), ToPort: new(int32(6379)),
		IpRanges: []types.IpRange{{CidrIp: new("10.1.0.0/16"), Description: new("office")}},
	}})
}

func TestRevokeEgress(t *testing.T) {
	s := newServer(t)
	group := s.group(t, s.vpc(t, "10.0.0.0/16"), "mine")
	everywhere := s.described(t, group).IpPermissionsEgress // what every new group has
	must(s.RevokeSecurityGroupEgress(t.Context(), &sdk.RevokeSecurityGroupEgressInput{
		GroupId: &group, IpPermissions: everywhere,
	}))(t)
	if left := s.described(t, group).IpPermissionsEgress; len(everywhere) != 1 || len(left) != 0 {
		t.Errorf("of %v, %v is left", everywhere, left)
	}
}

func TestRuleDescriptions(t *testing.T) {
	s := newServer(t)
	group := s.group(t, s.vpc(t, "10.0.0.0/16"), "mine")
	in := *s.ingress(t, group, tcp(22, cidr("10.0.0.0/8")))[0].SecurityGroupRuleId
	out := *must(s.AuthorizeSecurityGroupEgress(t.Context(), &sdk.AuthorizeSecurityGroupEgressInput{
		GroupId: &group, IpPermissions: []types.IpPermission{tcp(443, cidr("0.0.0.0/0"))},
	}))(t).SecurityGroupRules[0].SecurityGroupRuleId
	said := tcp(22, cidr("10.0.0.0/8"))
	said.IpRanges[0].Description = new("by what it says")
	must(s.UpdateSecurityGroupRuleDescriptionsIngress(t.Context(), &sdk.UpdateSecurityGroupRuleDescriptionsIngressInput{
		GroupId: &group, IpPermissions: []types.IpPermission{said},
	}))(t)
	must(s.UpdateSecurityGroupRuleDescriptionsEgress(t.Context(), &sdk.UpdateSecurityGroupRuleDescriptionsEgressInput{
		GroupId: &group, SecurityGroupRuleDescriptions: []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: &out,
			Description: new("by its id")}},
	}))(t)
	wantSame(t, *s.rule(t, in).Description+", "+*s.rule(t, out).Description, "by what it says, by its id")

	// Without one the description goes.
	must(s.UpdateSecurityGroupRuleDescriptionsIngress(t.Context(), &sdk.UpdateSecurityGroupRuleDescriptionsIngressInput{
		GroupId: &group, IpPermissions: []types.IpPermission{tcp(22, cidr("10.0.0.0/8"))},
	}))(t)
	wantSame(t, s.rule(t, in).Description, nil)
	servicetest.WantError(t, failure(s.UpdateSecurityGroupRuleDescriptionsIngress(t.Context(),
		&sdk.UpdateSecurityGroupRuleDescriptionsIngressInput{
			GroupId: &group, SecurityGroupRuleDescriptions: []types.SecurityGroupRuleDescription{{SecurityGroupRuleId: &in,
				Description: new("no\ttabs")}},
		})), "InvalidParameterValue", "Invalid rule description. Valid descriptions are strings less than 256 "+
		"characters from the following set:  "+
		"a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
}

func TestRuleRefusals(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	mine, far := s.group(t, vpc, "mine"), s.group(t, s.vpc(t, "10.1.0.0/16"), "far")
	there := *s.ingress(t, mine, tcp(22, cidr("10.0.0.0/8")))[0].SecurityGroupRuleId
	s.ingress(t, mine, tcp(23, cidr("10.0.0.0/8")))
	authorize := func(p types.IpPermission) error {
		return failure(s.AuthorizeSecurityGroupIngress(t.Context(), &sdk.AuthorizeSecurityGroupIngressInput{
			GroupId: &mine, IpPermissions: []types.IpPermission{p},
		}))
	}
	protocol := func(name string, from, to int32) types.IpPermission {
		return types.IpPermission{IpProtocol: &name, FromPort: &from, ToPort: &to,
			IpRanges: []types.IpRange{{CidrIp: new("10.0.0.0/8")}}}
	}
	revoke := func(in sdk.RevokeSecurityGroupIngressInput) error {
		in.GroupId = &mine
		return failure(s.RevokeSecurityGroupIngress(t.Context(), &in))
	}
	modify := func(id string, r types.SecurityGroupRuleRequest) error {
		return failure(s.ModifySecurityGroupRules(t.Context(), &sdk.ModifySecurityGroupRulesInput{
			GroupId: &mine, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{SecurityGroupRuleId: &id,
				SecurityGroupRule: &r}},
		}))
	}
	port := func(n int32) types.SecurityGroupRuleRequest {
		return types.SecurityGroupRuleRequest{IpProtocol: new("tcp"), FromPort: &n, ToPort: &n}
	}
	duplicate, of := port(23), port(25)
	duplicate.CidrIpv4 = new("10.0.0.0/8")
	var many []func(*types.IpPermission)
	for i := range 59 {
		many = append(many, cidr(fmt.Sprintf("10.0.%d.0/24", i)))
	}
	foreign, list, named := tcp(1, peer(mine)), tcp(1), tcp(1, peer(mine))
	foreign.UserIdGroupPairs[0].UserId = new("210987654321")
	list.PrefixListIds = []types.PrefixListId{{PrefixListId: new("pl-1")}}
	named.UserIdGroupPairs[0].GroupName = new("mine")
	described := tcp(1, cidr("10.0.0.0/8"))
	described.IpRanges[0].Description = new(strings.Repeat("x", 256))
	const (
		value, text = "InvalidParameterValue", "The specified rule does not exist in this security group: "
		peers       = "peer: 10.0.0.0/8, TCP, from port: "
	)
	checkRefusals(t, []refusal{
		{"nothing", failure(s.AuthorizeSecurityGroupIngress(t.Context(),
			&sdk.AuthorizeSecurityGroupIngressInput{GroupId: &mine})),
			"MissingParameter", "The request must contain the parameter ipPermissions"},
		{"no peer", authorize(tcp(1)), "MissingParameter",
			"Missing source specification: include source security group or CIDR information"},
		{"no protocol", authorize(types.IpPermission{FromPort: new(int32(1))}), "MissingParameter",
			"The request must contain the parameter ipProtocol"},
		{"there", authorize(tcp(22, cidr("10.9.9.9/8"))), "InvalidPermission.Duplicate", `the specified rule "` +
			peers + `22, to port: 22, ALLOW" already exists`},
		{"twice", authorize(tcp(1, peer(mine), peer(mine))), "InvalidPermission.Duplicate",
			`the specified rule "peer: sg-2, TCP, from port: 1, to port: 1, ALLOW" already exists`},
		{"too many", authorize(tcp(1, many...)), "RulesPerSecurityGroupLimitExceeded",
			"The maximum number of rules per security group has been reached: " +
				"sg-2 would have 61 in one direction, and the limit is 60."},
		{"protocol", authorize(protocol("http", 1, 2)), value,
			"Invalid value 'http' for IP protocol. Unknown protocol."},
		{"protocol number", authorize(protocol("256", 1, 2)), value,
			"Invalid value '256' for IP protocol. Unknown protocol."},
		{"no ports", authorize(types.IpPermission{IpProtocol: new("udp")}), value,
			"Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."},
		{"ports", authorize(protocol("6", 2, 1)), value, "Invalid TCP/UDP port range (2:1)"},
		{"high port", authorize(protocol("udp", 1, 65536)), value, "Invalid TCP/UDP port range (1:65536)"},
		{"ICMP", authorize(protocol("icmp", 256, -1)), value,
			"Invalid ICMP type or code (256:-1). Each is 0 to 255, or -1 for all."},
		{"range", authorize(tcp(1, cidr("10.0.0.0"))), value, "CIDR block 10.0.0.0 is malformed"},
		{"range of IPv6", authorize(tcp(1, cidr("fd00::/64"))), value, "CIDR block fd00::/64 is malformed"},
		{"unknown peer", authorize(tcp(1, peer("sg-9"))), "InvalidGroup.NotFound",
			"The security group 'sg-9' does not exist"},
		{"peer elsewhere", authorize(tcp(1, peer(far))), "InvalidGroup.NotFound",
			"You have specified two resources that belong to different networks."},
		{"peer of others", authorize(foreign), "InvalidGroup.NotFound",
			"The security group 'sg-2' does not belong to the account 210987654321"},
		{"prefix list", authorize(list), value,
			"larder does not serve AuthorizeSecurityGroupIngress's IpPermissions.PrefixListIds: prefix lists are not served. " +
				"Use an address range"},
		{"peer by name", authorize(named), value,
			"larder does not serve AuthorizeSecurityGroupIngress's IpPermissions.UserIdGroupPairs.GroupName: a rule's group " +
				"is given by its id. Use IpPermissions"},
		{"description", authorize(described), value,
			"Invalid rule description. Valid descriptions are strings less than 256 characters from the " +
				"following set:  " +
				"a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"},
		{"both forms", failure(s.AuthorizeSecurityGroupIngress(t.Context(), &sdk.AuthorizeSecurityGroupIngressInput{
			GroupId: &mine, IpPermissions: []types.IpPermission{tcp(1, peer(mine))}, IpProtocol: new("tcp"),
		})), "InvalidParameterCombination", "The parameter ipPermissions may not be used in combination with ipProtocol, " +
			"fromPort, toPort or cidrIp."},
		{"egress in the old form", failure(s.AuthorizeSecurityGroupEgress(t.Context(),
			&sdk.AuthorizeSecurityGroupEgressInput{GroupId: &mine, CidrIp: new("10.0.0.0/8")})),
			value, "larder does not serve AuthorizeSecurityGroupEgress's CidrIp: EC2 does not serve it either. Use " +
				"IpPermissions"},
		{"unknown group", failure(s.RevokeSecurityGroupEgress(t.Context(),
			&sdk.RevokeSecurityGroupEgressInput{GroupId: new("sg-9")})),
			"InvalidGroup.NotFound", "The security group 'sg-9' does not exist"},
		{"revoke nothing", revoke(sdk.RevokeSecurityGroupIngressInput{}), "MissingParameter",
			"Either 'ipPermissions' or 'securityGroupRuleIds' should be provided."},
		{"revoke what is not there",
			revoke(sdk.RevokeSecurityGroupIngressInput{IpPermissions: []types.IpPermission{tcp(24,
				cidr("10.0.0.0/8"))}}),
			"InvalidPermission.NotFound", text + peers + "24, to port: 24, ALLOW"},
		{"revoke in the other direction",
			failure(s.RevokeSecurityGroupEgress(t.Context(), &sdk.RevokeSecurityGroupEgressInput{
				GroupId: &mine, IpPermissions: []types.IpPermission{tcp(22, cidr("10.0.0.0/8"))},
			})), "InvalidPermission.NotFound", text + peers + "22, to port: 22, ALLOW"},
		{"revoke an egress rule by id",
			failure(s.RevokeSecurityGroupEgress(t.Context(), &sdk.RevokeSecurityGroupEgressInput{
				GroupId: &mine, SecurityGroupRuleIds: []string{there},
			})), "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '" + there + "' does not exist"},
		{"revoke in two ways", revoke(sdk.RevokeSecurityGroupIngressInput{
			IpPermissions: []types.IpPermission{tcp(22, cidr("10.0.0.0/8"))}, SecurityGroupRuleIds: []string{there},
		}), "InvalidParameterCombination", "The request names rules both by their ids and by what they say. Use one of the " +
			"two."},
		{"describe unknown", failure(s.DescribeSecurityGroupRules(t.Context(),
			&sdk.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{"sgr-x"}})),
			"InvalidSecurityGroupRuleId.NotFound", "The security group rule ID 'sgr-x' does not exist"},
		{"modify unknown", modify("sgr-x", port(1)), "InvalidSecurityGroupRuleId.NotFound",
			"The security group rule ID 'sgr-x' does not exist"},
		{"modify another group's", modify("sgr-1", port(1)), "InvalidSecurityGroupRuleId.NotFound",
			"The security group rule ID 'sgr-1' does not exist"},
		{"modify to nobody", modify(there, of), "MissingParameter",
			"Missing source specification: include source security group or CIDR information"},
		{"modify to two", modify(there,
			types.SecurityGroupRuleRequest{IpProtocol: new("-1"), CidrIpv4: new("10.0.0.0/8"),
				ReferencedGroupId: &mine}),
			"InvalidParameterCombination", "The security group rule " + there +
				" must have one of CidrIpv4, CidrIpv6 and ReferencedGroupId."},
		{"modify to another's", modify(there, duplicate), "InvalidPermission.Duplicate", `the specified rule "` +
			peers + `23, to port: 23, ALLOW" already exists`},
	})
	same := port(22)
	same.CidrIpv4 = new("10.0.0.0/8")
	if err := modify(there, same); err != nil {
		t.Errorf("a rule cannot be given what it says already: %v", err)
	}
	if rules := s.described(t, mine).IpPermissions; len(rules) != 2 {
		t.Errorf("after the refusals there are %v", rules)
	}
}

// Whatever is authorized is described, and what is described can be revoked: nothing is left then.
func TestRulesComeAndGo(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	peers := []string{s.group(t, vpc, "a"), s.group(t, vpc, "b")}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		group := s.group(t, vpc, fmt.Sprint("group ", n))
		var want []string
		for _, p := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) types.IpPermission {
			return drawPermission(t,
				peers)
		}), 1, 4).Draw(t, "permissions") {
			says := flatten(p)
			if slices.ContainsFunc(says, func(r string) bool { return slices.Contains(want, r) }) {
				continue // a duplicate
			}
			want = append(want, says...)
			s.ingress(t, group, p)
		}
		slices.Sort(want)
		there := s.described(t, group).IpPermissions
		var got []string
		for _, p := range there {
			got = append(got, flatten(p)...)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-authorized +described\n%s", diff)
		}
		must(s.RevokeSecurityGroupIngress(t.Context(),
			&sdk.RevokeSecurityGroupIngressInput{GroupId: &group, IpPermissions: there}))(t)
		if left := s.described(t, group).IpPermissions; len(left) > 0 {
			t.Fatalf("left: %v", left)
		}
	})
}

// drawPermission draws a permission in the form in which EC2 describes it, with distinct peers.
func drawPermission(t *rapid.T, peers []string) types.IpPermission {
	p := types.IpPermission{IpProtocol: new(rapid.SampledFrom([]string{"tcp", "udp", "icmp", "icmpv6", "50",
		"-1"}).Draw(t, "protocol"))}
	switch *p.IpProtocol {
	case "tcp", "udp":
		from := rapid.Int32Range(0, 3).Draw(t, "from")
		p.FromPort, p.ToPort = &from, new(rapid.Int32Range(from, 65535).Draw(t, "to"))
	case "icmp", "icmpv6":
		p.FromPort, p.ToPort = new(rapid.Int32Range(-1, 255).Draw(t, "type")), new(rapid.Int32Range(-1, 255).Draw(t,
			"code"))
	}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 1, 4, rapid.ID[int]).Draw(t, "peers") {
		switch {
		case i < 2:
			peer(peers[i])(&p)
		case i < 6:
			cidr(fmt.Sprintf("10.%d.0.0/16", i))(&p)
		default:
			p.Ipv6Ranges = append(p.Ipv6Ranges, types.Ipv6Range{CidrIpv6: new(fmt.Sprintf("fd0%d::/64", i))})
		}
	}
	return p
}

// flatten is a permission's rules as text.
func flatten(p types.IpPermission) []string {
	traffic := *p.IpProtocol
	if p.FromPort != nil {
		traffic += fmt.Sprintf(" %d-%d", *p.FromPort, *p.ToPort)
	}
	var rules []string
	for _, r := range p.IpRanges {
		rules = append(rules, traffic+" "+*r.CidrIp)
	}
	for _, r := range p.Ipv6Ranges {
		rules = append(rules, traffic+" "+*r.CidrIpv6)
	}
	for _, u := range p.UserIdGroupPairs {
		rules = append(rules, traffic+" "+*u.GroupId)
	}
	return rules
}
