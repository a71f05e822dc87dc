package network

import "larder/internal/awsregion"

// Zone is an availability zone. AWS gives one place the same ID in every account, and a name that may differ.
type Zone struct{ Name, ID string }

// Regions are the names of those there are, sorted.
func Regions() []string { return awsregion.All() }

// Zones are a region's: three, as most regions have.
func Zones(region string) []Zone {
	var zones []Zone
	for i, letter := range []string{"a", "b", "c"} {
		zones = append(zones, Zone{Name: region + letter, ID: awsregion.Abbreviation(region) + "-az" +
			string(rune('1'+i))})
	}
	return zones
}

// ZoneGroup is the long name of the group that a region's zones are in; nil for a region that the partition aws does
// not have. The EC2 API reference shows the form, "US East (Ohio) 1".
func ZoneGroup(region string) *string {
	if !awsregion.Known(region) {
		return nil
	}
	return new(awsregion.LongName(region) + " 1")
}
