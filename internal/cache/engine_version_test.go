package cache_test

import (
	"testing"

	"pgregory.net/rapid"

	"larder/internal/cache"
)

func TestResolve(t *testing.T) {
	installed := cache.EngineVersions{{Version: "7.0.5"}, {Version: "7.0.15"}, {Version: "7.2.4"}}
	for _, c := range []struct{ requested, want, refusal string }{
		{requested: "", want: "7.2.4"},
		{requested: "7.0", want: "7.0.15"},
		{requested: "7.2", want: "7.2.4"},
		{requested: "7.0.5", refusal: "Specific version selection is not allowed for '7.0.5', please use '7.0'"},
		{requested: "6.2.6", refusal: "Specific version selection is not allowed for '6.2.6', please use '6.2'"},
		{requested: "10.0.1", refusal: "Specific version selection is not allowed for '10.0.1', please use '10.0'"},
		{requested: "5.0.6", refusal: "Cannot find version 5.0.6 for redis. Installed on this machine: 7.0, 7.2"},
		{requested: "7.1", refusal: "Cannot find version 7.1 for redis. Installed on this machine: 7.0, 7.2"},
		{requested: "6.x", refusal: "Cannot find version 6.x for redis. Installed on this machine: 7.0, 7.2"},
		{requested: "a.b.c", refusal: "Cannot find version a.b.c for redis. Installed on this machine: 7.0, 7.2"},
	} {
		got, err := installed.Resolve(c.requested)
		if err == nil && (got.Version != c.want || c.refusal != "") || err != nil && err.Error() != c.refusal {
			t.Errorf("%q: %s, %v; want %s%s", c.requested, got.Version, err, c.want, c.refusal)
		}
	}
	if _, err := (cache.EngineVersions{}).Resolve(""); err == nil || err.Error() != "no redis-server 7.0.0 or later is installed on this machine" {
		t.Error(err)
	}
}

func TestRequestable(t *testing.T) {
	for version, want := range map[string]string{"7.0.15": "7.0", "7.0": "7.0", "7": "7", "": ""} {
		if got := (cache.EngineVersion{Version: version}).Requestable(); got != want {
			t.Errorf("%q: %q, want %q", version, got, want)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"7.0.9", "7.0.15", -1}, {"10.0", "9.9", 1}, {"7.0", "7.0.0", 0}, {"7.0", "7.0.1", -1}, {"7.x", "7.0", 0}, {"", "0", 0}} {
		if got := cache.CompareVersions(c.a, c.b); sign(got) != c.want {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.StringMatching(`[0-9]{1,2}(\.[0-9]{1,2}){0,2}`)
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		ab, bc, ac := cache.CompareVersions(a, b), cache.CompareVersions(b, c), cache.CompareVersions(a, c)
		if sign(ab) != -sign(cache.CompareVersions(b, a)) || ab <= 0 && bc <= 0 && ac > 0 {
			t.Fatalf("%s, %s, %s are not in an order", a, b, c)
		}
	})
}

func sign(n int) int { return max(-1, min(1, n)) }
