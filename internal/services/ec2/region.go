package ec2

import (
	"context"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
)

// optedIn is the state of a region that everybody may use.
const optedIn = "opt-in-not-required"

// describeRegions lists the regions. AllRegions changes nothing: there is none that has to be opted in to.
func (s *Service) describeRegions(_ context.Context, in *sdk.DescribeRegionsInput) (*sdk.DescribeRegionsOutput, error) {
	var all []types.Region
	for _, name := range network.Regions() {
		all = append(all, types.Region{
			RegionName: &name, Endpoint: new("ec2." + name + ".amazonaws.com"), OptInStatus: new(optedIn),
		})
	}
	l := listing[types.Region]{
		key: func(r types.Region) string { return *r.RegionName }, filters: regionFilters(), notFound: regionNotFound,
	}
	regions, _, err := l.pick(all, request{ids: in.RegionNames, filters: in.Filters})
	return &sdk.DescribeRegionsOutput{Regions: regions}, err
}

func regionNotFound(name string) error { return invalidValue("Invalid region: [%s]", name) }

func regionFilters() filters[types.Region] {
	type region = types.Region
	return filters[region]{
		"endpoint":      text(func(r region) *string { return r.Endpoint }),
		"opt-in-status": text(func(r region) *string { return r.OptInStatus }),
		"region-name":   text(func(r region) *string { return r.RegionName }),
	}
}
