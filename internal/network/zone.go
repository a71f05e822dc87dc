package network

import "strings"

// Zone is an availability zone. AWS gives one place the same ID in every account, and a name that may differ.
type Zone struct{ Name, ID string }

// Zones are a region's: three, as most regions have.
func Zones(region string) []Zone {
	var zones []Zone
	for i, letter := range []string{"a", "b", "c"} {
		zones = append(zones, Zone{Name: region + letter, ID: abbreviation(region) + "-az" + string(rune('1'+i))})
	}
	return zones
}

// abbreviation is a region's in the ids of its zones: use1 for us-east-1, apse2 for ap-southeast-2.
func abbreviation(region string) string {
	short := strings.NewReplacer("north", "n", "south", "s", "east", "e", "west", "w", "central", "c")
	return strings.ReplaceAll(short.Replace(region), "-", "")
}
