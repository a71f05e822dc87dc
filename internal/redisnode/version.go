package redisnode

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"larder/internal/catalog"
)

var versionLine = regexp.MustCompile(`^Redis server v=(\d+\.\d+\.\d+) `)

// Discover finds the redis-servers in the directories of a search path (as in PATH) and asks each for its version.
// versions has those that larder can run; found also has those that are too old. Both are sorted.
func Discover(ctx context.Context, searchPath string) (versions, found catalog.EngineVersions, err error) {
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(searchPath) {
		entries, err := os.ReadDir(dir)
		if err != nil { // a search path may name directories that do not exist
			continue
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), "redis-server") {
				continue
			}
			path := filepath.Join(dir, e.Name())
			v, err := version(ctx, path)
			if err != nil || seen[v] { // not a redis-server, or an earlier directory has this version
				continue
			}
			seen[v] = true
			found = append(found, catalog.EngineVersion{Version: v, Path: path})
		}
	}
	slices.SortFunc(found, func(a, b catalog.EngineVersion) int { return catalog.CompareVersions(a.Version, b.Version) })
	return found.NotBefore(catalog.OldestServed), found, nil
}

func version(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", err
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s does not say its version: %q", path, out)
	}
	return string(m[1]), nil
}
