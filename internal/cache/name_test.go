package cache_test

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/cache"
)

// TestValidIdentifier compares with the rule as a regular expression.
func TestValidIdentifier(t *testing.T) {
	rule := regexp.MustCompile(`^[a-zA-Z](-?[a-zA-Z0-9])*$`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[aZ09\-_.é ]{0,6}|[aZ09\-]{0,6}`).Draw(t, "name")
		if got, want := cache.ValidIdentifier(name, 5), rule.MatchString(name) && len(name) <= 5; got != want {
			t.Fatalf("%q: %v, want %v", name, got, want)
		}
	})
	longest := strings.Repeat("a", 40)
	if !cache.ValidIdentifier(longest, 40) || cache.ValidIdentifier(longest+"a", 40) {
		t.Error("the limit is not where it should be")
	}
}

func TestMemberID(t *testing.T) {
	if got := cache.MemberID("cache", 7); got != "cache-007" {
		t.Error(got)
	}
}

// TestSpreadZones: preferred zones come first; of the others neighbours share one only where there is no second.
func TestSpreadZones(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zones := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 4, rapid.ID).Draw(t,
			"zones")
		n := rapid.IntRange(1, 6).Draw(t, "n")
		preferred := rapid.SliceOfN(rapid.SampledFrom(zones), 0, n).Draw(t, "preferred")
		got := cache.SpreadZones(n, preferred, zones)
		if len(got) != n || !slices.Equal(got[:len(preferred)], preferred) {
			t.Fatalf("%v", got)
		}
		for i := max(1, len(preferred)); i < n; i++ {
			if !slices.Contains(zones, got[i]) || len(zones) > 1 && got[i] == got[i-1] {
				t.Fatalf("%v: member %d", got, i+1)
			}
		}
	})
}

// TestAllocate: distinct free addresses of the block, the lowest first, and an error only where there are too few.
func TestAllocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(20, 32).Draw(t, "bits")
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 64, 15, 252}), bits)
		var free []netip.Addr
		taken := map[netip.Addr]bool{}
		for a := block.Masked().Addr(); block.Contains(a) && len(free) < 8; a = a.Next() {
			if last := a.As4()[3]; last == 0 || last == 255 || a == block.Masked().Addr() {
				continue
			}
			if rapid.Bool().Draw(t, "taken") {
				taken[a] = true
			} else {
				free = append(free, a)
			}
		}
		n := rapid.IntRange(0, 7).Draw(t, "n")
		got, err := cache.Allocate(block, taken, n)
		if (err != nil) != (n > len(free)) {
			t.Fatalf("%d of %s with %d free: %v", n, block, len(free), err)
		}
		if err == nil && !slices.Equal(got, free[:n]) {
			t.Fatalf("%v, want %v", got, free[:n])
		}
	})
}

func TestEndpointNames(t *testing.T) {
	g := &cache.ReplicationGroup{ID: "g", ARN: "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:g"}
	for _, tls := range []bool{false, true} {
		g.TransitEncryption = tls
		form := regexp.MustCompile(`^g(-ro)?\.[a-z2-7]{6}\.ng\.0001\.use1\.cache\.amazonaws\.com$|^g-001\.[a-z2-7]{6}\.0001\.use1\.cache\.amazonaws\.com$`)
		if tls {
			form = regexp.MustCompile(`^(master|replica|g-001)\.g\.[a-z2-7]{6}\.use1\.cache\.amazonaws\.com$`)
		}
		names := []string{cache.PrimaryName(g), cache.ReaderName(g), cache.MemberName(g, "g-001")}
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
