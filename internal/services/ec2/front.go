package ec2

import (
	"strconv"

	"larder/internal/constraint"
)

// front is what the service's model allows of the size of a page. Source: botocore's model of EC2, and the API
// reference for DescribeTags. The handlers know under which name the service misses a parameter.
func front() *constraint.Front {
	return &constraint.Front{
		Say: breach,
		Rules: constraint.Rules{
			"MaxResults": {Least: 5, Most: 1000},
			"DescribeAddressesAttributeInput.MaxResults": {Least: 1, Most: 1000},
			"DescribeRouteTablesInput.MaxResults":        {Least: 5, Most: 100},
		},
	}
}

// breach words a breach of a bound as the service does for what VPCs are made of. Enums are left to the handlers and
// the action table.
func breach(b constraint.Breach) error {
	n, err := strconv.ParseInt(b.Value, 10, 64)
	switch {
	case b.Enum != nil || err != nil:
		return nil
	case b.Below:
		return invalidValue("Value ( %d ) for parameter %s is invalid. Expecting a value greater than or equal to %d.", n,
			b.Member, b.Least)
	}
	return invalidValue("Value ( %d ) for parameter %s is invalid. Expecting a value smaller than or equal to %d.", n,
		b.Member, b.Most)
}
