package cache

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// EngineVersion is a redis-server that is installed on the machine.
type EngineVersion struct {
	Version string // in full, such as 7.0.15
	Path    string // of the executable
}

// Requestable is the form that a request names: major.minor (limits.md, section 5).
func (v EngineVersion) Requestable() string {
	parts := strings.SplitN(v.Version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// EngineVersions are the installed servers that larder can run, oldest first.
type EngineVersions []EngineVersion

// OldestServed is the first redis-server whose features larder relies on (bind-source-addr, rules for subcommands in ACLs).
const OldestServed = "7.0.0"

// Resolve finds the server for a requested version: the latest patch of major.minor; with nothing requested, the newest
// server of the family. Errors carry the API's texts.
func (vs EngineVersions) Resolve(requested string) (EngineVersion, error) {
	if len(vs) == 0 {
		return EngineVersion{}, fmt.Errorf("no redis-server %s or later is installed on this machine", OldestServed)
	}
	if requested == "" {
		return vs[len(vs)-1], nil
	}
	if parts := strings.Split(requested, "."); len(parts) == 3 && CompareVersions(requested, "6") >= 0 {
		short := strings.Join(parts[:2], ".")
		return EngineVersion{}, fmt.Errorf("Specific version selection is not allowed for '%s', please use '%s'", requested, short)
	}
	for _, v := range slices.Backward(vs) {
		if v.Requestable() == requested {
			return v, nil
		}
	}
	return EngineVersion{}, fmt.Errorf("Cannot find version %s for redis. Installed on this machine: %s", requested, vs)
}

// String lists the versions as a request names them.
func (vs EngineVersions) String() string {
	var names []string
	for _, v := range vs {
		if n := v.Requestable(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// CompareVersions orders dotted version numbers; a part that is no number counts as 0.
func CompareVersions(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		if c := part(as, i) - part(bs, i); c != 0 {
			return c
		}
	}
	return 0
}

func part(parts []string, i int) int {
	if i >= len(parts) {
		return 0
	}
	n, _ := strconv.Atoi(parts[i])
	return n
}
