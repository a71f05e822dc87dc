package cachemetric

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)

// reading makes one of lines such as "role:master".
func reading(after, cpu time.Duration, lines ...string) Reading {
	r := Reading{At: start.Add(after), CPU: cpu, Info: map[string]string{"run_id": "a", "role": "master"},
		Resident: 1 << 20}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		r.Info[name] = value
	}
	return r
}

// busy gives a reading whose main thread has used so much.
func busy(r Reading, main time.Duration) Reading {
	r.MainCPU = main
	return r
}

func table(t testing.TB) Commands {
	t.Helper()
	c, err := LoadCommands()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var twoProcessors = Node{VCPU: 2, Memory: 4 << 20}

// values are the named metrics only; NaN stands for one that is not there.
func values(data []Datum, names ...string) map[string]float64 {
	out := map[string]float64{}
	for _, name := range names {
		out[name] = math.NaN()
		if i := slices.IndexFunc(data, func(d Datum) bool { return d.Name == name }); i >= 0 {
			out[name] = data[i].Value
		}
	}
	return out
}

func TestDerive(t *testing.T) {
	missing := math.NaN()
	for name, test := range map[string]struct {
		before, now Reading
		want        map[string]float64
	}{
		"processor": {
			busy(reading(0, 0), 2*time.Second), busy(reading(time.Minute, 30*time.Second), 8*time.Second),
			map[string]float64{"CPUUtilization": 25, "EngineCPUUtilization": 10},
		},
		"no more than everything": {
			reading(0, 0), reading(time.Second, time.Minute), map[string]float64{"CPUUtilization": 100,
				"EngineCPUUtilization": 0},
		},
		"counters": {
			reading(0, 0, "keyspace_hits:10", "keyspace_misses:5", "evicted_keys:7", "total_net_input_bytes:1000"),
			reading(time.Minute, 0, "keyspace_hits:40", "keyspace_misses:15", "evicted_keys:7",
				"total_net_input_bytes:1500"),
			map[string]float64{"CacheHits": 30, "CacheMisses": 10, "CacheHitRate": 75, "Evictions": 0,
				"NetworkBytesIn": 500, "Reclaimed": missing},
		},
		"counters set back": {
			reading(0, 0, "keyspace_hits:10"), reading(time.Minute, 0,
				"keyspace_hits:4"), map[string]float64{"CacheHits": 4},
		},
		"no lookups": {
			reading(0, 0, "keyspace_hits:10", "keyspace_misses:5"), reading(time.Minute, 0, "keyspace_hits:10",
				"keyspace_misses:5"),
			map[string]float64{"CacheHits": 0, "CacheHitRate": missing},
		},
		"another process": {
			reading(0, time.Hour, "keyspace_hits:10"), reading(time.Minute, 15*time.Second, "run_id:b",
				"uptime_in_seconds:30", "keyspace_hits:12"),
			map[string]float64{"CacheHits": 12, "CPUUtilization": 25},
		},
		"memory": {
			reading(0, 0), reading(time.Minute, 0, "used_memory:750", "maxmemory:1000",
				"mem_not_counted_for_evict:250"),
			map[string]float64{
				"BytesUsedForCache": 750, "DatabaseMemoryUsagePercentage": 75,
				"DatabaseMemoryUsageCountedForEvictPercentage": 50,
				"DatabaseCapacityUsagePercentage":              75, "FreeableMemory": 3 << 20, "SwapUsage": 0,
			},
		},
		"no limit of memory": {
			reading(0, 0), reading(time.Minute, 0, "used_memory:750",
				"maxmemory:0"), map[string]float64{"DatabaseMemoryUsagePercentage": missing},
		},
		"keyspace": {
			reading(0, 0), reading(time.Minute, 0, "db0:keys=5,expires=2,avg_ttl=1500",
				"db3:keys=1,expires=1,avg_ttl=7", "dbsize:9"),
			map[string]float64{"CurrItems": 6, "CurrVolatileItems": 3, "DB0AverageTTL": 1500},
		},
		"primary": {
			reading(0, 0, "master_repl_offset:100"), reading(time.Minute, 0, "master_repl_offset:160"),
			map[string]float64{"IsMaster": 1, "ReplicationBytes": 60, "ReplicationLag": missing,
				"MasterLinkHealthStatus": missing},
		},
		"replica": {
			reading(0, 0, "role:slave"), func() Reading {
				r := reading(time.Minute, 0, "role:slave", "master_link_status:up", "db0:keys=5,expires=2,avg_ttl=1500")
				r.Lag = 1500 * time.Millisecond
				return r
			}(),
			map[string]float64{"IsMaster": 0, "ReplicationBytes": missing, "ReplicationLag": 1.5,
				"MasterLinkHealthStatus": 1, "DB0AverageTTL": 0},
		},
		"commands": {
			reading(0, 0, "cmdstat_get:calls=1,usec=10,usec_per_call=10.00", "cmdstat_config|get:calls=3,usec=30"),
			reading(time.Minute, 0, "cmdstat_get:calls=5,usec=30", "cmdstat_SETBIT:calls=2,usec=6",
				"cmdstat_eval:calls=1,usec=100", "cmdstat_config|get:calls=4,usec=33",
				"cmdstat_unheard.of:calls=9,usec=9"),
			map[string]float64{
				"StringBasedCmds": 6, "StringBasedCmdsLatency": 26.0 / 6, "GetTypeCmds": 4, "GetTypeCmdsLatency": 5,
				"SetTypeCmds": 2, "EvalBasedCmds": 1,
				"NonKeyTypeCmds": 1, "HashBasedCmds": 0, "HashBasedCmdsLatency": missing,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := values(Derive(test.before, test.now, twoProcessors, table(t)), slices.Collect(keysOf(test.want))...)
			nan := cmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })
			if diff := cmp.Diff(test.want, got, nan); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func keysOf(m map[string]float64) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range m {
			if !yield(name) {
				return
			}
		}
	}
}

func TestNothingWithoutTime(t *testing.T) {
	r := reading(0, 0)
	if data := Derive(r, r, twoProcessors, table(t)); data != nil {
		t.Errorf("got %v", data)
	}
}

// Whatever a node says, a metric comes once, is a number, not negative, and a percentage of at most 100 where it is a
// share.
func TestDeriveProperty(t *testing.T) {
	commands := table(t)
	names := []string{"cmdstat_get", "cmdstat_set", "cmdstat_xadd", "cmdstat_config|get"}
	var fields []string
	for _, c := range counters {
		fields = append(fields, c.field)
	}
	draw := func(t *rapid.T, after time.Duration) Reading {
		r := Reading{At: start.Add(after), CPU: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "cpu")),
			Info: map[string]string{}}
		r.MainCPU = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "main"))
		r.Info["run_id"] = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "run")
		r.Info["role"] = rapid.SampledFrom([]string{"master", "slave"}).Draw(t, "role")
		number := rapid.StringMatching(`[0-9]{1,12}`)
		for _, f := range append(fields, "used_memory", "maxmemory", "uptime_in_seconds", "master_repl_offset") {
			r.Info[f] = number.Draw(t, f)
		}
		for _, f := range names {
			r.Info[f] = "calls=" + number.Draw(t, f) + ",usec=" + number.Draw(t, f)
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		seen := map[string]bool{}
		for _, d := range Derive(draw(t, 0), draw(t, time.Minute), twoProcessors, commands) {
			if seen[d.Name] || math.IsNaN(d.Value) || d.Value < 0 || d.Unit == "" ||
				strings.HasSuffix(d.Name, "Utilization") && d.Value > 100 {
				t.Fatalf("%+v, seen %v", d, seen[d.Name])
			}
			seen[d.Name] = true
		}
	})
}
