package endpoint_test

import (
	"regexp"
	"slices"
	"testing"

	"larder/internal/cache"
	"larder/internal/endpoint"
)

func TestEndpointNames(t *testing.T) {
	g := &cache.ReplicationGroup{ID: "g", ARN: "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:g"}
	for _, tls := range []bool{false, true} {
		g.TransitEncryption = tls
		form := regexp.MustCompile(`^(g(-ro)?\.[a-z2-7]{6}\.ng|g-001\.[a-z2-7]{6})\.0001\.use1\.cache\.amazonaws\.com$`)
		if tls {
			form = regexp.MustCompile(`^(master|replica|g-001)\.g\.[a-z2-7]{6}\.use1\.cache\.amazonaws\.com$`)
		}
		names := []string{endpoint.PrimaryName(g), endpoint.ReaderName(g), endpoint.MemberName(g, "g-001")}
		for _, name := range names {
			if !form.MatchString(name) {
				t.Errorf("TLS %v: %s", tls, name)
			}
		}
		if len(slices.Compact(slices.Sorted(slices.Values(names)))) != 3 {
			t.Errorf("two names are the same: %v", names)
		}
	}
}
