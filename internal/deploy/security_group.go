package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/module"
)

// securityGroup is the kind of the security groups: that of the call, and those of modules/security.
type securityGroup struct{}

func (securityGroup) name() string { return securityGroupKind }

// wanted implements kind: the names hold the VPC, which is known when they are made.
func (securityGroup) wanted(module.Resources) []Resource { return nil }

// observe finds the module's own by its name in the subnets' VPC.
func (securityGroup) observe(ctx context.Context, o *observation) error {
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

// apply makes the module's own security group, or gives the one that is there the rules of the call.
func (securityGroup) apply(ctx context.Context, a *apply) error {
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

func (k securityGroup) delete(ctx context.Context, d *Deployer, r Resource) error {
	return k.deleteAll(ctx, d, []Resource{r})
}

// deleteAll first revokes the rules, which may name the other groups.
func (securityGroup) deleteAll(ctx context.Context, d *Deployer, all []Resource) error {
	var ids []string
	for _, r := range all {
		vpc, name, _ := strings.Cut(r.Name, "/")
		group, err := d.groupNamed(ctx, vpc, name)
		if err != nil {
			return err
		}
		if group == nil {
			continue
		}
		ids = append(ids, *group.GroupId)
		rules, err := d.rulesOf(ctx, *group.GroupId)
		if err != nil {
			return err
		}
		for _, rule := range rules {
			if err := d.revoke(ctx, rule); err != nil {
				return err
			}
		}
	}
	for _, id := range ids {
		if _, err := d.Network.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: &id}); err != nil &&
			!notFound(err) {
			return fmt.Errorf("cannot delete the security group %s: %w", id, err)
		}
	}
	return nil
}

// companions makes the two groups of modules/security, whose rules name each other.
func (securityGroup) companions(ctx context.Context, a *apply, m module.Companions, found *module.StandIns) error {
	want := m.Security
	if want == nil {
		return nil
	}
	err := a.recordAhead(ctx, Resource{Kind: securityGroupKind, Name: inVPC(want.VPCID, want.Clients.Name)},
		Resource{Kind: securityGroupKind, Name: inVPC(want.VPCID, want.Nodes.Name)})
	if err != nil {
		return err
	}
	var ids []string
	for _, g := range []module.SecurityGroup{want.Clients, want.Nodes} {
		id, err := a.groupIn(ctx, want.VPCID, g)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	found.ClientGroupID, found.SecurityGroupID = ids[0], ids[1]
	clients, nodes := want.WithRules(ids[0], ids[1])
	for i, g := range []module.SecurityGroup{clients, nodes} {
		if err := a.rules(ctx, g, ids[i]); err != nil {
			return err
		}
	}
	return nil
}

// groupIn makes a security group in a VPC, or finds the one of that name there.
func (a *apply) groupIn(ctx context.Context, vpc string, want module.SecurityGroup) (string, error) {
	have, err := a.groupNamed(ctx, vpc, want.Name)
	if err != nil {
		return "", err
	}
	if have != nil {
		return *have.GroupId, a.ensureTags(ctx, *have.GroupId, want.Tags, fromNetwork(have.Tags))
	}
	id, err := a.createSecurityGroup(ctx, want, vpc)
	if err != nil {
		return "", err
	}
	a.done("created security group %s", want.Name)
	return id, nil
}

func (d *Deployer) groupNamed(ctx context.Context, vpc, name string) (*ec2types.SecurityGroup, error) {
	if isUnknown(vpc) {
		return nil, nil
	}
	groups, err := d.Network.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{
		{Name: aws.String("group-name"), Values: []string{name}}, {Name: aws.String("vpc-id"), Values: []string{vpc}},
	}})
	if err != nil && !notFound(err) {
		return nil, fmt.Errorf("cannot describe the security group %s: %w", name, err)
	}
	if notFound(err) || len(groups.SecurityGroups) == 0 {
		return nil, nil
	}
	return &groups.SecurityGroups[0], nil
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
