package app

import (
	"larder/internal/services/elasticache"
	"larder/internal/standin"
)

// network shows the stand-ins to the ElastiCache service in its own terms.
type network struct{ standIns standin.StandIns }

// Subnets lists the subnets of the one VPC there is.
func (n network) Subnets() []elasticache.Subnet {
	var out []elasticache.Subnet
	for _, s := range n.standIns.Subnets {
		out = append(out, subnet(s))
	}
	return out
}

// Subnet returns the subnet of that id.
func (n network) Subnet(id string) (elasticache.Subnet, bool) {
	s, ok := n.standIns.Subnet(id)
	return subnet(s), ok
}

// HasSecurityGroup tells whether there is a security group of that id.
func (n network) HasSecurityGroup(id string) bool { return n.standIns.HasSecurityGroup(id) }

func subnet(s standin.Subnet) elasticache.Subnet {
	return elasticache.Subnet{ID: s.ID, VPCID: s.VPCID, Zone: s.Zone}
}
