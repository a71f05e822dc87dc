package redisnode_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/catalog"
	"larder/internal/redisnode"
)

// program writes a script that prints what redis-server prints as its version.
func program(t *testing.T, dir, name, says string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+says+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func version(v string) string {
	return "Redis server v=" + v + " sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=ae4d7c971a948f0"
}

func TestDiscover(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	newest := program(t, first, "redis-server-7.2", version("7.2.10"))
	oldest := program(t, first, "redis-server", version("7.0.15"))
	tooOld := program(t, first, "redis-server-6", version("6.2.6"))
	program(t, first, "redis-server-broken", "command not found")
	program(t, first, "redis-sentinel", version("7.4.0"))
	middle := program(t, second, "redis-server-7.2", version("7.2.9"))
	program(t, second, "redis-server", version("7.0.15")) // an earlier directory has this version
	if err := os.WriteFile(filepath.Join(second, "redis-server.conf"), []byte("port 6379\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{first, filepath.Join(first, "missing"), second, ""}, string(os.PathListSeparator))
	versions, found, err := redisnode.Discover(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	want := catalog.EngineVersions{{Version: "7.0.15", Path: oldest}, {Version: "7.2.9", Path: middle},
		{Version: "7.2.10", Path: newest}}
	if diff := cmp.Diff(want, versions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append(catalog.EngineVersions{{Version: "6.2.6", Path: tooOld}}, want...), found); diff != "" {
		t.Errorf("found: (-want +got):\n%s", diff)
	}
}

func TestDiscoverFindsNothing(t *testing.T) {
	versions, found, err := redisnode.Discover(t.Context(), t.TempDir())
	if len(versions) > 0 || len(found) > 0 || err != nil {
		t.Errorf("%v, %v, %v", versions, found, err)
	}
}

// TestDiscoverInAnOddDirectory: a directory's name is not a pattern, and an empty name is not the working directory.
func TestDiscoverInAnOddDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[odd")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := program(t, dir, "redis-server", version("7.0.15"))
	t.Chdir(t.TempDir())
	program(t, ".", "redis-server-here", version("7.0.16"))
	versions, _, err := redisnode.Discover(t.Context(), dir+string(os.PathListSeparator))
	if diff := cmp.Diff(catalog.EngineVersions{{Version: "7.0.15", Path: path}}, versions); diff != "" || err != nil {
		t.Errorf("(-want +got):\n%s%v", diff, err)
	}
}
