package cache

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"larder/internal/awsregion"
)

// The names that AWS would give the endpoints (statuses.md, section 4). larder's clients connect to addresses; the
// names stand in the nodes' certificates beside them, for those who resolve them by means of their own.

// PrimaryName is the primary endpoint's.
func PrimaryName(g *ReplicationGroup) string {
	if g.TransitEncryption {
		return "master." + domain(g)
	}
	return fmt.Sprintf("%s.%s.ng.0001.%s.cache.amazonaws.com", g.ID, hashOf(g.ARN), regionOf(g))
}

// ReaderName is the reader endpoint's.
func ReaderName(g *ReplicationGroup) string {
	if g.TransitEncryption {
		return "replica." + domain(g)
	}
	return fmt.Sprintf("%s-ro.%s.ng.0001.%s.cache.amazonaws.com", g.ID, hashOf(g.ARN), regionOf(g))
}

// MemberName is a node's own.
func MemberName(g *ReplicationGroup, member string) string {
	if g.TransitEncryption {
		return member + "." + domain(g)
	}
	return fmt.Sprintf("%s.%s.0001.%s.cache.amazonaws.com", member, hashOf(g.ARN), regionOf(g))
}

func domain(g *ReplicationGroup) string {
	return fmt.Sprintf("%s.%s.%s.cache.amazonaws.com", g.ID, hashOf(g.ARN), regionOf(g))
}

// regionOf is the group's region as names of endpoints have it, such as use1.
func regionOf(g *ReplicationGroup) string {
	parsed, err := arn.Parse(g.ARN)
	if err != nil {
		return awsregion.Abbreviation(awsregion.Home)
	}
	return awsregion.Abbreviation(parsed.Region)
}

// hashOf stands for the six characters that AWS puts in an account's names.
func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:6]
}
