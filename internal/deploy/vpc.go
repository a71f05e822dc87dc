package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/awssdk/ec2"
	ec2types "larder/internal/awssdk/ec2/types"
	"larder/internal/module"
)

// vpc makes the VPC of modules/vpc and its subnets, or what of them is missing. A VPC has no name that finds it: the
// one of an earlier apply is known by its id.
func (a *apply) vpc(ctx context.Context, want *module.VPC, found *module.StandIns) error {
	if want == nil {
		return nil
	}
	id, err := a.existingVPC(ctx, *want)
	if err != nil {
		return err
	}
	if id == "" {
		if id, err = a.createVPC(ctx, *want); err != nil {
			return err
		}
		a.done("created VPC %s", a.value(want.CIDR))
	}
	found.VPCID, found.CIDR, found.SubnetIDs, found.Zones = id, want.CIDR, nil, nil
	var planned []Resource
	for _, s := range want.Subnets {
		planned = append(planned, Resource{Kind: subnetKind, Name: inVPC(id, s.CIDR)})
	}
	if err := a.recordAhead(ctx, planned...); err != nil {
		return err
	}
	have, err := a.subnetsOf(ctx, id)
	if err != nil {
		return err
	}
	for _, s := range want.Subnets {
		subnet, err := a.privateSubnet(ctx, id, s, have)
		if err != nil {
			return err
		}
		found.SubnetIDs, found.Zones = append(found.SubnetIDs, subnet), append(found.Zones, s.Zone)
	}
	return nil
}

func (a *apply) subnetsOf(ctx context.Context, vpc string) ([]ec2types.Subnet, error) {
	if isUnknown(vpc) {
		return nil, nil
	}
	out, err := a.Network.DescribeSubnets(ctx,
		&ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}})
	if err != nil {
		return nil, fmt.Errorf("cannot describe the subnets of %s: %w", vpc, err)
	}
	return out.Subnets, nil
}

// createVPC makes a VPC and returns its id.
func (a *apply) createVPC(ctx context.Context, want module.VPC) (string, error) {
	if a.planning {
		id := a.unknownID("vpc")
		a.keep(Resource{Kind: vpcKind, Name: id})
		return id, nil
	}
	own, mark, err := a.marked(ctx, vpcKind, 0)
	if err != nil {
		return "", err
	}
	maps.Copy(mark, want.Tags)
	out, err := a.Network.CreateVpc(ctx, &ec2.CreateVpcInput{
		CidrBlock: &want.CIDR, TagSpecifications: tagged(ec2types.ResourceTypeVpc, mark),
	})
	if err != nil {
		a.creating(err, own)
		return "", fmt.Errorf("cannot create the VPC: %w", err)
	}
	return *out.Vpc.VpcId, a.unmark(ctx, own, *out.Vpc.VpcId, *out.Vpc.VpcId)
}

func tagged(kind ec2types.ResourceType, tags map[string]string) []ec2types.TagSpecification {
	return []ec2types.TagSpecification{{ResourceType: kind, Tags: networkTags(tags)}}
}

// existingVPC is the id of the VPC that an earlier apply made, "" when there is none.
func (a *apply) existingVPC(ctx context.Context, want module.VPC) (string, error) {
	for _, r := range a.earlier(vpcKind) {
		out, err := a.Network.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{r.Name}})
		if notFound(err) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("cannot describe the VPC %s: %w", r.Name, err)
		}
		if have := aws.ToString(out.Vpcs[0].CidrBlock); have != want.CIDR {
			return "", errors.New(a.shown(fmt.Sprintf("cidr_block: larder cannot change it from %q to %q while the VPC %s "+
				"exists: set it back, or destroy and bring up again", have, want.CIDR, r.Name)))
		}
		if err := a.recordAhead(ctx, r); err != nil {
			return "", err
		}
		return r.Name, a.ensureTags(ctx, r.Name, want.Tags, fromNetwork(out.Vpcs[0].Tags))
	}
	return "", nil
}

func (a *apply) privateSubnet(
	ctx context.Context, vpc string, want module.Subnet, have []ec2types.Subnet,
) (string, error) {
	i := slices.IndexFunc(have, func(s ec2types.Subnet) bool { return aws.ToString(s.CidrBlock) == want.CIDR })
	if i >= 0 {
		id, zone := *have[i].SubnetId, aws.ToString(have[i].AvailabilityZone)
		if zone != want.Zone {
			return "", fmt.Errorf("availability_zones: larder cannot move the subnet %s from %s to %s: set it back, or destroy and bring up again", id, zone, want.Zone)
		}
		return id, a.ensureTags(ctx, id, want.Tags, fromNetwork(have[i].Tags))
	}
	if a.planning {
		a.done("created subnet %s in %s", a.value(want.CIDR), want.Zone)
		return a.unknownID("subnet"), nil
	}
	out, err := a.Network.CreateSubnet(ctx, &ec2.CreateSubnetInput{
		VpcId: &vpc, CidrBlock: &want.CIDR, AvailabilityZone: &want.Zone,
		TagSpecifications: tagged(ec2types.ResourceTypeSubnet, want.Tags),
	})
	a.creating(err, Resource{Kind: subnetKind, Name: inVPC(vpc, want.CIDR)})
	if err != nil {
		return "", fmt.Errorf("cannot create the subnet %s: %w", a.value(want.CIDR), err)
	}
	a.done("created subnet %s in %s", a.value(want.CIDR), want.Zone)
	return *out.Subnet.SubnetId, nil
}

// inVPC names something in a VPC by what tells it from others there, which is known before its id is.
func inVPC(vpc, part string) string { return vpc + "/" + part }

// security makes the two groups of modules/security, whose rules name each other.
func (a *apply) security(ctx context.Context, want *module.Security, found *module.StandIns) error {
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

func (d *Deployer) deleteSubnet(ctx context.Context, r Resource) error {
	vpc, network, _ := strings.Cut(r.Name, "/")
	out, err := d.Network.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{
		{Name: aws.String("vpc-id"), Values: []string{vpc}},
		{Name: aws.String("cidr-block"), Values: []string{network}},
	}})
	if err != nil {
		return err
	}
	for _, s := range out.Subnets {
		if _, err := d.Network.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: s.SubnetId}); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deployer) deleteVPC(ctx context.Context, r Resource) error {
	_, err := d.Network.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &r.Name})
	return err
}
