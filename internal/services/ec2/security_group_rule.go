package ec2

import (
	"context"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

func (s *Service) describeRules(
	_ context.Context, in *sdk.DescribeSecurityGroupRulesInput,
) (*sdk.DescribeSecurityGroupRulesOutput, error) {
	var all []types.SecurityGroupRule
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = describeAll(tx, network.Rules, func(r network.Rule) string { return r.ID }, s.describeRule)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.SecurityGroupRule]{
		many: "SecurityGroupRuleIds",
		key:  func(r types.SecurityGroupRule) string { return *r.SecurityGroupRuleId }, filters: ruleFilters(),
		notFound: ruleNotFound,
	}
	rules, token, err := l.pick(all, request{in.SecurityGroupRuleIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeSecurityGroupRulesOutput{SecurityGroupRules: rules, NextToken: token}, err
}

func (s *Service) describeRule(r network.Rule, tags map[string]string) types.SecurityGroupRule {
	out := types.SecurityGroupRule{
		SecurityGroupRuleId: &r.ID, SecurityGroupRuleArn: new(s.arn("security-group-rule", r.ID)), GroupId: &r.GroupID,
		GroupOwnerId: &s.Account,
		IsEgress:     &r.Egress, IpProtocol: &r.Protocol, FromPort: &r.From, ToPort: &r.To, Tags: tagList(tags),
	}
	if r.Description != "" {
		out.Description = &r.Description
	}
	switch {
	case r.Group != "":
		out.ReferencedGroupInfo = &types.ReferencedSecurityGroup{GroupId: &r.Group, UserId: &s.Account}
	case r.CIDR.Addr().Is4():
		out.CidrIpv4 = new(r.CIDR.String())
	default:
		out.CidrIpv6 = new(r.CIDR.String())
	}
	return out
}

func ruleFilters() filters[types.SecurityGroupRule] {
	type rule = types.SecurityGroupRule
	return filters[rule]{
		"group-id":               text(func(r rule) *string { return r.GroupId }),
		"security-group-rule-id": text(func(r rule) *string { return r.SecurityGroupRuleId }),
	}.withTags(func(r rule) []types.Tag { return r.Tags })
}

// modifyRules replaces what rules say; their ids and their direction stay.
func (s *Service) modifyRules(
	ctx context.Context, in *sdk.ModifySecurityGroupRulesInput,
) (*sdk.ModifySecurityGroupRulesOutput, error) {
	if len(in.SecurityGroupRules) == 0 {
		return nil, missing("SecurityGroupRules")
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		g, err := groupOf(tx, in.GroupId, nil)
		if err != nil {
			return err
		}
		for _, update := range in.SecurityGroupRules {
			if err := s.modifyRule(tx, g, update); err != nil {
				return err
			}
		}
		return nil
	})
	return &sdk.ModifySecurityGroupRulesOutput{Return: new(true)}, err
}

func (s *Service) modifyRule(tx *store.Tx, g network.SecurityGroup, update types.SecurityGroupRuleUpdate) error {
	id, err := required("SecurityGroupRuleId", update.SecurityGroupRuleId)
	if err != nil {
		return err
	}
	if update.SecurityGroupRule == nil {
		return missing("SecurityGroupRule")
	}
	old, err := ruleOf(tx, g, id)
	if err != nil {
		return err
	}
	rules, err := s.rulesIn(tx, g, old.Egress, []types.IpPermission{permissionOf(*update.SecurityGroupRule)})
	if err != nil {
		return err
	}
	if len(rules) != 1 {
		return invalidCombination("The security group rule %s must have one of CidrIpv4, CidrIpv6 and ReferencedGroupId.", id)
	}
	rules[0].ID = id
	if err := admitRules(tx, rules); err != nil {
		return err
	}
	return network.Rules.Put(tx, id, rules[0])
}

// permissionOf is a single rule's request as a permission.
func permissionOf(r types.SecurityGroupRuleRequest) types.IpPermission {
	p := types.IpPermission{IpProtocol: r.IpProtocol, FromPort: r.FromPort, ToPort: r.ToPort}
	if r.CidrIpv4 != nil {
		p.IpRanges = []types.IpRange{{CidrIp: r.CidrIpv4, Description: r.Description}}
	}
	if r.CidrIpv6 != nil {
		p.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: r.CidrIpv6, Description: r.Description}}
	}
	if r.ReferencedGroupId != nil {
		p.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: r.ReferencedGroupId, Description: r.Description}}
	}
	return p
}

// ruleOf finds a rule of a group.
func ruleOf(tx *store.Tx, g network.SecurityGroup, id string) (network.Rule, error) {
	r, err := find(tx, network.Rules, id, ruleNotFound)
	if err == nil && r.GroupID != g.ID {
		err = ruleNotFound(id)
	}
	return r, err
}
