package engine_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/cache"
)

// memoryOf is how much private memory a process may have, in bytes.
func memoryOf(t *testing.T, pid int) uint64 {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, nil, &limit); err != nil {
		t.Fatal(err)
	}
	return limit.Cur
}

// TestANodesMemoryIsLimited: to what its type has and some more, from its start on, when it is met again, and when it
// gets another type.
func TestANodesMemoryIsLimited(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 1, nil)
	w.awaitAvailable("g")
	pid := must(w.runtime.PIDs(t.Context()))(t)["g-001"]
	want := func(when, nodeType string) {
		t.Helper()
		if got, most := memoryOf(t, pid), uint64(3*w.config.NodeTypes[nodeType].MaxMemory+2<<30); got > most {
			t.Errorf("%s: it may have %d bytes, want %d at most", when, got, most)
		}
	}
	want("started", "cache.t3.micro")
	w.stop()
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY},
		nil); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.modify("g", func(rg *cache.Shard) {})
	w.awaitAvailable("g")
	want("met again", "cache.t3.micro")
	before := memoryOf(t, pid)
	w.modify("g", func(rg *cache.Shard) { rg.Group.NodeType = "cache.t3.small" })
	w.awaitAvailable("g")
	want("resized", "cache.t3.small")
	if now := memoryOf(t, pid); now <= before {
		t.Errorf("a larger type may have %d bytes, the smaller one %d", now, before)
	}
}
