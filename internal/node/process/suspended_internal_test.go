package process

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFrozen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cgroups, file, content string
		want                   bool
	}{
		"version 2":                {"0::/a/b\n", "a/b/cgroup.events", "populated 1\nfrozen 1\n", true},
		"version 2, running":       {"0::/a/b\n", "a/b/cgroup.events", "populated 1\nfrozen 0\n", false},
		"version 2 beside 1":       {"5:cpu:/x\n0::/a\n", "unified/a/cgroup.events", "frozen 1\n", true},
		"version 1":                {"7:freezer:/a\n0::/\n", "freezer/a/freezer.state", "FROZEN\n", true},
		"version 1, on its way":    {"7:freezer:/a\n", "freezer/a/freezer.state", "FREEZING\n", false},
		"version 1, thawed":        {"7:freezer:/a\n", "freezer/a/freezer.state", "THAWED\n", false},
		"another controller's":     {"7:memory:/a\n", "freezer/a/freezer.state", "FROZEN\n", false},
		"a name with colons":       {"0::/a:b:c\n", "a:b:c/cgroup.events", "frozen 1\n", true},
		"no freezer to read":       {"0::/a\n", "b/cgroup.events", "frozen 1\n", false},
		"nothing that can be read": {"what\n", "what/cgroup.events", "frozen 1\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			path := filepath.Join(root, c.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := frozen(root, []byte(c.cgroups)); got != c.want {
				t.Errorf("it is frozen: %t, want %t", got, c.want)
			}
		})
	}
}
