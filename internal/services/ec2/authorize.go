package ec2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// maxRules is how many rules a group may have in each direction.
const maxRules = 60

// ruling is a request about some rules of one group in one direction.
type ruling struct {
	id, name    *string // of the group
	egress      bool
	permissions []types.IpPermission
	ruleIDs     []string
}

func (s *Service) authorizeIngress(
	ctx context.Context, in *sdk.AuthorizeSecurityGroupIngressInput,
) (*sdk.AuthorizeSecurityGroupIngressOutput, error) {
	permissions, err := ingressPermissions(in.IpPermissions,
		types.IpPermission{IpProtocol: in.IpProtocol, FromPort: in.FromPort, ToPort: in.ToPort}, in.CidrIp)
	if err != nil {
		return nil, err
	}
	rules, err := s.authorize(ctx, ruling{id: in.GroupId, name: in.GroupName, permissions: permissions},
		in.TagSpecifications)
	return &sdk.AuthorizeSecurityGroupIngressOutput{Return: new(true), SecurityGroupRules: rules}, err
}

func (s *Service) authorizeEgress(
	ctx context.Context, in *sdk.AuthorizeSecurityGroupEgressInput,
) (*sdk.AuthorizeSecurityGroupEgressOutput, error) {
	rules, err := s.authorize(ctx, ruling{id: in.GroupId, egress: true, permissions: in.IpPermissions},
		in.TagSpecifications)
	return &sdk.AuthorizeSecurityGroupEgressOutput{Return: new(true), SecurityGroupRules: rules}, err
}

// ingressPermissions adds the one permission that an ingress request can also give outside of the list.
func ingressPermissions(list []types.IpPermission, one types.IpPermission, cidr *string) ([]types.IpPermission, error) {
	if cidr == nil && one.IpProtocol == nil && one.FromPort == nil && one.ToPort == nil {
		return list, nil
	}
	if len(list) > 0 {
		return nil, invalidCombination("The parameter ipPermissions may not be used in combination with ipProtocol, " +
			"fromPort, toPort or cidrIp.")
	}
	if cidr != nil {
		one.IpRanges = []types.IpRange{{CidrIp: cidr}}
	}
	return []types.IpPermission{one}, nil
}

func (s *Service) authorize(
	ctx context.Context, r ruling, specs []types.TagSpecification,
) ([]types.SecurityGroupRule, error) {
	tags, err := newTags(specs, types.ResourceTypeSecurityGroupRule)
	if err != nil {
		return nil, err
	}
	var described []types.SecurityGroupRule
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		g, err := groupOf(tx, r.id, r.name)
		if err != nil {
			return err
		}
		rules, err := s.rulesIn(tx, g, r.egress, r.permissions)
		if err != nil {
			return err
		}
		if err := admitRules(tx, rules); err != nil {
			return err
		}
		for _, rule := range rules {
			if rule, err = s.Builder.CreateRule(tx, rule); err != nil {
				return err
			}
			if err := network.SetTags(tx, rule.ID, tags); err != nil {
				return err
			}
			described = append(described, s.describeRule(rule, tags))
		}
		return nil
	})
	return described, err
}

// admitRules refuses rules that say what others of their group, or of the list, say already, and too many of them.
func admitRules(tx *store.Tx, rules []network.Rule) error {
	others, err := network.In(tx, network.Rules, func(r network.Rule) bool {
		return r.GroupID == rules[0].GroupID && r.Egress == rules[0].Egress && r.ID != rules[0].ID
	})
	if err != nil {
		return err
	}
	for _, r := range rules {
		if slices.ContainsFunc(others, r.Same) {
			return refuse("InvalidPermission.Duplicate", `the specified rule "%s" already exists`, r)
		}
		others = append(others, r)
	}
	if len(others) > maxRules {
		return refuse("RulesPerSecurityGroupLimitExceeded",
			"The maximum number of rules per security group has been reached: "+
				"%s would have %d in one direction, and the limit is %d.", rules[0].GroupID, len(others), maxRules)
	}
	return nil
}

func (s *Service) revokeIngress(
	ctx context.Context, in *sdk.RevokeSecurityGroupIngressInput,
) (*sdk.RevokeSecurityGroupIngressOutput, error) {
	permissions, err := ingressPermissions(in.IpPermissions,
		types.IpPermission{IpProtocol: in.IpProtocol, FromPort: in.FromPort, ToPort: in.ToPort}, in.CidrIp)
	if err != nil {
		return nil, err
	}
	revoked, err := s.revoke(ctx, ruling{id: in.GroupId, name: in.GroupName, permissions: permissions,
		ruleIDs: in.SecurityGroupRuleIds})
	return &sdk.RevokeSecurityGroupIngressOutput{Return: new(true), RevokedSecurityGroupRules: revoked}, err
}

func (s *Service) revokeEgress(
	ctx context.Context, in *sdk.RevokeSecurityGroupEgressInput,
) (*sdk.RevokeSecurityGroupEgressOutput, error) {
	revoked, err := s.revoke(ctx, ruling{id: in.GroupId, egress: true, permissions: in.IpPermissions,
		ruleIDs: in.SecurityGroupRuleIds})
	return &sdk.RevokeSecurityGroupEgressOutput{Return: new(true), RevokedSecurityGroupRules: revoked}, err
}

func (s *Service) revoke(ctx context.Context, r ruling) ([]types.RevokedSecurityGroupRule, error) {
	var revoked []types.RevokedSecurityGroupRule
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		rules, _, err := s.existing(tx, r)
		if err != nil {
			return err
		}
		for _, rule := range rules {
			if err := network.DeleteRule(tx, rule.ID); err != nil {
				return err
			}
			revoked = append(revoked, s.describeRevoked(rule))
		}
		return nil
	})
	return revoked, err
}

func (s *Service) describeRevoked(r network.Rule) types.RevokedSecurityGroupRule {
	rule := s.describeRule(r, nil)
	out := types.RevokedSecurityGroupRule{
		SecurityGroupRuleId: rule.SecurityGroupRuleId, GroupId: rule.GroupId, IsEgress: rule.IsEgress,
		IpProtocol: rule.IpProtocol,
		FromPort:   rule.FromPort, ToPort: rule.ToPort, CidrIpv4: rule.CidrIpv4, CidrIpv6: rule.CidrIpv6,
		Description: rule.Description,
	}
	if rule.ReferencedGroupInfo != nil {
		out.ReferencedGroupId = rule.ReferencedGroupInfo.GroupId
	}
	return out
}

// existing finds the rules that a request names by their ids or by what they say, and in the latter case the
// descriptions that it gives them.
func (s *Service) existing(tx *store.Tx, r ruling) (rules []network.Rule, descriptions []string, err error) {
	g, err := groupOf(tx, r.id, r.name)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case len(r.ruleIDs) > 0 && len(r.permissions) > 0:
		return nil, nil, invalidCombination("The request names rules both by their ids and by what they say. Use one of " +
			"the two.")
	case len(r.ruleIDs) > 0:
		rules, err = rulesByID(tx, g, r)
		return rules, nil, err
	case len(r.permissions) == 0:
		return nil, nil, refuse("MissingParameter",
			"Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	wanted, err := s.rulesIn(tx, g, r.egress, r.permissions)
	if err != nil {
		return nil, nil, err
	}
	there, err := network.In(tx, network.Rules, func(rule network.Rule) bool { return rule.GroupID == g.ID })
	if err != nil {
		return nil, nil, err
	}
	for _, w := range wanted {
		at := slices.IndexFunc(there, w.Same)
		if at < 0 {
			return nil, nil, refuse("InvalidPermission.NotFound",
				"The specified rule does not exist in this security group: %s", w)
		}
		rules, descriptions = append(rules, there[at]), append(descriptions, w.Description)
	}
	return rules, descriptions, nil
}

func rulesByID(tx *store.Tx, g network.SecurityGroup, r ruling) ([]network.Rule, error) {
	var rules []network.Rule
	for _, id := range r.ruleIDs {
		rule, err := ruleOf(tx, g, id)
		if err != nil {
			return nil, err
		}
		if rule.Egress != r.egress {
			return nil, ruleNotFound(id)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (s *Service) redescribeIngress(
	ctx context.Context, in *sdk.UpdateSecurityGroupRuleDescriptionsIngressInput,
) (*sdk.UpdateSecurityGroupRuleDescriptionsIngressOutput, error) {
	err := s.redescribe(ctx, ruling{id: in.GroupId, name: in.GroupName, permissions: in.IpPermissions},
		in.SecurityGroupRuleDescriptions)
	return &sdk.UpdateSecurityGroupRuleDescriptionsIngressOutput{Return: new(true)}, err
}

func (s *Service) redescribeEgress(
	ctx context.Context, in *sdk.UpdateSecurityGroupRuleDescriptionsEgressInput,
) (*sdk.UpdateSecurityGroupRuleDescriptionsEgressOutput, error) {
	err := s.redescribe(ctx, ruling{id: in.GroupId, name: in.GroupName, egress: true, permissions: in.IpPermissions},
		in.SecurityGroupRuleDescriptions)
	return &sdk.UpdateSecurityGroupRuleDescriptionsEgressOutput{Return: new(true)}, err
}

// redescribe gives rules the descriptions that come with their ids, or else with the permissions.
func (s *Service) redescribe(ctx context.Context, r ruling, byID []types.SecurityGroupRuleDescription) error {
	var given []string
	for _, d := range byID {
		if err := checkDescription(aws.ToString(d.Description)); err != nil {
			return err
		}
		r.ruleIDs, given = append(r.ruleIDs, aws.ToString(d.SecurityGroupRuleId)), append(given,
			aws.ToString(d.Description))
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		rules, descriptions, err := s.existing(tx, r)
		if err != nil {
			return err
		}
		if len(byID) > 0 {
			descriptions = given
		}
		for i, rule := range rules {
			rule.Description = descriptions[i]
			if err := network.Rules.Put(tx, rule.ID, rule); err != nil {
				return err
			}
		}
		return nil
	})
}
