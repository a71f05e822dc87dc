package endpoint

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"larder/internal/awsregion"
	"larder/internal/cache"
)

// The names that AWS would give the endpoints (statuses.md, section 4). larder's clients connect to addresses; the
// names stand in the nodes' certificates beside them, for those who resolve them by means of their own.

// PrimaryName is the primary endpoint's.
func PrimaryName(g *cache.ReplicationGroup) string {
	if g.Transit() == cache.TransitRequired {
		return "master." + domain(g)
	}
	return fmt.Sprintf("%s.%s.ng.0001.%s.cache.amazonaws.com", g.ID, hashOf(g.ARN), regionOf(g))
}

// ReaderName is the reader endpoint's.
func ReaderName(g *cache.ReplicationGroup) string {
	if g.Transit() == cache.TransitRequired {
		return "replica." + domain(g)
	}
	return fmt.Sprintf("%s-ro.%s.ng.0001.%s.cache.amazonaws.com", g.ID, hashOf(g.ARN), regionOf(g))
}

// MemberName is a node's own.
func MemberName(g *cache.ReplicationGroup, member string) string {
	if g.Transit() == cache.TransitRequired {
		return member + "." + domain(g)
	}
	return fmt.Sprintf("%s.%s.0001.%s.cache.amazonaws.com", member, hashOf(g.ARN), regionOf(g))
}

// CertifiedNames are those that the certificate of a member holds: the endpoints' and its own. Where clients may
// connect with TLS and without it, AWS's names are those of a group without TLS, and the others as soon as TLS is
// required: the certificate holds both.
func CertifiedNames(g *cache.ReplicationGroup, member string) []string {
	names := []string{PrimaryName(g), ReaderName(g), MemberName(g, member)}
	if g.Transit() == cache.TransitPreferred {
		required := *g
		required.SetTransit(cache.TransitRequired)
		names = append(names, CertifiedNames(&required, member)...)
	}
	return names
}

func domain(g *cache.ReplicationGroup) string {
	return fmt.Sprintf("%s.%s.%s.cache.amazonaws.com", g.ID, hashOf(g.ARN), regionOf(g))
}

// regionOf is the group's region as names of endpoints have it, such as use1.
func regionOf(g *cache.ReplicationGroup) string {
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
