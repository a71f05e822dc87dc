package chaos

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestGrown(t *testing.T) {
	before := footprint{
		engine:    proc{threads: 10, descriptors: 30, memory: 30 << 20},
		relay:     proc{threads: 5, descriptors: 9, memory: 10 << 20},
		processes: 4, listeners: 5, files: 20, store: 64 << 10, logs: 1 << 20,
	}
	for name, c := range map[string]struct {
		change func(*footprint)
		grown  string
	}{
		"nothing":                     {func(*footprint) {}, ""},
		"a thread or two":             {func(f *footprint) { f.engine.threads += 2 }, ""},
		"the events of the failovers": {func(f *footprint) { f.store += 100 * storePerFailover }, ""},
		"a descriptor at each": {func(f *footprint) { f.engine.descriptors += 100 },
			"descriptors of the engine"},
		"a thread at each":             {func(f *footprint) { f.relay.threads += 100 }, "threads of the relay"},
		"half a MiB of memory at each": {func(f *footprint) { f.engine.memory += 50 << 20 }, "memory of the engine"},
		"a process left":               {func(f *footprint) { f.processes++ }, "processes"},
		"a listener left":              {func(f *footprint) { f.listeners++ }, "listeners"},
		"a file left":                  {func(f *footprint) { f.files++ }, "files"},
		"a store that is never tidied": {func(f *footprint) { f.store += 100 * (storePerFailover + storeChunk) },
			"store"},
		"logs without an end": {func(f *footprint) { f.logs = mostLogs + 1 }, "logs"},
	} {
		after := before
		c.change(&after)
		err := after.grown(before, 100)
		if (err != nil) != (c.grown != "") || err != nil && !strings.Contains(err.Error(), c.grown) {
			t.Errorf("%s: got %v, want %q", name, err, c.grown)
		}
	}
}

func TestGoroutinesAreCountedByWhatTheyRun(t *testing.T) {
	dump := "time=… level=INFO msg=serving\nSIGQUIT: quit\nPC=0x1\n\ngoroutine 1 [select]:\nmain.main()\n\tmain.go:5 " +
		"+0x1\n\n" +
		"goroutine 7 [chan " +
		"receive]:\nruntime.gopark(0x1)\n\tproc.go:1\nlarder/internal/engine.(*group).adopt.func1(0x2)\n" +
		"\tobserve.go:1\nsync.(*WaitGroup).Go.func1()\n\twaitgroup.go:9\n" +
		"created by sync.(*WaitGroup).Go in goroutine 3\n\twaitgroup.go:9\n\n" +
		"goroutine 8 [chan " +
		"receive]:\nlarder/internal/engine.(*group).adopt.func1(...)\n\tobserve.go:1\n" +
		"sync.(*WaitGroup).Go.func1()\n\twaitgroup.go:9\n\nrax 0x0\n"
	got, err := goroutinesIn([]byte(dump))
	if want := map[string]int{"main.main": 1, "larder/internal/engine.(*group).adopt.func1": 2}; err != nil ||
		!maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := goroutinesIn([]byte("nothing of the kind")); err == nil {
		t.Error("a dump without goroutines is taken for one")
	}
	if err := moreGoroutines(map[string]int{"f": 2, "g": 50}, map[string]int{"f": 2, "g": 40}); err == nil ||
		strings.Contains(err.Error(), " f,") {
		t.Errorf("got %v", err)
	}
	if err := moreGoroutines(map[string]int{"f": 3}, map[string]int{"f": 2}); err != nil {
		t.Error(err)
	}
}

func TestProcFormats(t *testing.T) {
	got, err := statusValues([]byte("Name:\tlarder\nVmRSS:\t   12345 kB\nThreads:\t7\n"), "Threads", "VmRSS")
	if err != nil || !slices.Equal(got, []int64{7, 12345}) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := statusValues([]byte("Name:\tlarder\n"), "Threads"); err == nil {
		t.Error("a missing value is not noticed")
	}
	if got := localAddress("0100407F:18EB"); got != netip.MustParseAddr("127.64.0.1") {
		t.Errorf("got %s", got)
	}
}
