package catalog

import (
	"errors"
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
func (v EngineVersion) Requestable() string { return Minor(v.Version) }

// Minor is the major.minor of a version number.
func Minor(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// EngineVersions are the installed servers that larder can run, oldest first.
type EngineVersions []EngineVersion

// OldestServed is the first redis-server whose features larder relies on (bind-source-addr, rules for subcommands in
// ACLs).
const OldestServed = "7.0.0"

// ErrPatchNumber is what Resolve's error is for a version in full, which is not for the caller to choose.
var ErrPatchNumber = errors.New("the version has a patch number")

// patchNumberError has the API's text.
type patchNumberError struct{ requested, short string }

func (e patchNumberError) Error() string {
	return fmt.Sprintf("Specific version selection is not allowed for '%s', please use '%s'", e.requested, e.short)
}

// Is makes it an ErrPatchNumber.
func (patchNumberError) Is(target error) bool { return target == ErrPatchNumber }

// Release is an engine version as the API names it, and the server that runs it here.
type Release struct {
	Version string // in full, such as 7.1.0
	Server  EngineVersion
}

// Requestable is the form that a request names, such as 7.1.
func (r Release) Requestable() string { return Minor(r.Version) }

// Family is the family of the release's parameter groups.
func (r Release) Family() string { return FamilyOf(r.Version) }

// Exact tells whether the server has the release's own version, or one that AWS calls compatible with it.
func (r Release) Exact() bool {
	minor := r.Server.Requestable()
	return minor == r.Requestable() || slices.ContainsFunc(published, func(p publishedRelease) bool {
		return Minor(p.full) == r.Requestable() && p.compatible == minor
	})
}

// publishedRelease is a version of ElastiCache for Redis OSS.
type publishedRelease struct {
	full       string // as AWS reports it
	compatible string // the open-source version that AWS calls it compatible with
}

// published are the releases of the families that larder runs, oldest first (limits.md, section 5).
var published = []publishedRelease{{"6.0.5", "6.0"}, {"6.2.6", "6.2"}, {"7.0.7", "7.0"}, {"7.1.0", "7.0"}}

// latest6 is what a request means by 6.x, which names the latest version 6 that AWS has.
const latest6 = "6.2"

// Resolve finds the server for a requested version. With nothing requested it is the newest server. Errors carry the
// API's texts. It takes the first of these that is installed, in its latest patch:
//
//  1. a server of that version;
//  2. for a version that AWS publishes, a server that AWS calls compatible with it;
//  3. for a version that AWS publishes, the nearest newer server. Release.Exact then is false.
func (vs EngineVersions) Resolve(requested string) (Release, error) {
	if len(vs) == 0 {
		return Release{}, fmt.Errorf("no redis-server %s or later is installed on this machine", OldestServed)
	}
	if requested == "" {
		newest := vs[len(vs)-1]
		return Release{newest.Version, newest}, nil
	}
	if parts := strings.Split(requested, "."); len(parts) == 3 && CompareVersions(requested, "6") >= 0 {
		short := strings.Join(parts[:2], ".")
		return Release{}, patchNumberError{requested, short}
	}
	if requested == "6.x" {
		requested = latest6
	}
	if v, ok := vs.latest(requested); ok {
		return Release{v.Version, v}, nil
	}
	for _, p := range published {
		if Minor(p.full) != requested {
			continue
		}
		if v, ok := vs.latest(p.compatible); ok {
			return Release{p.full, v}, nil
		}
		if newer := vs.NotBefore(requested); len(newer) > 0 {
			v, _ := newer.latest(newer[0].Requestable())
			return Release{p.full, v}, nil
		}
	}
	return Release{}, vs.notFound(requested)
}

// ResolveStrict is Resolve without the third: it refuses what only a newer server would run.
func (vs EngineVersions) ResolveStrict(requested string) (Release, error) {
	r, err := vs.Resolve(requested)
	if err == nil && !r.Exact() {
		return Release{}, vs.notFound(requested)
	}
	return r, err
}

func (vs EngineVersions) notFound(requested string) error {
	return fmt.Errorf("Cannot find version %s for redis. Installed on this machine: %s", requested, vs)
}

// latest finds the latest patch of a major.minor.
func (vs EngineVersions) latest(minor string) (EngineVersion, bool) {
	for _, v := range slices.Backward(vs) {
		if v.Requestable() == minor {
			return v, true
		}
	}
	return EngineVersion{}, false
}

// NotBefore returns the servers of that version and later.
func (vs EngineVersions) NotBefore(version string) EngineVersions {
	first := slices.IndexFunc(vs, func(v EngineVersion) bool { return CompareVersions(v.Version, version) >= 0 })
	if first < 0 {
		return nil
	}
	return vs[first:]
}

// Releases lists every version that a request may name, oldest first.
func (vs EngineVersions) Releases() []Release {
	var names []string
	for _, p := range published {
		names = append(names, Minor(p.full))
	}
	for _, v := range vs {
		names = append(names, v.Requestable())
	}
	slices.SortFunc(names, CompareVersions)
	var all []Release
	for _, name := range slices.Compact(names) {
		if r, err := vs.Resolve(name); err == nil {
			all = append(all, r)
		}
	}
	return all
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
