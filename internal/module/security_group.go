package module

import (
	"slices"
)

// SecurityGroup is a security group to make. Nothing goes in or out but by its rules.
type SecurityGroup struct {
	Name        string
	Description string
	SubnetID    string // of the VPC that the group belongs to
	Tags        map[string]string
	RuleTags    map[string]string
	Rules       []SecurityGroupRule
}

// SecurityGroupRule lets TCP to or from one port of one peer: a security group or an IPv4 network.
type SecurityGroupRule struct {
	Egress      bool
	Description string
	PeerGroup   string // an id
	PeerNetwork string
	Port        int32
}

// securityGroup is the module's own, nil when none is asked for: redis_security_group_id is the caller's, and nothing
// is opened in it.
func securityGroup(in *Inputs) *SecurityGroup {
	if !in.CreateSecurityGroup {
		return nil
	}
	g := &SecurityGroup{Name: in.replicationGroupID(), Description: "Access to " + in.replicationGroupID(),
		SubnetID: in.RedisSubnetIDs[0], Tags: allTags(in), RuleTags: allTags(in)}
	for _, id := range in.AllowedSecurityGroupIDs {
		g.Rules = append(g.Rules, SecurityGroupRule{Description: "Redis from a security group", PeerGroup: id,
			Port: int32(in.RedisPort)})
	}
	for _, network := range in.AllowedCIDRs {
		g.Rules = append(g.Rules, SecurityGroupRule{Description: "Redis from a network", PeerNetwork: network,
			Port: int32(in.RedisPort)})
	}
	return g
}

// securityGroups are the nodes'; own is the module's, "" while there is none.
func securityGroups(in *Inputs, own string) []string {
	all := slices.Concat([]string{in.RedisSecurityGroupID}, in.AdditionalSecurityGroupIDs)
	if own != "" {
		all = append(all, own)
	}
	return all
}

func networkRules() []rule {
	closed := func(in *Inputs, n int) string {
		return when(!in.CreateSecurityGroup && n > 0,
			"lets nothing in without a security group of the module, which opens nothing in redis_security_group_id: set "+
				"create_security_group = true")
	}
	create := []string{"create_security_group"}
	return []rule{
		givenName("subnet_group_name", "create_subnet_group", "subnet group",
			func(in *Inputs) (bool, *string) { return in.CreateSubnetGroup, in.SubnetGroupName }),
		givenName("parameter_group_name", "create_parameter_group", "parameter group",
			func(in *Inputs) (bool, *string) { return in.CreateParameterGroup, in.ParameterGroupName }),
		{input: "allowed_cidrs", with: create,
			broken: func(in *Inputs) string { return closed(in, len(in.AllowedCIDRs)) }},
		{input: "allowed_security_group_ids", with: create,
			broken: func(in *Inputs) string { return closed(in, len(in.AllowedSecurityGroupIDs)) }},
	}
}

// givenName wants a name exactly when the module does not make the thing itself.
func givenName(input, create, what string, values func(*Inputs) (create bool, name *string)) rule {
	return rule{input: input, with: []string{create}, broken: func(in *Inputs) string {
		switch created, name := values(in); {
		case created && name != nil:
			return "is not used while " + create + " is true: set " + create + " = false, or leave the name out"
		case !created && name == nil:
			return "is no name and " + create + " is false: name an existing " + what + ", or set " + create + " = true"
		}
		return ""
	}}
}
