// Package ec2 serves the part of the EC2 API that concerns networks: VPCs, subnets, security groups, route tables,
// network ACLs, gateways and addresses. They are records; nothing is routed or filtered by them.
package ec2

import (
	"context"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/network"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Account, Region string
	Builder         network.Builder
	Users           Users
	Now             func() time.Time
}

// Users knows who outside of the network stands on it.
type Users interface {
	// SubnetUser says what uses a subnet, such as "the cache subnet group data", or nothing.
	SubnetUser(tx *store.Tx, id string) (string, error)
	// SecurityGroupUser says what uses a security group, or nothing.
	SecurityGroupUser(tx *store.Tx, id string) (string, error)
}

// Service answers the EC2 API.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	var actions []gateway.Action
	for _, part := range [][]gateway.Action{
		s.vpcActions(), s.subnetActions(), s.groupActions(), s.ruleActions(), s.tagActions(),
		s.routeActions(), s.aclActions(), s.gatewayActions(), s.addressActions(),
	} {
		actions = append(actions, part...)
	}
	return gateway.Service{Shapes: awswire.EC2(), Front: front(), Audit: audit.Log{Store: s.Store}, Actions: actions}
}

// Why parts of the API are not served.
const (
	ipv4Only     = "the network has IPv4 addresses only"
	noIPAM       = "address pools are not served. Use CidrBlock"
	noEncryption = "traffic between instances is not encrypted by the network"
	noOutposts   = "there are no Outposts on this machine"
	noPrefixList = "prefix lists are not served. Use an address range"
	noPeering    = "VPC peering is not served"
	byID         = "a rule's group is given by its id. Use IpPermissions"
	flat         = "EC2 does not serve it either. Use IpPermissions"
)

func (s *Service) vpcActions() []gateway.Action {
	return []gateway.Action{
		handle("DescribeAvailabilityZones", gateway.List, s.describeZones),
		handle("DescribeRegions", gateway.List, s.describeRegions),
		handle("CreateVpc", gateway.Write, s.createVPC,
			gateway.Only("AmazonProvidedIpv6CidrBlock", ipv4Only, "false"), gateway.Refuse("Ipv6CidrBlock", ipv4Only),
			gateway.Refuse("Ipv6CidrBlockNetworkBorderGroup", ipv4Only), gateway.Refuse("Ipv6Pool", ipv4Only),
			gateway.Refuse("Ipv4IpamPoolId", noIPAM), gateway.Refuse("Ipv4NetmaskLength", noIPAM),
			gateway.Refuse("Ipv6IpamPoolId", noIPAM), gateway.Refuse("Ipv6NetmaskLength", noIPAM),
			gateway.Refuse("VpcEncryptionControl", noEncryption)),
		handle("DescribeVpcs", gateway.List, s.describeVPCs),
		handle("DeleteVpc", gateway.Write, s.deleteVPC),
		handle("ModifyVpcAttribute", gateway.Write, s.modifyVPCAttribute),
		handle("DescribeVpcAttribute", gateway.Read, s.describeVPCAttribute),
	}
}

func (s *Service) subnetActions() []gateway.Action {
	return []gateway.Action{
		handle("CreateSubnet", gateway.Write, s.createSubnet,
			gateway.Refuse("Ipv4IpamPoolId", noIPAM), gateway.Refuse("Ipv4NetmaskLength", noIPAM),
			gateway.Refuse("Ipv6CidrBlock", ipv4Only), gateway.Refuse("Ipv6IpamPoolId", noIPAM),
			gateway.Only("Ipv6Native", ipv4Only, "false"), gateway.Refuse("Ipv6NetmaskLength", noIPAM),
			gateway.Refuse("OutpostArn", noOutposts)),
		handle("DescribeSubnets", gateway.List, s.describeSubnets),
		handle("DeleteSubnet", gateway.Write, s.deleteSubnet),
		handle("ModifySubnetAttribute", gateway.Write, s.modifySubnetAttribute,
			gateway.Refuse("AssignIpv6AddressOnCreation", ipv4Only), gateway.Refuse("EnableDns64", ipv4Only),
			gateway.Refuse("CustomerOwnedIpv4Pool", noOutposts), gateway.Refuse("MapCustomerOwnedIpOnLaunch",
				noOutposts),
			gateway.Refuse("EnableLniAtDeviceIndex", noOutposts), gateway.Refuse("DisableLniAtDeviceIndex",
				noOutposts)),
		handle("DescribeNetworkInterfaces", gateway.List, s.describeInterfaces),
	}
}

func (s *Service) groupActions() []gateway.Action {
	return []gateway.Action{
		handle("CreateSecurityGroup", gateway.Write, s.createSecurityGroup),
		handle("DescribeSecurityGroups", gateway.List, s.describeSecurityGroups),
		handle("DeleteSecurityGroup", gateway.Write, s.deleteSecurityGroup),
	}
}

func (s *Service) ruleActions() []gateway.Action {
	return []gateway.Action{
		handle("AuthorizeSecurityGroupIngress", gateway.Write, s.authorizeIngress, onPermissions(namedSource()...)...),
		handle("AuthorizeSecurityGroupEgress", gateway.Write, s.authorizeEgress, onPermissions(flatEgress()...)...),
		handle("RevokeSecurityGroupIngress", gateway.Write, s.revokeIngress, onPermissions(namedSource()...)...),
		handle("RevokeSecurityGroupEgress", gateway.Write, s.revokeEgress, onPermissions(flatEgress()...)...),
		handle("UpdateSecurityGroupRuleDescriptionsIngress", gateway.Write, s.redescribeIngress, onPermissions()...),
		handle("UpdateSecurityGroupRuleDescriptionsEgress", gateway.Write, s.redescribeEgress, onPermissions()...),
		handle("DescribeSecurityGroupRules", gateway.List, s.describeRules),
		handle("ModifySecurityGroupRules", gateway.Write, s.modifyRules,
			gateway.Refuse("SecurityGroupRules.SecurityGroupRule.PrefixListId", noPrefixList)),
	}
}

func (s *Service) tagActions() []gateway.Action {
	return []gateway.Action{
		handle("CreateTags", gateway.Tagging, s.createTags),
		handle("DeleteTags", gateway.Tagging, s.deleteTags),
		handle("DescribeTags", gateway.List, s.describeTags),
	}
}

// onPermissions adds what is not served of IpPermissions.
func onPermissions(more ...gateway.Refusal) []gateway.Refusal {
	return append(more,
		gateway.Refuse("IpPermissions.PrefixListIds", noPrefixList),
		gateway.Refuse("IpPermissions.UserIdGroupPairs.GroupName", byID),
		gateway.Refuse("IpPermissions.UserIdGroupPairs.PeeringStatus", noPeering),
		gateway.Refuse("IpPermissions.UserIdGroupPairs.VpcId", noPeering),
		gateway.Refuse("IpPermissions.UserIdGroupPairs.VpcPeeringConnectionId", noPeering))
}

// namedSource is the way to name a rule's group that came before VPCs.
func namedSource() []gateway.Refusal {
	return []gateway.Refusal{gateway.Refuse("SourceSecurityGroupName", byID),
		gateway.Refuse("SourceSecurityGroupOwnerId", byID)}
}

// flatEgress is what EC2's model has outside of IpPermissions and EC2 does not take.
func flatEgress() []gateway.Refusal {
	var refusals []gateway.Refusal
	for _, field := range []string{"CidrIp", "FromPort", "IpProtocol", "ToPort", "SourceSecurityGroupName",
		"SourceSecurityGroupOwnerId"} {
		refusals = append(refusals, gateway.Refuse(field, flat))
	}
	return refusals
}

// handle is gateway.Handle for an action that may be asked for as a dry run: everybody may do everything, so that the
// answer is always that it would have succeeded.
func handle[I, O any](name string, access gateway.Access, f func(context.Context, *I) (*O, error),
	refusals ...gateway.Refusal) gateway.Action {
	return gateway.Handle(name, access, func(ctx context.Context, in *I) (*O, error) {
		if isDryRun(in) {
			return nil, refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
		}
		return f(ctx, in)
	}, refusals...)
}

// isDryRun reads the member of that name, which every input has but those that modify an attribute.
func isDryRun(in any) bool {
	member := reflect.ValueOf(in).Elem().FieldByName("DryRun")
	if !member.IsValid() {
		return false
	}
	set, ok := member.Interface().(*bool)
	return ok && aws.ToBool(set)
}
