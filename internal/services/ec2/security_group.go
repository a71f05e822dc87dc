package ec2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

func (s *Service) createSecurityGroup(
	ctx context.Context, in *sdk.CreateSecurityGroupInput,
) (*sdk.CreateSecurityGroupOutput, error) {
	name, err := groupText("GroupName", in.GroupName)
	if err != nil {
		return nil, err
	}
	description, err := groupText("GroupDescription", in.Description)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(strings.ToLower(name), "sg-"):
		return nil, invalidValue("Value (%s) for parameter GroupName is invalid. Group names may not be in the format sg-*",
			name)
	case name == network.DefaultGroup:
		return nil, invalidValue("Cannot use reserved security group name: %s", name)
	}
	tags, err := newTags(in.TagSpecifications, types.ResourceTypeSecurityGroup)
	if err != nil {
		return nil, err
	}
	g := network.SecurityGroup{Name: name, Description: description}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if g.VPCID, err = vpcOf(tx, in.VpcId); err != nil {
			return err
		}
		if err := admitGroup(tx, g); err != nil {
			return err
		}
		if g, err = s.Builder.CreateSecurityGroup(tx, g); err != nil {
			return err
		}
		return network.SetTags(tx, g.ID, tags)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.CreateSecurityGroupOutput{GroupId: &g.ID, SecurityGroupArn: new(s.arn("security-group", g.ID)),
		Tags: tagList(tags)}, nil
}

// maxGroupText is the length of a group's name or description, and of a rule's description.
const maxGroupText = 255

// groupText reads a name or a description.
func groupText(parameter string, given *string) (string, error) {
	value, err := required(parameter, given)
	if err == nil && !plain(value) {
		err = invalidValue("Value (%s) for parameter %s is invalid. It has at most %d characters of a-z, A-Z, 0-9, spaces, "+
			"and ._-:/()#,@[]+=&;{}!$*",
			value, parameter, maxGroupText)
	}
	return value, err
}

func plain(s string) bool {
	return len(s) <= maxGroupText && !strings.ContainsFunc(s, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(" ._-:/()#,@[]+=&;{}!$*", r)
	})
}

// vpcOf is the VPC that a request names, or the default one.
func vpcOf(tx *store.Tx, id *string) (string, error) {
	if id == nil || *id == "" {
		v, err := defaultVPC(tx)
		return v.ID, err
	}
	v, err := find(tx, network.VPCs, *id, vpcNotFound)
	return v.ID, err
}

// admitGroup refuses a name that another group of the VPC has.
func admitGroup(tx *store.Tx, g network.SecurityGroup) error {
	same, err := network.In(tx, network.SecurityGroups, func(other network.SecurityGroup) bool {
		return other.VPCID == g.VPCID && other.Name == g.Name
	})
	if err == nil && len(same) > 0 {
		err = refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", g.Name, g.VPCID)
	}
	return err
}

// groupOf finds the group that a request names by its id, or by a name in the default VPC.
func groupOf(tx *store.Tx, id, name *string) (network.SecurityGroup, error) {
	if id != nil && *id != "" {
		return find(tx, network.SecurityGroups, *id, groupNotFound)
	}
	if name == nil || *name == "" {
		return network.SecurityGroup{}, missing("GroupName or GroupId")
	}
	v, err := defaultVPC(tx)
	if err != nil {
		return network.SecurityGroup{}, err
	}
	named, err := network.SecurityGroups.List(tx)
	if err != nil {
		return network.SecurityGroup{}, err
	}
	named = slices.DeleteFunc(named, func(g network.SecurityGroup) bool { return g.VPCID != v.ID || g.Name != *name })
	if len(named) == 0 {
		return network.SecurityGroup{}, refuse("InvalidGroup.NotFound",
			"The security group '%s' does not exist in default VPC '%s'", *name, v.ID)
	}
	return named[0], nil
}

func (s *Service) describeSecurityGroups(
	_ context.Context, in *sdk.DescribeSecurityGroupsInput,
) (*sdk.DescribeSecurityGroupsOutput, error) {
	var all []types.SecurityGroup
	ids := slices.Clone(in.GroupIds)
	err := s.Store.View(func(tx *store.Tx) error {
		for _, name := range in.GroupNames {
			g, err := groupOf(tx, nil, &name)
			if err != nil {
				return err
			}
			ids = append(ids, g.ID)
		}
		rules, err := network.Rules.List(tx)
		if err != nil {
			return err
		}
		all, err = describeAll(tx, network.SecurityGroups, func(g network.SecurityGroup) string { return g.ID },
			func(g network.SecurityGroup, tags map[string]string) types.SecurityGroup {
				return s.describeGroup(g, rules, tags)
			})
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.SecurityGroup]{many: "GroupIds", key: func(g types.SecurityGroup) string { return *g.GroupId },
		filters: groupFilters(), notFound: groupNotFound}
	groups, token, err := l.pick(all, request{ids, in.Filters, in.MaxResults, in.NextToken})
	return &sdk.DescribeSecurityGroupsOutput{SecurityGroups: groups, NextToken: token}, err
}

func (s *Service) describeGroup(
	g network.SecurityGroup, rules []network.Rule, tags map[string]string,
) types.SecurityGroup {
	of := func(egress bool) []types.IpPermission {
		return s.permissions(slices.DeleteFunc(slices.Clone(rules),
			func(r network.Rule) bool { return r.GroupID != g.ID || r.Egress != egress }))
	}
	return types.SecurityGroup{
		GroupId: &g.ID, GroupName: &g.Name, Description: &g.Description, VpcId: &g.VPCID, OwnerId: &s.Account,
		SecurityGroupArn: new(s.arn("security-group", g.ID)), IpPermissions: of(false), IpPermissionsEgress: of(true),
		Tags: tagList(tags),
	}
}

func groupFilters() filters[types.SecurityGroup] {
	type group = types.SecurityGroup
	f := filters[group]{
		"description": text(func(g group) *string { return g.Description }),
		"group-id":    text(func(g group) *string { return g.GroupId }),
		"group-name":  text(func(g group) *string { return g.GroupName }),
		"owner-id":    text(func(g group) *string { return g.OwnerId }),
		"vpc-id":      text(func(g group) *string { return g.VpcId }),
	}.withTags(func(g group) []types.Tag { return g.Tags })
	for name, look := range permissionFilters() {
		f["ip-permission."+name] = each(func(g group) []types.IpPermission { return g.IpPermissions }, look)
		f["egress.ip-permission."+name] = each(func(g group) []types.IpPermission { return g.IpPermissionsEgress },
			look)
	}
	return f
}

func permissionFilters() filters[types.IpPermission] {
	type permission = types.IpPermission
	port := func(get func(permission) *int32) func(permission) []string {
		return func(p permission) []string {
			if n := get(p); n != nil {
				return []string{strconv.Itoa(int(*n))}
			}
			return nil
		}
	}
	pairs := func(get func(types.UserIdGroupPair) *string) func(permission) []string {
		return each(func(p permission) []types.UserIdGroupPair { return p.UserIdGroupPairs }, text(get))
	}
	return filters[permission]{
		"cidr": each(func(p permission) []types.IpRange { return p.IpRanges },
			text(func(r types.IpRange) *string { return r.CidrIp })),
		"ipv6-cidr": each(func(p permission) []types.Ipv6Range { return p.Ipv6Ranges },
			text(func(r types.Ipv6Range) *string { return r.CidrIpv6 })),
		"from-port": port(func(p permission) *int32 { return p.FromPort }),
		"to-port":   port(func(p permission) *int32 { return p.ToPort }),
		"protocol":  text(func(p permission) *string { return p.IpProtocol }),
		"group-id":  pairs(func(u types.UserIdGroupPair) *string { return u.GroupId }),
		"user-id":   pairs(func(u types.UserIdGroupPair) *string { return u.UserId }),
	}
}

func (s *Service) deleteSecurityGroup(
	ctx context.Context, in *sdk.DeleteSecurityGroupInput,
) (*sdk.DeleteSecurityGroupOutput, error) {
	var g network.SecurityGroup
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		g, err = groupOf(tx, in.GroupId, in.GroupName)
		if store.IsUnreadable(err) && aws.ToString(in.GroupId) != "" {
			g, err = network.SecurityGroup{ID: *in.GroupId}, nil
		}
		if err != nil {
			return err
		}
		if g.Name == network.DefaultGroup {
			return refuse("CannotDelete", `the specified group: "%s" name: "%s" cannot be deleted by a user`, g.ID,
				g.Name)
		}
		user, err := s.groupUser(tx, g.ID)
		if err != nil {
			return err
		}
		if user != "" {
			return refuse("DependencyViolation", "resource %s has a dependent object", g.ID)
		}
		return network.DeleteSecurityGroup(tx, g.ID)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteSecurityGroupOutput{GroupId: &g.ID, Return: new(true)}, nil
}

// groupUser says who uses a group: another group's rule, or somebody outside of the network.
func (s *Service) groupUser(tx *store.Tx, id string) (string, error) {
	rules, err := network.In(tx, network.Rules, func(r network.Rule) bool { return r.Group == id && r.GroupID != id })
	if err != nil {
		return "", err
	}
	if len(rules) > 0 {
		return "a rule of the security group " + rules[0].GroupID, nil
	}
	return s.Users.SecurityGroupUser(tx, id)
}
