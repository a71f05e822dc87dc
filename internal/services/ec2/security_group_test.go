package ec2_test

import (
	"strings"
	"testing"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/servicetest"
)

func TestSecurityGroupLife(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	created := must(s.CreateSecurityGroup(t.Context(), &sdk.CreateSecurityGroupInput{
		VpcId: &vpc, GroupName: new("redis (prod)"), Description: new("for the nodes"),
		TagSpecifications: specification(types.ResourceTypeSecurityGroup, tag("Name", "redis")),
	}))(t)
	arn := "arn:aws:ec2:us-east-1:123456789012:security-group/sg-2"
	wantSame(t, *created.GroupId+" "+*created.SecurityGroupArn, "sg-2 "+arn)
	wantSame(t, created.Tags, []types.Tag{tag("Name", "redis")})
	wantSame(t, must(s.DescribeSecurityGroups(t.Context(),
		&sdk.DescribeSecurityGroupsInput{GroupIds: []string{"sg-2"}}))(t).SecurityGroups,
		[]types.SecurityGroup{{
			GroupId: new("sg-2"), GroupName: new("redis (prod)"), Description: new("for the nodes"), VpcId: &vpc,
			OwnerId:          new(account),
			SecurityGroupArn: &arn, Tags: []types.Tag{tag("Name", "redis")},
			IpPermissionsEgress: []types.IpPermission{{IpProtocol: new("-1"),
				IpRanges: []types.IpRange{{CidrIp: new("0.0.0.0/0")}}}},
		}})
	deleted := must(s.DeleteSecurityGroup(t.Context(), &sdk.DeleteSecurityGroupInput{GroupId: new("sg-2")}))(t)
	wantSame(t, *deleted.GroupId, "sg-2")
	must(s.DeleteVpc(t.Context(), &sdk.DeleteVpcInput{VpcId: &vpc}))(t)
	s.wantEmptyNetwork(t)
}

// Where a request names no VPC, or a group by its name, the default VPC is meant.
func TestDefaultVPC(t *testing.T) {
	s := newServer(t)
	create := &sdk.CreateSecurityGroupInput{GroupName: new("mine"), Description: new("test")}
	servicetest.WantError(t, failure(s.CreateSecurityGroup(t.Context(), create)), "VPCIdNotSpecified",
		"No default VPC for this user")
	vpc := s.defaultVPC(t)
	s.group(t, s.vpc(t, "10.0.0.0/16"), "mine")
	group := must(s.CreateSecurityGroup(t.Context(), create))(t).GroupId
	named := must(s.DescribeSecurityGroups(t.Context(),
		&sdk.DescribeSecurityGroupsInput{GroupNames: []string{"mine"}}))(t).SecurityGroups
	if len(named) != 1 || *named[0].VpcId != vpc || *named[0].GroupId != *group {
		t.Errorf("got %v", named)
	}
	must(s.AuthorizeSecurityGroupIngress(t.Context(), &sdk.AuthorizeSecurityGroupIngressInput{
		GroupName: new("mine"), IpProtocol: new("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)),
		CidrIp: new("10.0.0.0/8"),
	}))(t)
	must(s.RevokeSecurityGroupIngress(t.Context(), &sdk.RevokeSecurityGroupIngressInput{
		GroupName: new("mine"), IpProtocol: new("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)),
		CidrIp: new("10.0.0.0/8"),
	}))(t)
	must(s.DeleteSecurityGroup(t.Context(), &sdk.DeleteSecurityGroupInput{GroupName: new("mine")}))(t)
	servicetest.WantError(t, failure(s.DeleteSecurityGroup(t.Context(),
		&sdk.DeleteSecurityGroupInput{GroupName: new("mine")})),
		"InvalidGroup.NotFound", "The security group 'mine' does not exist in default VPC '"+vpc+"'")
}

func TestSecurityGroupRefusals(t *testing.T) {
	s := newServer(t)
	vpc := s.vpc(t, "10.0.0.0/16")
	mine, other, used := s.group(t, vpc, "mine"), s.group(t, vpc, "other"), s.group(t, vpc, "used")
	s.users[used] = "the replication group cache"
	must(s.AuthorizeSecurityGroupIngress(t.Context(), &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: &other, IpPermissions: []types.IpPermission{tcp(6379, peer(mine))},
	}))(t)
	create := func(name, description string) error {
		return failure(s.CreateSecurityGroup(t.Context(),
			&sdk.CreateSecurityGroupInput{VpcId: &vpc, GroupName: &name, Description: &description}))
	}
	remove := func(id string) error {
		return failure(s.DeleteSecurityGroup(t.Context(), &sdk.DeleteSecurityGroupInput{GroupId: &id}))
	}
	const set = " is invalid. It has at most 255 characters of a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*"
	long := strings.Repeat("x", 256)
	checkRefusals(t, []refusal{
		{"taken", create("mine", "x"), "InvalidGroup.Duplicate",
			"The security group 'mine' already exists for VPC 'vpc-1'"},
		{"reserved", create("default", "x"), "InvalidParameterValue",
			"Cannot use reserved security group name: default"},
		{"like an id", create("SG-1", "x"), "InvalidParameterValue",
			"Value (SG-1) for parameter GroupName is invalid. Group names may not be in the format sg-*"},
		{"characters", create("mine?", "x"), "InvalidParameterValue", "Value (mine?) for parameter GroupName" + set},
		{"long", create(long, "x"), "InvalidParameterValue", "Value (" + long + ") for parameter GroupName" + set},
		{"description", create("new", "für"), "InvalidParameterValue", "Value (für) for parameter GroupDescription" +
			set},
		{"no description", create("new", ""), "MissingParameter",
			"The request must contain the parameter GroupDescription"},
		{"unknown VPC", failure(s.CreateSecurityGroup(t.Context(), &sdk.CreateSecurityGroupInput{
			VpcId: new("vpc-9"), GroupName: new("x"), Description: new("x"),
		})), "InvalidVpcID.NotFound", "The vpc ID 'vpc-9' does not exist"},
		{"describe unknown", failure(s.DescribeSecurityGroups(t.Context(),
			&sdk.DescribeSecurityGroupsInput{GroupIds: []string{"sg-9"}})),
			"InvalidGroup.NotFound", "The security group 'sg-9' does not exist"},
		{"delete unknown", remove("sg-9"), "InvalidGroup.NotFound", "The security group 'sg-9' does not exist"},
		{"delete none", failure(s.DeleteSecurityGroup(t.Context(), &sdk.DeleteSecurityGroupInput{})),
			"MissingParameter",
			"The request must contain the parameter GroupName or GroupId"},
		{"delete the default", remove("sg-1"), "CannotDelete",
			`the specified group: "sg-1" name: "default" cannot be deleted by a user`},
		{"delete a peer", remove(mine), "DependencyViolation", "resource sg-2 has a dependent object"},
		{"delete used", remove(used), "DependencyViolation", "resource sg-4 has a dependent object"},
	})
	if err := remove(other); err != nil {
		t.Error(err)
	}
	if err := remove(mine); err != nil {
		t.Errorf("with its last peer gone: %v", err)
	}
}
