package catalog_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"larder/internal/catalog"
)

func nodeTypes(t *testing.T) catalog.NodeTypes {
	t.Helper()
	types, err := catalog.LoadNodeTypes()
	if err != nil {
		t.Fatal(err)
	}
	return types
}

func directives(t *testing.T, set map[string]string, nodeType string) catalog.Directives {
	t.Helper()
	d, err := parameters(t).Directives(set, nodeTypes(t)[nodeType])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestMaxMemory: the reserved part is taken off the node type's maxmemory exactly.
func TestMaxMemory(t *testing.T) {
	for _, c := range []struct {
		nodeType string
		set      map[string]string
		want     int64
	}{
		{"cache.t3.medium", nil, 2488396677}, // 3317862236 * 0.75
		{"cache.t3.micro", nil, 402653184},
		{"cache.t3.large", nil, 5140907059}, // m6g.large's
		{"cache.t3.medium", map[string]string{"reserved-memory-percent": "0"}, 3317862236},
		{"cache.t3.medium", map[string]string{"reserved-memory-percent": "50"}, 1658931118},
		{"cache.t3.medium", map[string]string{"reserved-memory-percent": "100"}, 1}, // 0 would be no limit
		{"cache.t3.medium", map[string]string{"reserved-memory": "1000"}, 3317861236},
		{"cache.t3.medium", map[string]string{"reserved-memory": "1000", "reserved-memory-percent": "50"}, 3317861236},
		{"cache.t3.medium", map[string]string{"reserved-memory": "9999999999"}, 1},
	} {
		if got := directives(t, c.set, c.nodeType).Live["maxmemory"]; got != strconv.FormatInt(c.want, 10) {
			t.Errorf("%s with %v: maxmemory %s, want %d", c.nodeType, c.set, got, c.want)
		}
	}
}

func TestUnreadableReservedMemoryIsAnError(t *testing.T) {
	for _, name := range []string{"reserved-memory", "reserved-memory-percent"} {
		if _, err := parameters(t).Directives(map[string]string{name: "much"},
			nodeTypes(t)["cache.t3.micro"]); err == nil {
			t.Errorf("%s = much is no error", name)
		}
	}
}

func TestDirectives(t *testing.T) {
	d := directives(t, map[string]string{
		"timeout": "300", "acl-pubsub-default": "resetchannels", "client-output-buffer-limit-pubsub-soft-seconds": "7",
	}, "cache.t3.medium")
	limits := "normal 0 0 0 replica 331786223 331786223 60 pubsub 33554432 8388608 7"
	if got := d.Live["client-output-buffer-limit"]; got != limits {
		t.Errorf("client-output-buffer-limit is %q, want %q", got, limits)
	}
	if d.Live["timeout"] != "300" || d.Live["tcp-keepalive"] != "300" || d.Live["maxmemory-policy"] != "volatile-lru" {
		t.Errorf("live: %v", d.Live)
	}
	boot := map[string]string{"maxclients": "46000", "acl-pubsub-default": "resetchannels", "databases": "16",
		"activerehashing": "yes"}
	if diff := cmp.Diff(boot, d.Boot); diff != "" {
		t.Errorf("boot (-want +got):\n%s", diff)
	}
	for name := range d.Boot {
		if _, ok := d.Live[name]; ok {
			t.Errorf("%s is both live and boot", name)
		}
	}
	for _, name := range []string{"reserved-memory-percent", "reserved-memory", "rename-commands", "activedefrag",
		"appendonly", "cluster-enabled", "client-output-buffer-limit-normal-hard-limit"} {
		if _, ok := d.Live[name]; ok {
			t.Errorf("%s is given to redis-server, and must not be", name)
		}
	}
}

// TestFingerprint: it depends on what the directives are, not on the order of a map, and a change of any changes it.
func TestFingerprint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[ab"=\n]{0,3}`)
		set := rapid.MapOf(word, word)
		a, b := set.Draw(t, "a"), set.Draw(t, "b")
		if (catalog.Fingerprint(a) == catalog.Fingerprint(b)) != maps.Equal(a, b) {
			t.Fatalf("%q and %q: %s and %s", a, b, catalog.Fingerprint(a), catalog.Fingerprint(b))
		}
	})
}

func TestNodeTypes(t *testing.T) {
	types := nodeTypes(t)
	names := types.Names()
	if len(types) < 70 || len(names) < 60 || !slices.IsSorted(names) {
		t.Errorf("%d types, %d names: %v", len(types), len(names), names)
	}
	for name, n := range types {
		if slices.Contains(names, name) != n.Creatable {
			t.Errorf("%s: creatable is %v, and its name is not among those that are, or is", name, n.Creatable)
		}
		if n.Name != name || n.VCPU < 1 || n.MemoryGiB <= 0 || n.MaxMemory <= 0 || n.MaxClients < 1 || n.Network == "" {
			t.Errorf("%+v", n)
		}
		if over := float64(n.MaxMemory) / (n.MemoryGiB * (1 << 30)); over > 1.01 && !n.DataTiering {
			t.Errorf("%s: maxmemory is %.2f of its memory", name, over)
		}
	}
	medium := types["cache.t3.medium"]
	want := catalog.NodeType{
		Name: "cache.t3.medium", VCPU: 2, MemoryGiB: 3.09, MaxMemory: 3317862236, MaxClients: 46000,
		ReplicaBufferHard: 331786223, ReplicaBufferSoft: 331786223, Creatable: true, Network: "Up to 5 Gigabit",
	}
	if diff := cmp.Diff(want, medium); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if old := types["cache.t2.micro"]; old.Creatable {
		t.Error("cache.t2.micro is no longer sold")
	}
	if !types["cache.r6gd.xlarge"].DataTiering {
		t.Error("cache.r6gd.xlarge tiers data")
	}
}

// TestLocalOnlyType: the seed's staging names a type that AWS does not sell.
func TestLocalOnlyType(t *testing.T) {
	types := nodeTypes(t)
	if large := types["cache.t3.large"]; !large.LocalOnly || large.Creatable ||
		large.MaxMemory != types["cache.m6g.large"].MaxMemory {
		t.Errorf("%+v", large)
	}
}
