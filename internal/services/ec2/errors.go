package ec2

import (
	"fmt"

	"github.com/aws/smithy-go"
)

// refuse makes an API error. The SDK has no types for EC2's.
func refuse(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func invalidValue(format string, args ...any) error {
	return refuse("InvalidParameterValue", format, args...)
}

func invalidCombination(format string, args ...any) error {
	return refuse("InvalidParameterCombination", format, args...)
}

// missing says that the request lacks a parameter.
func missing(parameter string) error {
	return refuse("MissingParameter", "The request must contain the parameter %s", parameter)
}

// required reads a parameter that must be there.
func required(parameter string, value *string) (string, error) {
	if value == nil || *value == "" {
		return "", missing(parameter)
	}
	return *value, nil
}

func vpcNotFound(id string) error {
	return refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
}

func subnetNotFound(id string) error {
	return refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
}

func groupNotFound(id string) error {
	return refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
}

func ruleNotFound(id string) error {
	return refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
}

func aclNotFound(id string) error {
	return refuse("InvalidNetworkAclID.NotFound", "The networkAcl ID '%s' does not exist", id)
}

func routeTableNotFound(id string) error {
	return refuse("InvalidRouteTableID.NotFound", "The routeTable ID '%s' does not exist", id)
}

func interfaceNotFound(id string) error {
	return refuse("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", id)
}

func gatewayNotFound(id string) error {
	return refuse("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", id)
}

func internetGatewayNotFound(id string) error {
	return refuse("InvalidInternetGatewayID.NotFound", "The internetGateway ID '%s' does not exist", id)
}

func natGatewayNotFound(id string) error {
	return refuse("NatGatewayNotFound", "The Nat Gateway %s was not found", id)
}

// natTargetNotFound is the error for a route's target. EC2 has two codes for a NAT gateway that is not there.
func natTargetNotFound(id string) error {
	return refuse("InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", id)
}

func allocationNotFound(id string) error {
	return refuse("InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist", id)
}

func addressNotFound(ip string) error {
	return refuse("InvalidAddress.NotFound", "Address '%s' not found.", ip)
}

func associationNotFound(id string) error {
	return refuse("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id)
}
