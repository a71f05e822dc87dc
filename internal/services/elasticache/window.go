package elasticache

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/cache"
)

// windows reads the two windows, and chooses those that were not given so that they don't overlap.
func (s *Service) windows(in *sdk.CreateReplicationGroupInput, rg cache.Topology) error {
	var err error
	for _, m := range windowsFor(rg.ID, in.PreferredMaintenanceWindow, maintenanceWindows()) {
		for _, b := range windowsFor(rg.ID, in.SnapshotWindow, snapshotWindows()) {
			if err = checkWindows(m, b); err == nil {
				rg.MaintenanceWindow, rg.SnapshotWindow = m, b
				return nil
			}
		}
	}
	return err
}

// checkWindows checks both windows of a group, which must not overlap.
func checkWindows(maintenance, snapshot string) error {
	weekly, err := cache.ParseMaintenanceWindow(maintenance)
	if err != nil {
		return invalidValue("%s", err)
	}
	daily, err := cache.ParseSnapshotWindow(snapshot)
	if err != nil {
		return invalidValue("%s", err)
	}
	if weekly.Overlaps(daily) {
		return invalidValue("The snapshot window and maintenance window must not overlap.")
	}
	return nil
}

// windowsFor returns the window that was given, or the choices in an order that depends on the group: groups are spread
// over them, and a group always gets the same.
func windowsFor(group string, given *string, choices []string) []string {
	if given != nil {
		return []string{strings.ToLower(*given)}
	}
	h := fnv.New32a()
	h.Write([]byte(group))
	first := int(h.Sum32() % uint32(len(choices)))
	return slices.Concat(choices[first:], choices[:first])
}

// maintenanceWindows are the windows of 60 minutes, on any day, in the block of us-east-1: 03:00 to 11:00 UTC
// (limits.md, section 3).
func maintenanceWindows() []string {
	var out []string
	for _, day := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		for minute := 3 * 60; minute <= 10*60; minute += 30 {
			out = append(out, fmt.Sprintf("%s:%s-%s:%s", day, clock(minute), day, clock(minute+60)))
		}
	}
	return out
}

// snapshotWindows are the whole hours of the day.
func snapshotWindows() []string {
	var out []string
	for hour := range 24 {
		out = append(out, clock(hour*60)+"-"+clock((hour+1)%24*60))
	}
	return out
}

// clock prints minutes since midnight.
func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }
