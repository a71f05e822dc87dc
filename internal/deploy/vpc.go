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

// vpc is the kind of the VPC of modules/vpc, which its around makes together with the subnets.
type vpc struct{ companion }

func (vpc) name() string { return vpcKind }

// companions makes the VPC of modules/vpc and its subnets, or what of them is missing. A VPC has no name that finds it:
// the one of an earlier apply is known by its id.
func (vpc) companions(ctx context.Context, a *apply, m module.Companions, found *module.StandIns) error {
	want := m.VPC
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

func (vpc) delete(ctx context.Context, d *Deployer, r Resource) error {
	_, err := d.Network.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: &r.Name})
	return err
}

func (vpc) marked(ctx context.Context, d *Deployer, mark string) ([]string, error) {
	out, err := d.Network.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{
		{Name: aws.String("tag:" + markTag), Values: []string{mark}},
	}})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, v := range out.Vpcs {
		ids = append(ids, *v.VpcId)
	}
	return ids, nil
}

// subnet is the kind of the subnets of modules/vpc.
type subnet struct{ companion }

func (subnet) name() string { return subnetKind }

func (subnet) delete(ctx context.Context, d *Deployer, r Resource) error {
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
			return "", fmt.Errorf("availability_zones: larder cannot move the subnet %s from %s to %s: set it back, or "+
				"destroy and bring up again", id, zone, want.Zone)
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
