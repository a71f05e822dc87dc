package ec2

import (
	"context"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// amazonPool is the address pool that is meant when a request names none.
const amazonPool = "amazon"

func (s *Service) allocateAddress(ctx context.Context, in *sdk.AllocateAddressInput) (*sdk.AllocateAddressOutput,
	error) {
	if in.Domain != "" && in.Domain != types.DomainTypeVpc {
		return nil, invalidValue("Value (%s) for parameter domain is invalid. Use vpc.", in.Domain)
	}
	if err := s.checkBorderGroup(in.NetworkBorderGroup); err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeElasticIp)
	if err != nil {
		return nil, err
	}
	var a network.Address
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		ip, err := freeAddress(tx)
		if err != nil {
			return err
		}
		if a, err = s.Builder.CreateAddress(tx, network.Address{IP: ip}); err != nil {
			return err
		}
		return network.SetTags(tx, a.ID, tags)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.AllocateAddressOutput{
		AllocationId: &a.ID, PublicIp: new(a.IP.String()), Domain: types.DomainTypeVpc, NetworkBorderGroup: &s.Region,
		PublicIpv4Pool: new(amazonPool),
	}, nil
}

// checkBorderGroup refuses groups of zones other than the region's own.
func (s *Service) checkBorderGroup(group *string) error {
	if group != nil && *group != s.Region {
		return invalidValue("Value (%s) for parameter networkBorderGroup is invalid. Use %s.", *group, s.Region)
	}
	return nil
}

// freeAddress is the first of the public block that nobody has. Its first and last addresses are not given out.
func freeAddress(tx *store.Tx) (netip.Addr, error) {
	all, err := network.In(tx, network.Addresses, func(network.Address) bool { return true })
	if err != nil {
		return netip.Addr{}, err
	}
	block := network.PublicBlock
	for ip := block.Addr().Next(); block.Contains(ip.Next()); ip = ip.Next() {
		if !slices.ContainsFunc(all, func(a network.Address) bool { return a.IP == ip }) {
			return ip, nil
		}
	}
	return netip.Addr{}, refuse("AddressLimitExceeded", "The maximum number of addresses has been reached.")
}

func (s *Service) describeAddresses(_ context.Context, in *sdk.DescribeAddressesInput) (*sdk.DescribeAddressesOutput,
	error) {
	all, err := s.allAddresses()
	if err != nil {
		return nil, err
	}
	id := func(a types.Address) string { return *a.AllocationId }
	ip := func(a types.Address) string { return *a.PublicIp }
	found, _, err := listing[types.Address]{key: ip, notFound: addressNotFound}.pick(all, request{ids: in.PublicIps})
	if err != nil {
		return nil, err
	}
	found, _, err = listing[types.Address]{key: id, filters: addressFilters(), notFound: allocationNotFound}.pick(
		found, request{ids: in.AllocationIds, filters: in.Filters})
	return &sdk.DescribeAddressesOutput{Addresses: found}, err
}

// allAddresses describes every address.
func (s *Service) allAddresses() (all []types.Address, err error) {
	err = s.Store.View(func(tx *store.Tx) error {
		gateways, err := network.NATGateways.List(tx)
		if err != nil {
			return err
		}
		all, err = describeAll(tx, network.Addresses, network.Address.RowKey,
			func(a network.Address, tags map[string]string) types.Address {
				return s.describeAddress(a, gateways, tags)
			})
		return err
	})
	return all, err
}

func (s *Service) describeAddress(a network.Address, gateways []network.NATGateway,
	tags map[string]string) types.Address {
	out := types.Address{
		AllocationId: &a.ID, PublicIp: new(a.IP.String()), Domain: types.DomainTypeVpc, NetworkBorderGroup: &s.Region,
		PublicIpv4Pool: new(amazonPool), Tags: tagList(tags),
	}
	for _, g := range gateways {
		if g.AllocationID == a.ID && g.FailureCode == "" {
			out.AssociationId, out.NetworkInterfaceId = &g.AssociationID, &g.InterfaceID
			out.NetworkInterfaceOwnerId = &s.Account
			out.PrivateIpAddress, out.SubnetId = new(g.PrivateIP.String()), &g.SubnetID
		}
	}
	return out
}

func addressFilters() filters[types.Address] {
	type address = types.Address
	return filters[address]{
		"allocation-id":              text(func(a address) *string { return a.AllocationId }),
		"association-id":             text(func(a address) *string { return a.AssociationId }),
		"domain":                     func(a address) []string { return []string{string(a.Domain)} },
		"instance-id":                text(func(a address) *string { return a.InstanceId }),
		"network-border-group":       text(func(a address) *string { return a.NetworkBorderGroup }),
		"network-interface-id":       text(func(a address) *string { return a.NetworkInterfaceId }),
		"network-interface-owner-id": text(func(a address) *string { return a.NetworkInterfaceOwnerId }),
		"private-ip-address":         text(func(a address) *string { return a.PrivateIpAddress }),
		"public-ip":                  text(func(a address) *string { return a.PublicIp }),
	}.withTags(func(a address) []types.Tag { return a.Tags })
}

// describeAddressesAttribute lists the addresses' domain names, of which none has one.
func (s *Service) describeAddressesAttribute(
	_ context.Context, in *sdk.DescribeAddressesAttributeInput,
) (*sdk.DescribeAddressesAttributeOutput, error) {
	if in.Attribute != "" && in.Attribute != types.AddressAttributeNameDomainName {
		return nil, invalidValue("Value (%s) for parameter attribute is invalid. Use domain-name.", in.Attribute)
	}
	all, err := s.allAddresses()
	if err != nil {
		return nil, err
	}
	var attributes []types.AddressAttribute
	for _, a := range all {
		attributes = append(attributes, types.AddressAttribute{AllocationId: a.AllocationId, PublicIp: a.PublicIp})
	}
	l := listing[types.AddressAttribute]{
		many: "AllocationIds",
		key:  func(a types.AddressAttribute) string { return *a.AllocationId }, notFound: allocationNotFound,
	}
	found, token, err := l.pick(attributes, request{ids: in.AllocationIds, limit: in.MaxResults, token: in.NextToken})
	return &sdk.DescribeAddressesAttributeOutput{Addresses: found, NextToken: token}, err
}

// disassociateAddress refuses whatever it is asked for: an address can be associated with a NAT gateway only, which
// keeps it.
func (s *Service) disassociateAddress(_ context.Context,
	in *sdk.DisassociateAddressInput) (*sdk.DisassociateAddressOutput, error) {
	id, ip := aws.ToString(in.AssociationId), aws.ToString(in.PublicIp)
	if (id == "") == (ip == "") {
		return nil, invalidCombination("The request must contain exactly one of associationId and publicIp.")
	}
	all, err := s.allAddresses()
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(a types.Address) bool {
		return id != "" && aws.ToString(a.AssociationId) == id || ip != "" && *a.PublicIp == ip
	})
	switch {
	case at < 0 && id != "":
		return nil, associationNotFound(id)
	case at < 0:
		return nil, addressNotFound(ip)
	case all[at].AssociationId == nil:
		return nil, invalidValue("The address '%s' is not associated.", ip)
	}
	return nil, refuse("AuthFailure", "You do not have permission to access the specified resource.")
}

func (s *Service) releaseAddress(ctx context.Context, in *sdk.ReleaseAddressInput) (*sdk.ReleaseAddressOutput, error) {
	id, ip := aws.ToString(in.AllocationId), aws.ToString(in.PublicIp)
	if (id == "") == (ip == "") {
		return nil, invalidCombination("The request must contain exactly one of allocationId and publicIp.")
	}
	if err := s.checkBorderGroup(in.NetworkBorderGroup); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		a, err := addressOf(tx, id, ip)
		if err != nil {
			return err
		}
		used, err := gatewayWith(tx, a)
		if err != nil {
			return err
		}
		if used != nil {
			return refuse("InvalidIPAddress.InUse", "Address %s is in use.", a.IP)
		}
		return network.DeleteAddress(tx, a.ID)
	})
	return &sdk.ReleaseAddressOutput{}, err
}

// addressOf finds an address by its allocation or by itself.
func addressOf(tx *store.Tx, id, ip string) (network.Address, error) {
	if id != "" {
		return find(tx, network.Addresses, id, allocationNotFound)
	}
	found, err := network.In(tx, network.Addresses, func(a network.Address) bool { return a.IP.String() == ip })
	if err != nil {
		return network.Address{}, err
	}
	if len(found) == 0 {
		return network.Address{}, addressNotFound(ip)
	}
	return found[0], nil
}
