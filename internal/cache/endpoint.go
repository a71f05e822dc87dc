package cache

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// The names that AWS would give the endpoints (statuses.md, section 4). larder's clients connect to addresses; the names stand
// in the nodes' certificates beside them, for those who resolve them by means of their own.

// PrimaryName is the primary endpoint's.
func PrimaryName(g *ReplicationGroup) string {
	if g.TransitEncryption {
		return "master." + domain(g)
	}
	return fmt.Sprintf("%s.%s.ng.0001.use1.cache.amazonaws.com", g.ID, hashOf(g.ARN))
}

// ReaderName is the reader endpoint's.
func ReaderName(g *ReplicationGroup) string {
	if g.TransitEncryption {
		return "replica." + domain(g)
	}
	return fmt.Sprintf("%s-ro.%s.ng.0001.use1.cache.amazonaws.com", g.ID, hashOf(g.ARN))
}

// MemberName is a node's own.
func MemberName(g *ReplicationGroup, member string) string {
	if g.TransitEncryption {
		return member + "." + domain(g)
	}
	return fmt.Sprintf("%s.%s.0001.use1.cache.amazonaws.com", member, hashOf(g.ARN))
}

func domain(g *ReplicationGroup) string {
	return fmt.Sprintf("%s.%s.use1.cache.amazonaws.com", g.ID, hashOf(g.ARN))
}

// hashOf stands for the six characters that AWS puts in an account's names.
func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:6]
}
