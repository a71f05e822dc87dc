package cache_test

import (
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
