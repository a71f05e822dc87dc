package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// memorySlack is what the engine's resident memory may differ by between two quiet moments, in KiB: what the collector
// has not given back yet, and pages of the store's file, which is mapped.
const memorySlack = 8 << 10

// An engine that has made and taken away ten stacks of three nodes needs what it needed before them, and holds no more
// open files.
func TestMemoryReturns(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	config := read(t, seed+"production.tf")
	stack := func(n int) {
		d.must("up", d.write("main.tf", strings.ReplaceAll(config, "uex-payments", fmt.Sprintf("project-%d", n))))
		d.must("destroy", "--yes")
	}
	stack(0) // whatever is made once is there afterwards
	memory, files := d.engineUses()
	for n := range 10 {
		stack(n + 1)
	}
	// What is not needed any more is given back in time: memory by the collector, files as connections of commands that
	// have ended are closed.
	var after, filesAfter int
	defer func() {
		t.Logf("after one stack %d KiB and %d open files, after ten more %d KiB and %d", memory, files, after,
			filesAfter)
	}()
	d.eventually("the engine needs what it needed before", func() bool {
		after, filesAfter = d.engineUses()
		return after <= memory+memorySlack && filesAfter <= files+2
	})
}

// engineUses returns the engine's resident memory in KiB and how many files it has open.
func (d *harness) engineUses() (memory, files int) {
	d.t.Helper()
	var engine struct{ PID int }
	if err := json.Unmarshal([]byte(read(d.t, filepath.Join(d.home, "engine.json"))), &engine); err != nil {
		d.t.Fatal(err)
	}
	proc := fmt.Sprintf("/proc/%d/", engine.PID)
	for line := range strings.Lines(read(d.t, proc+"status")) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var err error
			if memory, err = strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB")); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	open, err := os.ReadDir(proc + "fd")
	if err != nil {
		d.t.Fatal(err)
	}
	return memory, len(open)
}
