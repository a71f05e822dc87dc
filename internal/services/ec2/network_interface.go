package ec2

import (
	"context"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
)

// describeInterfaces lists nothing: a node is a process with addresses of this machine, and nothing else is in the
// network. IncludeManagedResources changes nothing for the same reason.
func (s *Service) describeInterfaces(
	_ context.Context, in *sdk.DescribeNetworkInterfacesInput,
) (*sdk.DescribeNetworkInterfacesOutput, error) {
	l := listing[types.NetworkInterface]{
		many:    "NetworkInterfaceIds",
		key:     func(i types.NetworkInterface) string { return *i.NetworkInterfaceId },
		filters: interfaceFilters(), notFound: interfaceNotFound,
	}
	found, token, err := l.pick(nil, request{in.NetworkInterfaceIds, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeNetworkInterfacesOutput{NetworkInterfaces: found, NextToken: token}, err
}

func interfaceFilters() filters[types.NetworkInterface] {
	type nic = types.NetworkInterface
	attachment := func(get func(types.NetworkInterfaceAttachment) *string) func(nic) []string {
		return func(i nic) []string {
			if i.Attachment == nil {
				return nil
			}
			return text(get)(*i.Attachment)
		}
	}
	return filters[nic]{
		"attachment.attachment-id": attachment(func(a types.NetworkInterfaceAttachment) *string {
			return a.AttachmentId
		}),
		"attachment.instance-id": attachment(func(a types.NetworkInterfaceAttachment) *string { return a.InstanceId }),
		"attachment.instance-owner-id": attachment(func(a types.NetworkInterfaceAttachment) *string {
			return a.InstanceOwnerId
		}),
		"attachment.status": attachment(func(a types.NetworkInterfaceAttachment) *string {
			return (*string)(
				&a.Status)
		}),
		"availability-zone": text(func(i nic) *string { return i.AvailabilityZone }),
		"description":       text(func(i nic) *string { return i.Description }),
		"group-id": each(func(i nic) []types.GroupIdentifier { return i.Groups },
			text(func(g types.GroupIdentifier) *string { return g.GroupId })),
		"group-name": each(func(i nic) []types.GroupIdentifier { return i.Groups },
			text(func(g types.GroupIdentifier) *string { return g.GroupName })),
		"interface-type":       func(i nic) []string { return []string{string(i.InterfaceType)} },
		"mac-address":          text(func(i nic) *string { return i.MacAddress }),
		"network-interface-id": text(func(i nic) *string { return i.NetworkInterfaceId }),
		"owner-id":             text(func(i nic) *string { return i.OwnerId }),
		"private-dns-name":     text(func(i nic) *string { return i.PrivateDnsName }),
		"private-ip-address":   text(func(i nic) *string { return i.PrivateIpAddress }),
		"requester-id":         text(func(i nic) *string { return i.RequesterId }),
		"requester-managed":    truth(func(i nic) *bool { return i.RequesterManaged }),
		"source-dest-check":    truth(func(i nic) *bool { return i.SourceDestCheck }),
		"status":               func(i nic) []string { return []string{string(i.Status)} },
		"subnet-id":            text(func(i nic) *string { return i.SubnetId }),
		"vpc-id":               text(func(i nic) *string { return i.VpcId }),
	}.withTags(func(i nic) []types.Tag { return i.TagSet })
}
