package ec2

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
)

// describeZones lists the zones. AllAvailabilityZones changes nothing: there is none that has to be opted in to.
func (s *Service) describeZones(
	_ context.Context, in *sdk.DescribeAvailabilityZonesInput,
) (*sdk.DescribeAvailabilityZonesOutput, error) {
	var zones []types.AvailabilityZone
	for _, z := range network.Zones(s.Region) {
		zones = append(zones, s.describeZone(z))
	}
	names := func(z types.AvailabilityZone) string { return *z.ZoneName }
	ids := func(z types.AvailabilityZone) string { return *z.ZoneId }
	zones, _, err := listing[types.AvailabilityZone]{key: ids, notFound: zoneNotFound}.pick(zones,
		request{ids: in.ZoneIds})
	if err != nil {
		return nil, err
	}
	zones, _, err = listing[types.AvailabilityZone]{key: names, filters: zoneFilters(), notFound: zoneNotFound}.pick(
		zones, request{ids: in.ZoneNames, filters: in.Filters})
	return &sdk.DescribeAvailabilityZonesOutput{AvailabilityZones: zones}, err
}

func zoneNotFound(zone string) error {
	return invalidValue("Invalid availability zone: [%s]", zone)
}

func (s *Service) describeZone(z network.Zone) types.AvailabilityZone {
	return types.AvailabilityZone{
		ZoneName: &z.Name, ZoneId: &z.ID, ZoneType: new("availability-zone"), RegionName: &s.Region,
		NetworkBorderGroup: &s.Region,
		GroupName:          new(fmt.Sprintf("%s-zg-1", s.Region)), GroupLongName: network.ZoneGroup(s.Region),
		State:       types.AvailabilityZoneStateAvailable,
		OptInStatus: types.AvailabilityZoneOptInStatusOptInNotRequired, Messages: []types.AvailabilityZoneMessage{},
	}
}

func zoneFilters() filters[types.AvailabilityZone] {
	type zone = types.AvailabilityZone
	return filters[zone]{
		"group-name": text(func(z zone) *string { return z.GroupName }),
		"message": each(func(z zone) []types.AvailabilityZoneMessage { return z.Messages },
			text(func(m types.AvailabilityZoneMessage) *string { return m.Message })),
		"opt-in-status":    func(z zone) []string { return []string{string(z.OptInStatus)} },
		"parent-zone-id":   text(func(z zone) *string { return z.ParentZoneId }),
		"parent-zone-name": text(func(z zone) *string { return z.ParentZoneName }),
		"region-name":      text(func(z zone) *string { return z.RegionName }),
		"state":            func(z zone) []string { return []string{string(z.State)} },
		"zone-id":          text(func(z zone) *string { return z.ZoneId }),
		"zone-name":        text(func(z zone) *string { return z.ZoneName }),
		"zone-type":        text(func(z zone) *string { return z.ZoneType }),
	}
}

// zoneID is the id of the zone of that name.
func (s *Service) zoneID(name string) string {
	zones := network.Zones(s.Region)
	i := slices.IndexFunc(zones, func(z network.Zone) bool { return z.Name == name })
	if i < 0 {
		return ""
	}
	return zones[i].ID
}

// chooseZone finds the zone that a request names by name or id; without either it is the one where the VPC has fewest
// subnets.
func (s *Service) chooseZone(name, id *string, siblings []network.Subnet) (string, error) {
	zones := network.Zones(s.Region)
	if name == nil && id == nil {
		count := func(z network.Zone) (n int) {
			for _, sibling := range siblings {
				if sibling.Zone == z.Name {
					n++
				}
			}
			return n
		}
		return slices.MinFunc(zones, func(a, b network.Zone) int { return count(a) - count(b) }).Name, nil
	}
	var names, ids []string
	for _, z := range zones {
		if (name == nil || *name == z.Name) && (id == nil || *id == z.ID) {
			return z.Name, nil
		}
		names, ids = append(names, z.Name), append(ids, z.ID)
	}
	const text = "Value (%s) for parameter %s is invalid. Subnets can currently only be created in the following " +
		"availability zones: %s."
	switch {
	case name != nil && id != nil:
		return "", invalidCombination("The parameters availabilityZone (%s) and availabilityZoneId (%s) do not name one "+
			"zone.", *name, *id)
	case name != nil:
		return "", invalidValue(text, *name, "availabilityZone", strings.Join(names, ", "))
	}
	return "", invalidValue(text, aws.ToString(id), "availabilityZoneId", strings.Join(ids, ", "))
}
