package ec2

import (
	"context"
	"fmt"
	"strconv"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// reservedAddresses are those of each subnet that AWS keeps: the first four and the last.
const reservedAddresses = 5

func (s *Service) createSubnet(ctx context.Context, in *sdk.CreateSubnetInput) (*sdk.CreateSubnetOutput, error) {
	vpcID, err := required("vpcId", in.VpcId)
	if err != nil {
		return nil, err
	}
	n := network.Subnet{VPCID: vpcID, HostnameType: string(types.HostnameTypeIpName)}
	if n.CIDR, err = parseBlock(in.CidrBlock); err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeSubnet)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		siblings, err := admitSubnet(tx, n)
		if err != nil {
			return err
		}
		if n.Zone, err = s.chooseZone(in.AvailabilityZone, in.AvailabilityZoneId, siblings); err != nil {
			return err
		}
		if n, err = s.Builder.CreateSubnet(tx, n); err != nil {
			return err
		}
		return network.SetTags(tx, n.ID, tags)
	})
	if err != nil {
		return nil, err
	}
	made := s.describeSubnet(n, tags)
	made.BlockPublicAccessStates = nil // as in AWS's answer, which says less than a description
	if len(tags) == 0 {
		made.Tags = nil
	}
	return &sdk.CreateSubnetOutput{Subnet: &made}, nil
}

// admitSubnet checks a new subnet against its VPC, and returns the VPC's others.
func admitSubnet(tx *store.Tx, n network.Subnet) ([]network.Subnet, error) {
	v, err := find(tx, network.VPCs, n.VPCID, vpcNotFound)
	if err != nil {
		return nil, err
	}
	if n.CIDR.Bits() > smallestBlock || n.CIDR.Bits() < v.CIDR.Bits() || !v.CIDR.Contains(n.CIDR.Addr()) {
		return nil, refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", n.CIDR)
	}
	siblings, err := network.In(tx, network.Subnets, func(s network.Subnet) bool { return s.VPCID == n.VPCID })
	if err != nil {
		return nil, err
	}
	for _, other := range siblings {
		if other.CIDR.Overlaps(n.CIDR) {
			return nil, refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", n.CIDR)
		}
	}
	return siblings, nil
}

func (s *Service) describeSubnets(_ context.Context, in *sdk.DescribeSubnetsInput) (*sdk.DescribeSubnetsOutput, error) {
	var all []types.Subnet
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = describeAll(tx, network.Subnets, func(n network.Subnet) string { return n.ID }, s.describeSubnet)
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.Subnet]{many: "SubnetIds", key: func(n types.Subnet) string { return *n.SubnetId },
		filters:  subnetFilters(),
		notFound: subnetNotFound}
	subnets, token, err := l.pick(all, request{in.SubnetIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeSubnetsOutput{Subnets: subnets, NextToken: token}, err
}

func (s *Service) describeSubnet(n network.Subnet, tags map[string]string) types.Subnet {
	return types.Subnet{
		SubnetId: &n.ID, SubnetArn: new(s.arn("subnet", n.ID)), VpcId: &n.VPCID, OwnerId: &s.Account,
		State:            types.SubnetStateAvailable,
		AvailabilityZone: &n.Zone, AvailabilityZoneId: new(s.zoneID(n.Zone)), CidrBlock: new(n.CIDR.String()),
		AvailableIpAddressCount: new(int32(1)<<(32-n.CIDR.Bits()) - reservedAddresses),
		DefaultForAz:            &n.DefaultForZone, MapPublicIpOnLaunch: &n.MapPublicIP,
		MapCustomerOwnedIpOnLaunch:  new(false),
		AssignIpv6AddressOnCreation: new(false), Ipv6Native: new(false), EnableDns64: new(false),
		PrivateDnsNameOptionsOnLaunch: &types.PrivateDnsNameOptionsOnLaunch{
			HostnameType: types.HostnameType(n.HostnameType), EnableResourceNameDnsARecord: &n.NameARecord,
			EnableResourceNameDnsAAAARecord: &n.NameAAAARecord,
		},
		BlockPublicAccessStates: &types.BlockPublicAccessStates{InternetGatewayBlockMode: types.BlockPublicAccessModeOff},
		Tags:                    tagList(tags),
	}
}

// arn names a resource of this account.
func (s *Service) arn(resource, id string) string {
	return fmt.Sprintf("arn:aws:ec2:%s:%s:%s/%s", s.Region, s.Account, resource, id)
}

func subnetFilters() filters[types.Subnet] {
	type subnet = types.Subnet
	names := func(n subnet) types.PrivateDnsNameOptionsOnLaunch { return *n.PrivateDnsNameOptionsOnLaunch }
	return filters[subnet]{
		"availability-zone":    text(func(n subnet) *string { return n.AvailabilityZone }),
		"availability-zone-id": text(func(n subnet) *string { return n.AvailabilityZoneId }),
		"available-ip-address-count": func(n subnet) []string {
			return []string{strconv.Itoa(int(*n.AvailableIpAddressCount))}
		},
		"cidr-block":                      text(func(n subnet) *string { return n.CidrBlock }),
		"default-for-az":                  truth(func(n subnet) *bool { return n.DefaultForAz }),
		"enable-dns64":                    truth(func(n subnet) *bool { return n.EnableDns64 }),
		"ipv6-native":                     truth(func(n subnet) *bool { return n.Ipv6Native }),
		"map-customer-owned-ip-on-launch": truth(func(n subnet) *bool { return n.MapCustomerOwnedIpOnLaunch }),
		"map-public-ip-on-launch":         truth(func(n subnet) *bool { return n.MapPublicIpOnLaunch }),
		"owner-id":                        text(func(n subnet) *string { return n.OwnerId }),
		"private-dns-name-options-on-launch.hostname-type": func(n subnet) []string {
			return []string{string(names(n).HostnameType)}
		},
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record": truth(func(n subnet) *bool {
			return names(n).EnableResourceNameDnsARecord
		}),
		"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": truth(func(n subnet) *bool {
			return names(n).EnableResourceNameDnsAAAARecord
		}),
		"state":      func(n subnet) []string { return []string{string(n.State)} },
		"subnet-arn": text(func(n subnet) *string { return n.SubnetArn }),
		"subnet-id":  text(func(n subnet) *string { return n.SubnetId }),
		"vpc-id":     text(func(n subnet) *string { return n.VpcId }),
	}.also("availability-zone", "availabilityZone").also("availability-zone-id", "availabilityZoneId").
		also("cidr-block", "cidr", "cidrBlock").also("default-for-az", "defaultForAz").
		withTags(func(n subnet) []types.Tag { return n.Tags })
}

func (s *Service) deleteSubnet(ctx context.Context, in *sdk.DeleteSubnetInput) (*sdk.DeleteSubnetOutput, error) {
	id, err := required("subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, network.Subnets, id, subnetNotFound); err != nil && !store.IsUnreadable(err) {
			return err
		}
		user, err := s.Users.SubnetUser(tx, id)
		if err != nil {
			return err
		}
		gateways, err := hasSome(tx, network.NATGateways, func(g network.NATGateway) bool { return g.SubnetID == id })
		if err != nil {
			return err
		}
		if user != "" || gateways {
			return refuse("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", id)
		}
		return network.DeleteSubnet(tx, id)
	})
	return &sdk.DeleteSubnetOutput{}, err
}

func (s *Service) modifySubnetAttribute(
	ctx context.Context, in *sdk.ModifySubnetAttributeInput,
) (*sdk.ModifySubnetAttributeOutput, error) {
	id, err := required("subnetId", in.SubnetId)
	if err != nil {
		return nil, err
	}
	given := count(in.MapPublicIpOnLaunch, in.EnableResourceNameDnsARecordOnLaunch,
		in.EnableResourceNameDnsAAAARecordOnLaunch)
	hostname := in.PrivateDnsHostnameTypeOnLaunch
	if hostname != "" {
		given++
	}
	switch {
	case given != 1:
		return nil, invalidCombination("The request gives %d attributes. Modify one attribute at a time.", given)
	case hostname != "" && hostname != types.HostnameTypeIpName && hostname != types.HostnameTypeResourceName:
		return nil, invalidValue("Value (%s) for parameter PrivateDnsHostnameTypeOnLaunch is invalid. Use ip-name or "+
			"resource-name.", hostname)
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		n, err := find(tx, network.Subnets, id, subnetNotFound)
		if err != nil {
			return err
		}
		set(&n.MapPublicIP, in.MapPublicIpOnLaunch)
		set(&n.NameARecord, in.EnableResourceNameDnsARecordOnLaunch)
		set(&n.NameAAAARecord, in.EnableResourceNameDnsAAAARecordOnLaunch)
		if hostname != "" {
			n.HostnameType = string(hostname)
		}
		return network.Subnets.Put(tx, id, n)
	})
	return &sdk.ModifySubnetAttributeOutput{}, err
}
