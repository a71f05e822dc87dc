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
