package cachemetric_test

import (
	"math"
	"testing"
	"time"

	"larder/internal/cachemetric"
)

// FuzzInfo: whatever a node says, its metrics are numbers that can be added to those of other nodes.
func FuzzInfo(f *testing.F) {
	for _, value := range []string{"", "nan", "inf", "-inf", "1e308", "1e999", "12", "keys=nan,expires=inf",
		"calls=1e308,usec=nan", "=", ",,,", "\xff"} {
		f.Add(value, "master")
		f.Add(value, value)
	}
	table, err := cachemetric.LoadCommands()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value, role string) {
		info := map[string]string{"role": role, "run_id": "x"}
		for _, field := range []string{
			"used_memory", "maxmemory", "mem_fragmentation_ratio", "connected_clients", "keyspace_hits",
			"keyspace_misses", "master_repl_offset",
			"db0", "db1", "db" + value, "cmdstat_get", "errorstat_NOPERM", "uptime_in_seconds",
			"mem_not_counted_for_evict",
		} {
			info[field] = value
		}
		now := time.Unix(1_780_000_000, 0)
		before := cachemetric.Reading{At: now.Add(-time.Minute),
			Info: map[string]string{"run_id": "x", "keyspace_hits": "1"}}
		for _, d := range cachemetric.Derive(before, cachemetric.Reading{At: now, Info: info},
			cachemetric.Node{VCPU: 1, Memory: 1}, table) {
			if math.IsNaN(d.Value) || math.IsInf(d.Value, 0) {
				t.Errorf("%s is %v", d.Name, d.Value)
			}
		}
	})
}
