package main

import (
	"math"
	"testing"
)

func TestParseRate(t *testing.T) {
	const header = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms",` +
		`"max_latency_ms"` + "\n"
	const line = `"SET","123456.78","0.271","0.080","0.263","0.383","0.575","1.535"` + "\n"
	for name, c := range map[string]struct {
		out  string
		want float64 // NaN when it cannot be read
	}{
		"as it is":           {header + line, 123456.78},
		"after a warning":    {"WARNING: Could not fetch server CONFIG\n" + header + line, 123456.78},
		"an error":           {"Error from server: NOAUTH Authentication required.\n", math.NaN()},
		"nothing but header": {header, math.NaN()},
		"nothing":            {"", math.NaN()},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseRate(c.out)
			if math.IsNaN(c.want) != (err != nil) || err == nil && got != c.want {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

func TestRoundsBecomeResults(t *testing.T) {
	got := results([]round{
		{loads: []measured{{rate: 100, cpu: 2000}, {rate: 200, cpu: 1000}}},
		{loads: []measured{{rate: 110, cpu: 4000}, {rate: 180, cpu: 3000}}},
	})
	if r := ratio(got[0].rates, got[1].rates); r != 105.0/190 {
		t.Errorf("the ratio is %v", r)
	}
	if got[0].cpu.mean() != 3 || got[1].cpu.mean() != 2 {
		t.Errorf("the CPU time is %v and %v µs", got[0].cpu, got[1].cpu)
	}
	if text := showRatio(got[0].rates, got[1].rates); text != "0.553 (0.500 … 0.611)" {
		t.Errorf("the ratio is shown as %s", text)
	}
}
