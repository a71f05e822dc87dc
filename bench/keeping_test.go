package main

import (
	"maps"
	"testing"
)

func TestParseBenchmark(t *testing.T) {
	const out = "goos: linux\npkg: larder/internal/series\nBenchmarkDisk-2   \t       1\t28708266651 ns/op\t         " +
		"0.8228 B/sample\t       327.0 MB/200nodes\nPASS\n"
	got, err := parseBenchmark([]byte(out), "BenchmarkDisk")
	if want := map[string]float64{"ns/op": 28708266651, "B/sample": 0.8228, "MB/200nodes": 327}; err != nil ||
		!maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "PASS", "BenchmarkDisk-2 1 x ns/op"} {
		if _, err := parseBenchmark([]byte(bad), "BenchmarkDisk"); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
