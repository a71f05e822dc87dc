package ec2

import (
	"context"
	"net/netip"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// The numbers of rules that can be changed, and that of the last one, which denies what no other rule decided.
const (
	firstEntry = 1
	finalEntry = 32766
	denyAll    = 32767
)

func (s *Service) createACL(ctx context.Context, in *sdk.CreateNetworkAclInput) (*sdk.CreateNetworkAclOutput, error) {
	id, err := required("vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeNetworkAcl)
	if err != nil {
		return nil, err
	}
	out := &sdk.CreateNetworkAclOutput{ClientToken: in.ClientToken}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, network.VPCs, id, vpcNotFound); err != nil {
			return err
		}
		a, there, err := made(tx, network.ACLs, in.ClientToken, func(a network.ACL) string { return a.Token },
			func(a network.ACL) bool { return a.VPCID == id })
		if err == nil && !there {
			a, err = s.Builder.CreateACL(tx, network.ACL{VPCID: id, Token: aws.ToString(in.ClientToken)})
		}
		if err != nil {
			return err
		}
		if !there {
			if err := network.SetTags(tx, a.ID, tags); err != nil {
				return err
			}
		}
		subnets, err := network.Subnets.List(tx)
		if err != nil {
			return err
		}
		tags, err = network.Tags(tx, a.ID)
		out.NetworkAcl = new(s.describeACL(a, subnets, tags))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) deleteACL(ctx context.Context, in *sdk.DeleteNetworkAclInput) (*sdk.DeleteNetworkAclOutput, error) {
	id, err := required("networkAclId", in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		a, err := find(tx, network.ACLs, id, aclNotFound)
		if err != nil {
			return err
		}
		used, err := hasSome(tx, network.Subnets, func(n network.Subnet) bool { return n.ACLID == id })
		switch {
		case err != nil:
			return err
		case !a.Custom:
			return invalidValue("cannot delete default network ACL %s", id)
		case used:
			return refuse("DependencyViolation", "The networkAcl '%s' has dependencies and cannot be deleted.", id)
		}
		return network.DeleteACL(tx, id)
	})
	return &sdk.DeleteNetworkAclOutput{}, err
}

// replaceACLAssociation gives a subnet another ACL. The association gets a new id.
func (s *Service) replaceACLAssociation(
	ctx context.Context, in *sdk.ReplaceNetworkAclAssociationInput,
) (*sdk.ReplaceNetworkAclAssociationOutput, error) {
	id, err := required("associationId", in.AssociationId)
	if err != nil {
		return nil, err
	}
	aclID, err := required("networkAclId", in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	next := s.Builder.NewID("aclassoc")
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		subnets, err := network.In(tx, network.Subnets, func(n network.Subnet) bool { return n.ACLAssociationID == id })
		if err != nil {
			return err
		}
		if len(subnets) == 0 {
			return associationNotFound(id)
		}
		n := subnets[0]
		a, err := find(tx, network.ACLs, aclID, aclNotFound)
		if err != nil {
			return err
		}
		if a.VPCID != n.VPCID {
			return invalidValue("Network ACL %s and subnet %s belong to different networks", aclID, n.ID)
		}
		n.ACLID, n.ACLAssociationID = "", next
		if a.Custom {
			n.ACLID = a.ID
		}
		return network.Subnets.Put(tx, n.ID, n)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ReplaceNetworkAclAssociationOutput{NewAssociationId: &next}, nil
}

func (s *Service) describeACLs(
	_ context.Context, in *sdk.DescribeNetworkAclsInput,
) (*sdk.DescribeNetworkAclsOutput, error) {
	var all []types.NetworkAcl
	err := s.Store.View(func(tx *store.Tx) error {
		subnets, err := network.Subnets.List(tx)
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
	l := listing[types.NetworkAcl]{
		many: "NetworkAclIds",
		key:  func(a types.NetworkAcl) string { return *a.NetworkAclId }, filters: aclFilters(), notFound: aclNotFound,
	}
	acls, token, err := l.pick(all, request{in.NetworkAclIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeNetworkAclsOutput{NetworkAcls: acls, NextToken: token}, err
}

// describeACL describes an ACL: in each direction its rules by their numbers, and the last one, which denies.
func (s *Service) describeACL(a network.ACL, subnets []network.Subnet, tags map[string]string) types.NetworkAcl {
	acl := types.NetworkAcl{
		NetworkAclId: &a.ID, VpcId: &a.VPCID, IsDefault: new(!a.Custom), OwnerId: &s.Account, Tags: tagList(tags),
		Associations: []types.NetworkAclAssociation{},
	}
	for _, egress := range []bool{true, false} {
		for _, e := range a.Rules() {
			if e.Egress == egress {
				acl.Entries = append(acl.Entries, describeEntry(e))
			}
		}
		acl.Entries = append(acl.Entries, describeEntry(network.ACLEntry{
			Number: denyAll, Egress: egress, Protocol: network.AnyProtocol,
			CIDR: netip.PrefixFrom(netip.IPv4Unspecified(), 0),
		}))
	}
	for _, n := range subnets {
		if n.VPCID == a.VPCID && (n.ACLID == a.ID || n.ACLID == "" && !a.Custom) {
			acl.Associations = append(acl.Associations, types.NetworkAclAssociation{
				NetworkAclAssociationId: &n.ACLAssociationID, NetworkAclId: &a.ID, SubnetId: &n.ID,
			})
		}
	}
	return acl
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
		"association.association-id": associations(func(a types.NetworkAclAssociation) *string {
			return a.NetworkAclAssociationId
		}),
		"association.network-acl-id": associations(func(a types.NetworkAclAssociation) *string { return a.NetworkAclId }),
		"association.subnet-id":      associations(func(a types.NetworkAclAssociation) *string { return a.SubnetId }),
		"default":                    truth(func(a acl) *bool { return a.IsDefault }),
		"entry.cidr":                 entries(text(func(e types.NetworkAclEntry) *string { return e.CidrBlock })),
		"entry.ipv6-cidr":            entries(text(func(e types.NetworkAclEntry) *string { return e.Ipv6CidrBlock })),
		"entry.egress":               entries(truth(func(e types.NetworkAclEntry) *bool { return e.Egress })),
		"entry.port-range.from":      entries(entryPort(func(r *types.PortRange) *int32 { return r.From })),
		"entry.port-range.to":        entries(entryPort(func(r *types.PortRange) *int32 { return r.To })),
		"entry.protocol":             entries(text(func(e types.NetworkAclEntry) *string { return e.Protocol })),
		"entry.rule-action": entries(func(e types.NetworkAclEntry) []string {
			return []string{string(
				e.RuleAction)}
		}),
		"entry.rule-number": entries(func(e types.NetworkAclEntry) []string {
			return []string{strconv.Itoa(int(
				*e.RuleNumber))}
		}),
		"network-acl-id": text(func(a acl) *string { return a.NetworkAclId }),
		"owner-id":       text(func(a acl) *string { return a.OwnerId }),
		"vpc-id":         text(func(a acl) *string { return a.VpcId }),
	}.withTags(func(a acl) []types.Tag { return a.Tags })
}
