package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/module"
)

// securityGroup finds the module's own by its name in the subnets' VPC.
func (o *observation) securityGroup(ctx context.Context) error {
	if o.desired.SecurityGroup == nil {
		return nil
	}
	vpc, err := o.vpcOf(ctx, o.desired.SecurityGroup.SubnetID)
	if err != nil {
		return err
	}
	group, err := o.groupNamed(ctx, vpc, o.desired.SecurityGroup.Name)
	if err != nil || group == nil {
		return err
	}
	rules, err := o.rulesOf(ctx, *group.GroupId)
	if err != nil {
		return err
	}
	o.found.SecurityGroup, o.found.SecurityGroupRules = group, rules
	o.mu.Lock()
	defer o.mu.Unlock()
	o.found.Tags[*group.GroupId] = fromNetwork(group.Tags)
	for _, r := range rules {
		o.found.Tags[*r.SecurityGroupRuleId] = fromNetwork(r.Tags)
	}
	return nil
}

func fromNetwork(tags []ec2types.Tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return all
}

// vpcOf is the id of a subnet's VPC. That of a subnet that is not made yet stands for its VPC too: it is as unknown.
func (d *Deployer) vpcOf(ctx context.Context, subnet string) (string, error) {
	if isUnknown(subnet) {
		return subnet, nil
	}
	out, err := d.Network.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{subnet}})
	if err != nil {
		return "", fmt.Errorf("cannot describe the subnet %s: %w", subnet, err)
	}
	if len(out.Subnets) != 1 {
		return "", errors.New("there is no subnet " + subnet)
	}
	return aws.ToString(out.Subnets[0].VpcId), nil
}

func (d *Deployer) rulesOf(ctx context.Context, group string) ([]ec2types.SecurityGroupRule, error) {
	if isUnknown(group) {
		return nil, nil
	}
	out, err := d.Network.DescribeSecurityGroupRules(ctx,
		&ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{
			{Name: aws.String("group-id"), Values: []string{group}},
		}})
	if err != nil {
		return nil, fmt.Errorf("cannot describe the rules of the security group %s: %w", group, err)
	}
	return out.SecurityGroupRules, nil
}

// securityGroup makes the module's own security group, or gives the one that is there the rules of the call.
func (a *apply) securityGroup(ctx context.Context) error {
	want := a.desired.SecurityGroup
	if want == nil {
		return nil
	}
	vpc, err := a.vpcOf(ctx, want.SubnetID)
	if err != nil {
		return err
	}
	if err := a.recordAhead(ctx, Resource{Kind: securityGroupKind, Name: inVPC(vpc, want.Name)}); err != nil {
		return err
	}
	id, err := a.groupIn(ctx, vpc, *want)
	if err != nil {
		return err
	}
	a.observed.SecurityGroup = &ec2types.SecurityGroup{GroupId: &id}
	return a.rules(ctx, *want, id)
}

// createSecurityGroup makes a group without any rule: the one that EC2 gives every new group lets everything out.
func (a *apply) createSecurityGroup(ctx context.Context, g module.SecurityGroup, vpc string) (string, error) {
	if a.planning {
		return a.unknownID("sg"), nil
	}
	out, err := a.Network.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: &g.Name, Description: &g.Description, VpcId: &vpc,
		TagSpecifications: tagged(ec2types.ResourceTypeSecurityGroup, g.Tags),
	})
	a.creating(err, Resource{Kind: securityGroupKind, Name: inVPC(vpc, g.Name)})
	if err != nil {
		return "", fmt.Errorf("cannot create the security group %s: %w", g.Name, err)
	}
	_, err = a.Network.RevokeSecurityGroupEgress(ctx,
		&ec2.RevokeSecurityGroupEgressInput{GroupId: out.GroupId, IpPermissions: []ec2types.IpPermission{
			{IpProtocol: aws.String("-1"), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}}},
		}})
	if err != nil {
		return "", fmt.Errorf("cannot close the security group %s: %w", g.Name, err)
	}
	return *out.GroupId, nil
}

// rules authorizes the rules that a group lacks and revokes those that it should not have.
func (a *apply) rules(ctx context.Context, want module.SecurityGroup, group string) error {
	have, err := a.rulesOf(ctx, group)
	if err != nil {
		return err
	}
	for _, r := range want.Rules {
		if i := slices.IndexFunc(have, func(h ec2types.SecurityGroupRule) bool { return sameRule(r, h) }); i >= 0 {
			have = slices.Delete(have, i, i+1)
			continue
		}
		if err := a.write(func() error { return a.authorize(ctx, group, r, want.RuleTags) }); err != nil {
			return err
		}
		a.done("added the rule %q for %s%s to security group %s", r.Description, r.PeerGroup,
			a.value(r.PeerNetwork), want.Name)
	}
	for _, r := range have {
		if err := a.write(func() error { return a.revoke(ctx, r) }); err != nil {
			return err
		}
		delete(a.observed.Tags, *r.SecurityGroupRuleId) // what is gone needs no tags
		a.done("revoked the rule %s of security group %s", *r.SecurityGroupRuleId, want.Name)
	}
	return nil
}

func sameRule(want module.SecurityGroupRule, have ec2types.SecurityGroupRule) bool {
	peer := ""
	if have.ReferencedGroupInfo != nil {
		peer = aws.ToString(have.ReferencedGroupInfo.GroupId)
	}
	return want.Egress == aws.ToBool(have.IsEgress) && want.PeerGroup == peer &&
		want.PeerNetwork == aws.ToString(have.CidrIpv4) && aws.ToString(have.IpProtocol) == "tcp" &&
		want.Port == aws.ToInt32(have.FromPort) && want.Port == aws.ToInt32(have.ToPort) &&
		want.Description == aws.ToString(have.Description)
}

// authorize adds a rule.
func (d *Deployer) authorize(
	ctx context.Context, group string, r module.SecurityGroupRule, tags map[string]string,
) error {
	permission := ec2types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: &r.Port, ToPort: &r.Port}
	if r.PeerGroup != "" {
		permission.UserIdGroupPairs = []ec2types.UserIdGroupPair{{GroupId: &r.PeerGroup, Description: &r.Description}}
	} else {
		permission.IpRanges = []ec2types.IpRange{{CidrIp: &r.PeerNetwork, Description: &r.Description}}
	}
	specification := tagged(ec2types.ResourceTypeSecurityGroupRule, tags)
	var rules []ec2types.SecurityGroupRule
	if r.Egress {
		out, err := d.Network.AuthorizeSecurityGroupEgress(ctx,
			&ec2.AuthorizeSecurityGroupEgressInput{GroupId: &group, IpPermissions: []ec2types.IpPermission{permission},
				TagSpecifications: specification})
		if err != nil {
			return fmt.Errorf("cannot add a rule to the security group %s: %w", group, err)
		}
		rules = out.SecurityGroupRules
	} else {
		out, err := d.Network.AuthorizeSecurityGroupIngress(ctx,
			&ec2.AuthorizeSecurityGroupIngressInput{GroupId: &group, IpPermissions: []ec2types.IpPermission{permission},
				TagSpecifications: specification})
		if err != nil {
			return fmt.Errorf("cannot add a rule to the security group %s: %w", group, err)
		}
		rules = out.SecurityGroupRules
	}
	if len(rules) != 1 {
		return fmt.Errorf("the security group %s got %d rules instead of one", group, len(rules))
	}
	return nil
}

func (d *Deployer) revoke(ctx context.Context, r ec2types.SecurityGroupRule) (err error) {
	ids := []string{*r.SecurityGroupRuleId}
	if aws.ToBool(r.IsEgress) {
		_, err = d.Network.RevokeSecurityGroupEgress(ctx,
			&ec2.RevokeSecurityGroupEgressInput{GroupId: r.GroupId, SecurityGroupRuleIds: ids})
	} else {
		_, err = d.Network.RevokeSecurityGroupIngress(ctx,
			&ec2.RevokeSecurityGroupIngressInput{GroupId: r.GroupId, SecurityGroupRuleIds: ids})
	}
	if err != nil {
		return fmt.Errorf("cannot revoke the rule %s: %w", ids[0], err)
	}
	return nil
}
