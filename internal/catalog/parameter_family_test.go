package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"larder/internal/catalog"
)

func loadFamilies(t *testing.T) catalog.Families {
	t.Helper()
	families, err := catalog.LoadFamilies()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// TestFamilies looks what AWS's guide says that the versions brought, changed and took away.
func TestFamilies(t *testing.T) {
	families := loadFamilies(t)
	order := []string{"redis2.6", "redis2.8", "redis3.2", "redis4.0", "redis5.0", "redis6.x", "redis7", "valkey7",
		"valkey8", "valkey9"}
	if got := families.Names(); !slices.Equal(got, order) {
		t.Fatalf("the families are %v", got)
	}
	for parameter, lifetime := range map[string][2]string{ // the first family that has it, and the last
		"timeout": {"redis2.6", "valkey9"}, "repl-timeout": {"redis2.8", "redis4.0"},
		"list-max-ziplist-entries": {"redis2.6", "redis2.8"}, "list-max-ziplist-size": {"redis3.2", "redis6.x"},
		"min-slaves-to-write": {"redis2.8", "redis4.0"}, "min-replicas-to-write": {"redis5.0", "valkey9"},
		"close-on-slave-write": {"redis2.8", "redis4.0"}, "close-on-replica-write": {"redis5.0", "valkey9"},
		"client-output-buffer-limit-slave-hard-limit": {"redis2.6", "redis4.0"},
		"cluster-enabled": {"redis3.2", "valkey9"}, "reserved-memory-percent": {"redis3.2", "valkey9"},
		"activedefrag": {"redis4.0", "valkey9"}, "lfu-log-factor": {"redis4.0", "valkey9"},
		"lazyfree-lazy-eviction": {"redis4.0", "valkey7"}, "lazyfree-lazy-user-del": {"redis6.x", "valkey7"},
		"lua-replicate-commands": {"redis5.0", "redis5.0"}, "rename-commands": {"redis5.0", "valkey9"},
		"stream-node-max-bytes": {"redis5.0", "valkey9"}, "acl-pubsub-default": {"redis6.x", "valkey9"},
		"hash-max-ziplist-entries": {"redis2.6", "redis6.x"}, "hash-max-listpack-entries": {"redis7", "valkey9"},
		"extended-redis-compatibility": {"valkey8", "valkey9"}, "commandlog-reply-larger-than": {"valkey8", "valkey9"},
		"search-fanout-target-mode": {"valkey8", "valkey9"}, "cluster-databases": {"valkey9", "valkey9"},
	} {
		first, last := slices.Index(order, lifetime[0]), slices.Index(order, lifetime[1])
		for i, family := range order {
			if _, has := families[family].Lookup(parameter); has != (i >= first && i <= last) {
				t.Errorf("%s has %s: %t", family, parameter, has)
			}
		}
	}
	for _, c := range []struct{ family, parameter, defaults, allowed string }{
		{"redis2.8", "tcp-keepalive", "0", "0-"}, {"redis3.2", "tcp-keepalive", "300", "0-"},
		{"redis4.0", "active-defrag-cycle-min", "25", "1-75"}, {"redis5.0", "active-defrag-cycle-min", "5", "1-75"},
		{"valkey7", "repl-backlog-size", "1048576", "16384-"}, {"valkey8", "repl-backlog-size", "10485760", "16384-"},
		{"valkey9", "maxmemory-samples", "3", "1-64"},
		{"redis3.2", "maxmemory-policy", "volatile-lru",
			"volatile-lru,allkeys-lru,volatile-random,allkeys-random,volatile-ttl,noeviction"},
	} {
		if p, _ := families[c.family].Lookup(c.parameter); p.Default != c.defaults || p.Allowed != c.allowed {
			t.Errorf("%s: %+v", c.family, p)
		}
	}
}

// TestRowsOfFamilies holds the tables to what the API's types allow, and to its order.
func TestRowsOfFamilies(t *testing.T) {
	for family, ps := range loadFamilies(t) {
		var listed []string
		for _, p := range ps.All() {
			if p.Name == "" || p.DataType != "integer" && p.DataType != "string" || p.MinimumVersion == "" ||
				p.Description == "" {
				t.Errorf("%s: %+v", family, p)
			}
			if p.Listed {
				listed = append(listed, strings.ReplaceAll(p.Name, "-", ""))
			}
		}
		if !slices.IsSorted(listed) || len(slices.Compact(slices.Clone(listed))) != len(listed) {
			t.Errorf("%s: not in order, or twice: %v", family, listed)
		}
	}
}

// TestParametersThatNodesKeep can be set as long as no group has them.
func TestParametersThatNodesKeep(t *testing.T) {
	for family, ps := range loadFamilies(t) {
		values := map[string]string{"cluster-enabled": "yes", "databases": "4", "activerehashing": "no"}
		for name, value := range values {
			p, has := ps.Lookup(name)
			free := has && family != "redis2.6" && family != "redis2.8" && (name != "activerehashing" || p.Listed)
			if err := ps.Check(name, value, false); (err == nil) != free {
				t.Errorf("%s, %s in a new group: %v", family, name, err)
			}
			if err := ps.Check(name, value, true); err == nil {
				t.Errorf("%s, %s in a group that is used: %v", family, name, err)
			}
		}
	}
}
