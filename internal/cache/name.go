package cache

import (
	"fmt"
	"slices"
	"strings"
)

// RelaySuffix makes a relay's process id from its group's. The dot cannot be part of a member's id.
const RelaySuffix = ".reader"

// ValidIdentifier tells whether name keeps ElastiCache's rule for identifiers: ASCII letters, digits and hyphens, a
// letter first, no hyphen last and no two together, at most max characters.
func ValidIdentifier(name string, max int) bool {
	if name == "" || len(name) > max || strings.HasSuffix(name, "-") || strings.Contains(name, "--") {
		return false
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		digit := c >= '0' && c <= '9'
		if !letter && (i == 0 || !digit && c != '-') {
			return false
		}
	}
	return true
}

// MemberID is the name of the n-th member (from 1) of a group with cluster mode off.
func MemberID(group string, n int) string { return fmt.Sprintf("%s-%03d", group, n) }

// GroupIDs are those of the replication groups that a member may belong to by its name: <group>-001, or with cluster
// mode <group>-0001-001, in which the first digits are the shard's.
func GroupIDs(member string) []string {
	group := member[:max(strings.LastIndexByte(member, '-'), 0)]
	ids := []string{group}
	if at := strings.LastIndexByte(group, '-'); at > 0 && isShardID(group[at+1:]) {
		ids = append(ids, group[:at])
	}
	return ids
}

func isShardID(s string) bool {
	return len(s) == 4 && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// SpreadZones gives each of n members a zone: the preferred ones in their order where given, else round the zones of
// the subnet group, so that neighbours never share one while another is free.
func SpreadZones(n int, preferred, zones []string) []string {
	out := make([]string, n)
	for i := range out {
		switch {
		case i < len(preferred):
			out[i] = preferred[i]
		case i == 0:
			out[i] = zones[0]
		default:
			out[i] = zones[(slices.Index(zones, out[i-1])+1)%len(zones)]
		}
	}
	return out
}
