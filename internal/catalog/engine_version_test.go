package catalog_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/catalog"
)

func TestResolve(t *testing.T) {
	type servers = catalog.EngineVersions
	several, debian, newer := servers{{Version: "7.0.5"}, {Version: "7.0.15"},
		{Version: "7.2.4"}}, servers{{Version: "7.0.15"}},
		servers{{Version: "7.2.4"}, {Version: "7.2.5"}, {Version: "8.0.3"}}
	const missing = "Cannot find version %s for redis. Installed on this machine: 7.0, 7.2"
	for _, c := range []struct {
		installed       servers
		requested       string
		version, server string
		loose           bool   // a newer server than AWS's runs it: the strict way refuses it
		refusal         string // of both ways
	}{
		{several, "", "7.2.4", "7.2.4", false, ""},
		{several, "7.0", "7.0.15", "7.0.15", false, ""},
		{several, "7.1", "7.1.0", "7.0.15", false, ""},
		{several, "7.2", "7.2.4", "7.2.4", false, ""},
		{debian, "7.0", "7.0.15", "7.0.15", false, ""},
		{debian, "7.1", "7.1.0", "7.0.15", false, ""},
		{newer, "", "8.0.3", "8.0.3", false, ""},
		{newer, "7.0", "7.0.7", "7.2.5", true, ""},
		{newer, "7.1", "7.1.0", "7.2.5", true, ""},
		{newer, "8.0", "8.0.3", "8.0.3", false, ""},
		{servers{{Version: "7.1.15"}}, "7.1", "7.1.15", "7.1.15", false, ""},
		{servers{{Version: "7.1.15"}}, "7.0", "7.0.7", "7.1.15", true, ""},
		{several, "7.0.5", "", "", false, "Specific version selection is not allowed for '7.0.5', please use '7.0'"},
		{several, "6.2.6", "", "", false, "Specific version selection is not allowed for '6.2.6', please use '6.2'"},
		{several, "10.0.1", "", "", false, "Specific version selection is not allowed for '10.0.1', please use '10.0'"},
		{several, "5.0.6", "", "", false, fmt.Sprintf(missing, "5.0.6")},
		{several, "6.0", "6.0.5", "7.0.15", true, ""},
		{several, "6.2", "6.2.6", "7.0.15", true, ""},
		{several, "6.x", "6.2.6", "7.0.15", true, ""},
		{newer, "6.x", "6.2.6", "7.2.5", true, ""},
		{servers{{Version: "6.2.14"}, {Version: "7.0.15"}}, "6.x", "6.2.14", "6.2.14", false, ""},
		{servers{{Version: "6.2.14"}, {Version: "7.0.15"}}, "6.0", "6.0.5", "6.2.14", true, ""},
		{several, "6.1", "", "", false, fmt.Sprintf(missing, "6.1")},
		{several, "7.x", "", "", false, fmt.Sprintf(missing, "7.x")},
		{several, "7", "", "", false, fmt.Sprintf(missing, "7")},
		{several, "7.3", "", "", false, fmt.Sprintf(missing, "7.3")},
		{several, "a.b.c", "", "", false, fmt.Sprintf(missing, "a.b.c")},
		{nil, "", "", "", false, "no redis-server 7.0.0 or later is installed on this machine"},
	} {
		got, err := c.installed.Resolve(c.requested)
		if said := text(err); got.Version != c.version || got.Server.Version != c.server || said != c.refusal ||
			err == nil && got.Exact() == c.loose {
			t.Errorf("%q of %v: %v, %q; want %s of %s, %q", c.requested, c.installed, got, said, c.version, c.server,
				c.refusal)
		}
		strict, err := c.installed.ResolveStrict(c.requested)
		if c.loose {
			got, c.refusal = catalog.Release{}, fmt.Sprintf("Cannot find version %s for redis. Installed on this "+
				"machine: %s", c.requested, c.installed)
		}
		if strict != got || text(err) != c.refusal {
			t.Errorf("strictly %q of %v: %v, %v; want %v, %q", c.requested, c.installed, strict, err, got, c.refusal)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestReleases(t *testing.T) {
	for _, c := range []struct{ installed, want string }{
		{"7.0.5 7.0.15", "6.0.5 by 7.0.15, 6.2.6 by 7.0.15, 7.0.15 by 7.0.15, 7.1.0 by 7.0.15"},
		{"7.0.15 7.2.4", "6.0.5 by 7.0.15, 6.2.6 by 7.0.15, 7.0.15 by 7.0.15, 7.1.0 by 7.0.15, 7.2.4 by 7.2.4"},
		{"8.0.3", "6.0.5 by 8.0.3, 6.2.6 by 8.0.3, 7.0.7 by 8.0.3, 7.1.0 by 8.0.3, 8.0.3 by 8.0.3"},
		{"", ""},
	} {
		var installed catalog.EngineVersions
		for _, v := range strings.Fields(c.installed) {
			installed = append(installed, catalog.EngineVersion{Version: v})
		}
		var got []string
		for _, r := range installed.Releases() {
			got = append(got, r.Version+" by "+r.Server.Version)
		}
		if all := strings.Join(got, ", "); all != c.want {
			t.Errorf("%s: %s, want %s", c.installed, all, c.want)
		}
	}
}

func TestRequestable(t *testing.T) {
	for version, want := range map[string]string{"7.0.15": "7.0", "7.0": "7.0", "7": "7", "": ""} {
		if got := (catalog.EngineVersion{Version: version}).Requestable(); got != want {
			t.Errorf("%q: %q, want %q", version, got, want)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"7.0.9", "7.0.15", -1}, {"10.0", "9.9", 1}, {"7.0", "7.0.0", 0}, {"7.0", "7.0.1", -1}, {"7.x", "7.0", 0}, {"",
		"0", 0}} {
		if got := catalog.CompareVersions(c.a, c.b); sign(got) != c.want {
			t.Errorf("%q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.StringMatching(`[0-9]{1,2}(\.[0-9]{1,2}){0,2}`)
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		ab, bc, ac := catalog.CompareVersions(a, b), catalog.CompareVersions(b, c), catalog.CompareVersions(a, c)
		if sign(ab) != -sign(catalog.CompareVersions(b, a)) || ab <= 0 && bc <= 0 && ac > 0 {
			t.Fatalf("%s, %s, %s are not in an order", a, b, c)
		}
	})
}

func sign(n int) int { return max(-1, min(1, n)) }
