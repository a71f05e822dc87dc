package exporter

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Metrics of the engine's own process, in the names that Prometheus's client libraries have for them.
var (
	processCPU      = metric{"process_cpu_seconds_total", counter, "Processor time of the engine."}
	processResident = metric{"process_resident_memory_bytes", gauge, "Memory of the engine that is resident."}
	processVirtual  = metric{"process_virtual_memory_bytes", gauge, "Address space of the engine."}
	processOpen     = metric{"process_open_fds", gauge, "Open files of the engine."}
	processMost     = metric{"process_max_fds", gauge, "Files that the engine may open."}
	processStart    = metric{"process_start_time_seconds", gauge, "When the engine started."}
	goInfo          = metric{"go_info", gauge, "The version of Go."}
)

// goMetrics are those of package runtime/metrics that are a number.
var goMetrics = []struct {
	source string
	metric
}{
	{"/sched/goroutines:goroutines", metric{"go_goroutines", gauge, "Goroutines of the engine."}},
	{"/memory/classes/heap/objects:bytes",
		metric{"go_memstats_heap_alloc_bytes", gauge, "Memory of the engine's objects."}},
	{"/memory/classes/total:bytes",
		metric{"go_memstats_sys_bytes", gauge, "Memory that Go's runtime has from the system."}},
	{"/gc/heap/allocs:bytes", metric{"go_memstats_alloc_bytes_total", counter, "Memory that the engine allocated."}},
	{"/gc/cycles/total:gc-cycles", metric{"go_gc_cycles_total_gc_cycles_total", counter, "Garbage collections."}},
}

// process is the engine's own.
type process struct{ start time.Time }

func newProcess() process { return process{startOf(time.Now())} }

// tick is the unit of times in a stat file (USER_HZ, the same on every architecture that larder runs on).
const tick = 10 * time.Millisecond

// startOf is when this process started, or now where the kernel does not tell.
func startOf(now time.Time) time.Time {
	stat, err := os.ReadFile("/proc/self/stat")
	uptime, errUptime := os.ReadFile("/proc/uptime")
	if err != nil || errUptime != nil {
		return now
	}
	const sinceBoot = 19 // fields after the name in parentheses
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	up, _, _ := strings.Cut(string(uptime), " ")
	seconds, err := strconv.ParseFloat(up, 64)
	if err != nil || len(fields) <= sinceBoot {
		return now
	}
	ticks, err := strconv.ParseInt(fields[sinceBoot], 10, 64)
	if err != nil {
		return now
	}
	age := time.Duration(seconds*float64(time.Second)) - time.Duration(ticks)*tick
	return now.Add(-age)
}

func (o process) report(p *page) error {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return fmt.Errorf("cannot read the engine's own processor time: %w", err)
	}
	p.add(processCPU, "", time.Duration(used.Utime.Nano()+used.Stime.Nano()).Seconds())
	p.add(processStart, "", float64(o.start.UnixMilli())/1000)
	if err := memory(p); err != nil {
		return err
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("cannot count the engine's own files: %w", err)
	}
	p.add(processOpen, "", float64(len(files)-1)) // one is the directory's own
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("cannot read the engine's own limit of files: %w", err)
	}
	p.add(processMost, "", float64(limit.Cur))
	language(p)
	return nil
}

// memory reads the address space and what is resident of it, in pages.
func memory(p *page) error {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return fmt.Errorf("cannot read the engine's own memory: %w", err)
	}
	var virtual, resident int
	if _, err := fmt.Sscan(string(statm), &virtual, &resident); err != nil {
		return fmt.Errorf("cannot read the engine's own memory: %w", err)
	}
	p.add(processVirtual, "", float64(virtual*os.Getpagesize()))
	p.add(processResident, "", float64(resident*os.Getpagesize()))
	return nil
}

func language(p *page) {
	p.add(goInfo, pairs("version", runtime.Version()), 1)
	samples := make([]metrics.Sample, len(goMetrics))
	for i, m := range goMetrics {
		samples[i].Name = m.source
	}
	metrics.Read(samples)
	for i, s := range samples {
		if s.Value.Kind() == metrics.KindUint64 {
			p.add(goMetrics[i].metric, "", float64(s.Value.Uint64()))
		}
	}
}
