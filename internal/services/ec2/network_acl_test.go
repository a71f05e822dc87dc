package ec2_test

import (
	"testing"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/servicetest"
)

// acl makes a network ACL.
func (s *server) acl(t *testing.T, vpc string) string {
	t.Helper()
	return *must(s.CreateNetworkAcl(t.Context(), &sdk.CreateNetworkAclInput{VpcId: &vpc}))(t).NetworkAcl.NetworkAclId
}

// sshEntry is a rule that lets TCP in to the ports 22 and 23; change says from where.
func sshEntry(acl string, number int32, change func(*sdk.CreateNetworkAclEntryInput)) *sdk.CreateNetworkAclEntryInput {
	in := &sdk.CreateNetworkAclEntryInput{
		NetworkAclId: &acl, RuleNumber: &number, Egress: new(false), Protocol: new("tcp"),
		RuleAction: types.RuleActionAllow,
		PortRange:  &types.PortRange{From: new(int32(22)), To: new(int32(23))},
	}
	change(in)
	return in
}

// entry adds a rule.
func (s *server) entry(t *testing.T, acl string, number int32, change func(*sdk.CreateNetworkAclEntryInput)) {
	t.Helper()
	must(s.CreateNetworkAclEntry(t.Context(), sshEntry(acl, number, change)))(t)
}

func (s *server) describedACL(t *testing.T, id string) types.NetworkAcl {
	t.Helper()
	return must(s.DescribeNetworkAcls(t.Context(),
		&sdk.DescribeNetworkAclsInput{NetworkAclIds: []string{id}}))(t).NetworkAcls[0]
}

func TestNetworkACLLife(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	subnet := s.subnet(t, vpc, "10.0.0.0/24")
	in := &sdk.CreateNetworkAclInput{
		VpcId: &vpc, ClientToken: new("once"),
		TagSpecifications: specification(types.ResourceTypeNetworkAcl, tag("Name", "db")),
	}
	created := must(s.CreateNetworkAcl(t.Context(), in))(t).NetworkAcl
	acl := *created.NetworkAclId
	last := func(egress bool) types.NetworkAclEntry {
		return types.NetworkAclEntry{
			CidrBlock: new("0.0.0.0/0"), Egress: &egress, Protocol: new("-1"), RuleNumber: new(int32(32767)),
			RuleAction: types.RuleActionDeny,
		}
	}
	wantSame(t, *created, types.NetworkAcl{
		NetworkAclId: new("acl-2"), VpcId: &vpc, OwnerId: new(account), IsDefault: new(false),
		Tags:    []types.Tag{tag("Name", "db")},
		Entries: []types.NetworkAclEntry{last(true), last(false)},
	})
	wantSame(t, *must(s.CreateNetworkAcl(t.Context(), in))(t).NetworkAcl, *created) // the token makes it once

	s.entry(t, acl, 20, func(in *sdk.CreateNetworkAclEntryInput) { in.CidrBlock = new("10.0.0.9/8") })
	s.entry(t, acl, 10, func(in *sdk.CreateNetworkAclEntryInput) {
		in.Protocol, in.RuleAction, in.Ipv6CidrBlock = new("58"), types.RuleActionDeny, new("::/0")
		in.IcmpTypeCode = &types.IcmpTypeCode{Type: new(int32(128)), Code: new(int32(-1))}
	})
	s.entry(t, acl, 20, func(in *sdk.CreateNetworkAclEntryInput) {
		in.Egress, in.Protocol, in.CidrBlock = new(true), new("-1"), new("0.0.0.0/0")
	})
	all := types.NetworkAclEntry{
		CidrBlock: new("0.0.0.0/0"), Egress: new(true), Protocol: new("-1"), RuleNumber: new(int32(20)),
		RuleAction: types.RuleActionAllow,
	}
	ping := types.NetworkAclEntry{
		Ipv6CidrBlock: new("::/0"), Egress: new(false), Protocol: new("58"), RuleNumber: new(int32(10)),
		RuleAction:   types.RuleActionDeny,
		IcmpTypeCode: &types.IcmpTypeCode{Type: new(int32(128)), Code: new(int32(-1))},
	}
	ssh := types.NetworkAclEntry{
		CidrBlock: new("10.0.0.0/8"), Egress: new(false), Protocol: new("6"), RuleNumber: new(int32(20)),
		RuleAction: types.RuleActionAllow,
		PortRange:  &types.PortRange{From: new(int32(22)), To: new(int32(23))},
	}
	wantSame(t, s.describedACL(t, acl).Entries, []types.NetworkAclEntry{all, last(true), ping, ssh, last(false)})

	must(s.ReplaceNetworkAclEntry(t.Context(), &sdk.ReplaceNetworkAclEntryInput{
		NetworkAclId: &acl, RuleNumber: new(int32(20)), Egress: new(false), Protocol: new("50"),
		RuleAction: types.RuleActionDeny,
		CidrBlock:  new("10.1.0.0/16"),
	}))(t)
	must(s.DeleteNetworkAclEntry(t.Context(), &sdk.DeleteNetworkAclEntryInput{
		NetworkAclId: &acl, RuleNumber: new(int32(10)), Egress: new(false),
	}))(t)
	esp := types.NetworkAclEntry{
		CidrBlock: new("10.1.0.0/16"), Egress: new(false), Protocol: new("50"), RuleNumber: new(int32(20)),
		RuleAction: types.RuleActionDeny,
	}
	wantSame(t, s.describedACL(t, acl).Entries, []types.NetworkAclEntry{all, last(true), esp, last(false)})

	replace := func(association, acl string) string {
		return *must(s.ReplaceNetworkAclAssociation(t.Context(), &sdk.ReplaceNetworkAclAssociationInput{
			AssociationId: &association, NetworkAclId: &acl,
		}))(t).NewAssociationId
	}
	association := replace("aclassoc-1", acl)
	wantSame(t, s.describedACL(t, acl).Associations, []types.NetworkAclAssociation{{
		NetworkAclAssociationId: &association, NetworkAclId: &acl, SubnetId: &subnet,
	}})
	wantSame(t, s.describedACL(t, "acl-1").Associations, nil)
	servicetest.WantError(t, failure(s.DeleteNetworkAcl(t.Context(), &sdk.DeleteNetworkAclInput{NetworkAclId: &acl})),
		"DependencyViolation", "The networkAcl 'acl-2' has dependencies and cannot be deleted.")
	association = replace(association, "acl-1")
	wantSame(t, s.describedACL(t, "acl-1").Associations, []types.NetworkAclAssociation{{
		NetworkAclAssociationId: &association, NetworkAclId: new("acl-1"), SubnetId: &subnet,
	}})
	must(s.DeleteSubnet(t.Context(), &sdk.DeleteSubnetInput{SubnetId: &subnet}))(t)
	servicetest.WantError(t, failure(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc})), "DependencyViolation",
		"The vpc 'vpc-1' has dependencies and cannot be deleted.")
	must(s.DeleteNetworkAcl(t.Context(), &sdk.DeleteNetworkAclInput{NetworkAclId: &acl}))(t)
	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc}))(t)
	s.wantEmptyNetwork(t)
}

// The rules that come with a default ACL can be taken away, also all of them.
func TestDefaultNetworkACLCanBeEmptied(t *testing.T) {
	s := newServer(t)
	s.vpc(t, "10.0.0.0/16")
	for i, egress := range []bool{true, false} {
		must(s.DeleteNetworkAclEntry(t.Context(), &sdk.DeleteNetworkAclEntryInput{
			NetworkAclId: new("acl-1"), RuleNumber: new(int32(100)), Egress: &egress,
		}))(t)
		if got := len(s.describedACL(t, "acl-1").Entries); got != 3-i {
			t.Errorf("after %d deletions there are %d rules", i+1, got)
		}
	}
}

func TestNetworkACLRefusals(t *testing.T) {
	s := newServer(t)
	vpc, far := s.vpc(t, "10.0.0.0/16"), s.vpc(t, "10.1.0.0/16")
	acl, there := s.acl(t, vpc), s.acl(t, far)
	s.subnet(t, vpc, "10.0.0.0/24")
	from := func(in *sdk.CreateNetworkAclEntryInput) { in.CidrBlock = new("10.0.0.0/8") }
	s.entry(t, acl, 100, from)
	create := func(number int32, change func(*sdk.CreateNetworkAclEntryInput)) error {
		return failure(s.CreateNetworkAclEntry(t.Context(),
			sshEntry(acl, number, func(in *sdk.CreateNetworkAclEntryInput) {
				from(in)
				change(in)
			})))
	}
	same := func(*sdk.CreateNetworkAclEntryInput) {}
	associate := func(association, acl string) error {
		return failure(s.ReplaceNetworkAclAssociation(t.Context(), &sdk.ReplaceNetworkAclAssociationInput{
			AssociationId: &association, NetworkAclId: &acl,
		}))
	}
	remove := func(id string) error {
		return failure(s.DeleteNetworkAcl(t.Context(), &sdk.DeleteNetworkAclInput{NetworkAclId: &id}))
	}
	const value, lost = "InvalidParameterValue", "MissingParameter"
	checkRefusals(t, []refusal{
		{"unknown VPC", failure(s.CreateNetworkAcl(t.Context(), &sdk.CreateNetworkAclInput{VpcId: new("vpc-9")})),
			"InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"there", create(100, same), "NetworkAclEntryAlreadyExists",
			"The network acl entry identified by 100 already exists."},
		{"number", create(32767, same), value, "Invalid value '32767' for ruleNumber. It is 1 to 32766."},
		{"no number", create(0, same), value, "Invalid value '0' for ruleNumber. It is 1 to 32766."},
		{"unknown ACL", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.NetworkAclId = new("acl-9") }),
			"InvalidNetworkAclID.NotFound", "The networkAcl ID 'acl-9' does not exist"},
		{"action", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.RuleAction = "pass" }), value,
			"Value (pass) for parameter ruleAction is invalid. Use allow or deny."},
		{"protocol", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.Protocol = new("http") }), value,
			"Invalid value 'http' for IP protocol. Unknown protocol."},
		{"no block", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.CidrBlock = nil }), lost,
			"The request must contain the parameter cidrBlock"},
		{"two blocks", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.Ipv6CidrBlock = new("::/0") }),
			"InvalidParameterCombination",
			"The parameter cidrBlock may not be used in combination with ipv6CidrBlock."},
		{"IPv6 block", create(1, func(in *sdk.CreateNetworkAclEntryInput) {
			in.CidrBlock, in.Ipv6CidrBlock = nil,
				new("10.0.0.0/8")
		}),
			value, "Value (10.0.0.0/8) for parameter ipv6CidrBlock is invalid. This is not a valid IPv6 CIDR block."},
		{"no ports", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.PortRange = nil }), lost,
			"The request must contain the parameter portRange"},
		{"ports", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.PortRange.From = new(int32(24)) }), value,
			"Invalid TCP/UDP port range (24:23)"},
		{"no ICMP type", create(1, func(in *sdk.CreateNetworkAclEntryInput) { in.Protocol = new("1") }), lost,
			"The request must contain the parameter icmpTypeCode"},
		{"ICMP type", create(1, func(in *sdk.CreateNetworkAclEntryInput) {
			in.Protocol, in.IcmpTypeCode = new("icmp"), &types.IcmpTypeCode{Type: new(int32(256)), Code: new(int32(0))}
		}), value, "Invalid ICMP type or code (256:0). Each is 0 to 255, or -1 for all."},
		{"replace what is not there", failure(s.ReplaceNetworkAclEntry(t.Context(), &sdk.ReplaceNetworkAclEntryInput{
			NetworkAclId: &acl, RuleNumber: new(int32(7)), Egress: new(false), Protocol: new("-1"),
			RuleAction: types.RuleActionDeny,
			CidrBlock:  new("0.0.0.0/0"),
		})), "InvalidNetworkAclEntry.NotFound", "The network acl entry identified by 7 does not exist"},
		{"delete in the other direction", failure(s.DeleteNetworkAclEntry(t.Context(), &sdk.DeleteNetworkAclEntryInput{
			NetworkAclId: &acl, RuleNumber: new(int32(100)), Egress: new(true),
		})), "InvalidNetworkAclEntry.NotFound", "The network acl entry identified by 100 does not exist"},
		{"associate unknown", associate("aclassoc-9", acl), "InvalidAssociationID.NotFound",
			"The association ID 'aclassoc-9' does not exist"},
		{"associate with unknown", associate("aclassoc-1", "acl-9"), "InvalidNetworkAclID.NotFound",
			"The networkAcl ID 'acl-9' does not exist"},
		{"associate elsewhere", associate("aclassoc-1", there), value,
			"Network ACL acl-4 and subnet subnet-1 belong to different networks"},
		{"delete unknown", remove("acl-9"), "InvalidNetworkAclID.NotFound", "The networkAcl ID 'acl-9' does not exist"},
		{"delete the default one", remove("acl-1"), value, "cannot delete default network ACL acl-1"},
	})
	for n := range int32(39) {
		s.entry(t, acl, 200+n, from)
	}
	servicetest.WantError(t, create(1, same), "NetworkAclEntryLimitExceeded",
		"The maximum number of network acl entries has been reached: the limit is 40 in each direction.")
}
