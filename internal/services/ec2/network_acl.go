package ec2

import (
	"context"
	"strconv"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"larder/internal/network"
	"larder/internal/store"
)

func (s *Service) describeACLs(_ context.Context, in *sdk.DescribeNetworkAclsInput) (*sdk.DescribeNetworkAclsOutput, error) {
	var all []types.NetworkAcl
	err := s.Store.View(func(tx *store.Tx) error {
		subnets, err := network.Subnets.All(tx)
		if err != nil {
			return err
		}
		all, err = describeAll(tx, network.ACLs, func(a network.ACL) string { return a.ID },
			func(a network.ACL, tags map[string]string) types.NetworkAcl { return s.describeACL(a, subnets, tags) })
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.NetworkAcl]{key: func(a types.NetworkAcl) string { return *a.NetworkAclId }, filters: aclFilters(), notFound: aclNotFound}
	acls, token, err := l.pick(all, request{in.NetworkAclIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeNetworkAclsOutput{NetworkAcls: acls, NextToken: token}, err
}

// describeACL describes a default ACL: rule 100 lets everything pass, and nothing is left for the last one to deny.
func (s *Service) describeACL(a network.ACL, subnets []network.Subnet, tags map[string]string) types.NetworkAcl {
	acl := types.NetworkAcl{NetworkAclId: &a.ID, VpcId: &a.VPCID, IsDefault: new(true), OwnerId: &s.Account, Tags: tagList(tags)}
	for _, egress := range []bool{true, false} {
		acl.Entries = append(acl.Entries, aclEntry(egress, 100, types.RuleActionAllow), aclEntry(egress, 32767, types.RuleActionDeny))
	}
	for _, n := range subnets {
		if n.VPCID == a.VPCID {
			acl.Associations = append(acl.Associations, types.NetworkAclAssociation{
				NetworkAclAssociationId: &n.ACLAssociationID, NetworkAclId: &a.ID, SubnetId: &n.ID,
			})
		}
	}
	return acl
}

func aclEntry(egress bool, number int32, action types.RuleAction) types.NetworkAclEntry {
	return types.NetworkAclEntry{
		CidrBlock: new("0.0.0.0/0"), Egress: &egress, Protocol: new(network.AnyProtocol), RuleAction: action, RuleNumber: &number,
	}
}

func aclFilters() filters[types.NetworkAcl] {
	type acl = types.NetworkAcl
	associations := func(get func(types.NetworkAclAssociation) *string) func(acl) []string {
		return each(func(a acl) []types.NetworkAclAssociation { return a.Associations }, text(get))
	}
	entries := func(look func(types.NetworkAclEntry) []string) func(acl) []string {
		return each(func(a acl) []types.NetworkAclEntry { return a.Entries }, look)
	}
	return filters[acl]{
		"association.association-id": associations(func(a types.NetworkAclAssociation) *string { return a.NetworkAclAssociationId }),
		"association.network-acl-id": associations(func(a types.NetworkAclAssociation) *string { return a.NetworkAclId }),
		"association.subnet-id":      associations(func(a types.NetworkAclAssociation) *string { return a.SubnetId }),
		"default":                    truth(func(a acl) *bool { return a.IsDefault }),
		"entry.cidr":                 entries(text(func(e types.NetworkAclEntry) *string { return e.CidrBlock })),
		"entry.egress":               entries(truth(func(e types.NetworkAclEntry) *bool { return e.Egress })),
		"entry.protocol":             entries(text(func(e types.NetworkAclEntry) *string { return e.Protocol })),
		"entry.rule-action":          entries(func(e types.NetworkAclEntry) []string { return []string{string(e.RuleAction)} }),
		"entry.rule-number":          entries(func(e types.NetworkAclEntry) []string { return []string{strconv.Itoa(int(*e.RuleNumber))} }),
		"network-acl-id":             text(func(a acl) *string { return a.NetworkAclId }),
		"owner-id":                   text(func(a acl) *string { return a.OwnerId }),
		"vpc-id":                     text(func(a acl) *string { return a.VpcId }),
	}.withTags(func(a acl) []types.Tag { return a.Tags })
}
