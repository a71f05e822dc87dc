package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// watch sees what else a core does while something is measured: the work of other processes, and what the hypervisor
// takes away.
type watch struct {
	cores []int
	begin time.Time
	busy  time.Duration
}

func newWatch(c cores) (watch, error) {
	w := watch{cores: []int{c.load, c.serve}, begin: time.Now()}
	var err error
	w.busy, err = busyTime(w.cores)
	return w, err
}

// others is the part of the cores' time that was taken by more than own, the CPU time of the processes that are
// measured.
func (w watch) others(own time.Duration) (float64, error) {
	busy, err := busyTime(w.cores)
	all := time.Since(w.begin) * time.Duration(len(w.cores))
	return max(0, float64(busy-w.busy-own)/float64(all)), err
}

func busyTime(cores []int) (time.Duration, error) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("cannot see how busy the machine is: %w", err)
	}
	var total time.Duration
	for _, core := range cores {
		busy, err := parseBusy(stat, core)
		if err != nil {
			return 0, err
		}
		total += busy
	}
	return total, nil
}

// idleColumns are those of a core's line that are not work: idle and iowait. The last two, guests' time, are counted
// among the first two already.
var idleColumns = map[int]bool{3: true, 4: true, 8: true, 9: true}

func parseBusy(stat []byte, core int) (time.Duration, error) {
	for line := range bytes.Lines(stat) {
		fields := strings.Fields(string(line))
		if len(fields) == 0 || fields[0] != fmt.Sprintf("cpu%d", core) {
			continue
		}
		var ticks int64
		for i, f := range fields[1:] {
			n, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("cannot read how busy core %d is: %w", core, err)
			}
			if !idleColumns[i] {
				ticks += n
			}
		}
		return time.Duration(ticks) * (time.Second / clockTicks), nil
	}
	return 0, fmt.Errorf("cannot find core %d in /proc/stat", core)
}
