// Command shapegen reads the AWS SDK's generated (de)serializers and writes the
// facts about each service's wire shapes as Go tables beside package awswire.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// service is one table to generate.
type service struct {
	module    string // the SDK module's last path element
	function  string // the Go function that returns the table
	namespace string // awsQuery and ec2Query only: the SDK does not say it, the service's WSDL and API reference do
	// target stands before the operation in awsJson's X-Amz-Target, of a service that the SDK asks in awsQuery and
	// others in awsJson too. The service's model says it.
	target string
	// operations are those whose structures the table is to know; none means all.
	operations []string
}

var services = []service{
	{module: "cloudwatch", function: "CloudWatch", namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
		target: "GraniteServiceVersion20100801"},
	{module: "cloudwatchlogs", function: "CloudWatchLogs"},
	{module: "ec2", function: "EC2", namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", operations: vpcOperations},
	{module: "elasticache", function: "ElastiCache", namespace: "http://elasticache.amazonaws.com/doc/2015-02-02/"},
	{module: "kms", function: "KMS"},
	{module: "secretsmanager", function: "SecretsManager"},
	{module: "sns", function: "SNS", namespace: "http://sns.amazonaws.com/doc/2010-03-31/"},
	{module: "sts", function: "STS", namespace: "https://sts.amazonaws.com/doc/2011-06-15/"},
}

// vpcOperations are the part of EC2 that concerns networks: the whole has more
// than ten thousand fields.
var vpcOperations = []string{
	"AllocateAddress",
	"AssociateRouteTable",
	"AttachInternetGateway",
	"AuthorizeSecurityGroupEgress",
	"AuthorizeSecurityGroupIngress",
	"CreateInternetGateway",
	"CreateNatGateway",
	"CreateNetworkAcl",
	"CreateNetworkAclEntry",
	"CreateRoute",
	"CreateRouteTable",
	"CreateSecurityGroup",
	"CreateSubnet",
	"CreateTags",
	"CreateVpc",
	"DeleteInternetGateway",
	"DeleteNatGateway",
	"DeleteNetworkAcl",
	"DeleteNetworkAclEntry",
	"DeleteRoute",
	"DeleteRouteTable",
	"DeleteSecurityGroup",
	"DeleteSubnet",
	"DeleteTags",
	"DeleteVpc",
	"DescribeAddresses",
	"DescribeAddressesAttribute",
	"DescribeAvailabilityZones",
	"DescribeInternetGateways",
	"DescribeNatGateways",
	"DescribeNetworkAcls",
	"DescribeNetworkInterfaces",
	"DescribeRegions",
	"DescribeRouteTables",
	"DescribeSecurityGroupRules",
	"DescribeSecurityGroups",
	"DescribeSubnets",
	"DescribeTags",
	"DescribeVpcAttribute",
	"DescribeVpcs",
	"DetachInternetGateway",
	"DisassociateAddress",
	"DisassociateRouteTable",
	"ModifySecurityGroupRules",
	"ModifySubnetAttribute",
	"ModifyVpcAttribute",
	"ReleaseAddress",
	"ReplaceNetworkAclAssociation",
	"ReplaceNetworkAclEntry",
	"ReplaceRoute",
	"ReplaceRouteTableAssociation",
	"RevokeSecurityGroupEgress",
	"RevokeSecurityGroupIngress",
	"UpdateSecurityGroupRuleDescriptionsEgress",
	"UpdateSecurityGroupRuleDescriptionsIngress",
}

// file is the generated file's name.
func (s service) file() string { return s.module + "_gen.go" }

func main() {
	// go generate runs a command in the directory of the file that names it.
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "shapegen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	for _, s := range services {
		src, err := generate(s)
		if err != nil {
			return fmt.Errorf("%s: %v", s.module, err)
		}
		if err := os.WriteFile(filepath.Join(dir, s.file()), src, 0o644); err != nil {
			return err
		}
	}
	return writeEC2(filepath.Join(dir, ec2Subset))
}

// writeEC2 writes the subset of the EC2 client to a directory.
func writeEC2(dir string) error {
	files, err := generateEC2()
	if err != nil {
		return fmt.Errorf("the EC2 client: %v", err)
	}
	for name, source := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the Go source of a service's table.
func generate(s service) ([]byte, error) {
	m, err := openModule(s.module)
	if err != nil {
		return nil, err
	}
	shapes, err := m.shapes(s.operations)
	if err != nil {
		return nil, err
	}
	shapes.Namespace = s.namespace
	if s.target != "" {
		shapes.TargetPrefix = s.target
	}
	return emit(s.function, m.path, shapes)
}
