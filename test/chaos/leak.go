package chaos

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"larder/internal/testkit"
)

// footprint is what the engine, the reader endpoint's relay and the state directory take up.
type footprint struct {
	engine, relay proc
	processes     int   // that work in the state directory
	listeners     int   // on addresses of the engine's block
	files         int   // in the state directory
	store, logs   int64 // their size there, in bytes
}

// proc is what one process takes up.
type proc struct {
	threads, descriptors int
	memory               int64 // resident, in bytes
}

func (f footprint) String() string {
	return fmt.Sprintf("engine: %s; relay: %s; %d processes, %d listeners, %d files, store %d KiB, logs %d KiB",
		f.engine, f.relay, f.processes, f.listeners, f.files, f.store>>10, f.logs>>10)
}

func (p proc) String() string {
	return fmt.Sprintf("%d threads, %d descriptors, %d KiB", p.threads, p.descriptors, p.memory>>10)
}

// What may differ without being a leak, however long it goes on.
const (
	// extraThreads is what the Go runtime may start for system calls that block side by side.
	extraThreads     = 8
	extraDescriptors = 4
	// relayDescriptors is a connection more that is under way: two sockets, and a pipe of two ends each way.
	relayDescriptors = extraDescriptors + 6
	extraMemory      = 12 << 20 // the garbage collector's slack, with the engine's target of 32 MiB
	extraGoroutines  = 8
	// A failover leaves events, which are kept for 14 days, and lines in the nodes' logs, which are begun anew beyond 4
	// MiB each.
	storePerFailover = 4 << 10
	storeChunk       = 1 << 20
	mostLogs         = 4 * (5 << 20)
)

// grown is an error when more is taken up than before a number of failovers.
func (f footprint) grown(before footprint, failovers int) error {
	var all []error
	for _, c := range []struct {
		what             string
		now, then, extra int64
	}{
		{"threads of the engine", int64(f.engine.threads), int64(before.engine.threads), extraThreads},
		{"threads of the relay", int64(f.relay.threads), int64(before.relay.threads), extraThreads},
		{"descriptors of the engine", int64(f.engine.descriptors), int64(before.engine.descriptors), extraDescriptors},
		{"descriptors of the relay", int64(f.relay.descriptors), int64(before.relay.descriptors), relayDescriptors},
		{"bytes of memory of the engine", f.engine.memory, before.engine.memory, extraMemory},
		{"bytes of memory of the relay", f.relay.memory, before.relay.memory, extraMemory},
		{"processes", int64(f.processes), int64(before.processes), 0},
		{"listeners", int64(f.listeners), int64(before.listeners), 0},
		{"files", int64(f.files), int64(before.files), 0},
		{"bytes of the store", f.store, before.store, storeChunk + int64(failovers)*storePerFailover},
		{"bytes of logs", f.logs, 0, mostLogs},
	} {
		if c.now > c.then+c.extra {
			all = append(all, fmt.Errorf("%d %s after %d failovers, %d before: more than %d too many", c.now, c.what,
				failovers, c.then, c.extra))
		}
	}
	return errors.Join(all...)
}

// footprint measures a group that is whole.
func (d *harness) footprint() (f footprint, err error) {
	if f.engine, err = procOf(d.engine.Process.Pid); err != nil {
		return f, err
	}
	relay, err := testkit.ProcessesIn(filepath.Join(string(d.home()), "nodes", groupID+".reader"))
	if err != nil || len(relay) != 1 {
		return f, fmt.Errorf("cannot find the one relay among %v: %w", relay, err)
	}
	if f.relay, err = procOf(relay[0].PID); err != nil {
		return f, err
	}
	all, err := testkit.ProcessesIn(string(d.home()))
	if err != nil {
		return f, err
	}
	f.processes = len(all)
	if f.listeners, err = d.listeners(); err != nil {
		return f, err
	}
	err = filepath.WalkDir(string(d.home()), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		f.files++
		switch filepath.Ext(path) {
		case ".db":
			f.store += info.Size()
		case ".log":
			f.logs += info.Size()
		}
		return nil
	})
	return f, err
}

// procOf reads what /proc says of a process.
func procOf(pid int) (p proc, err error) {
	dir := "/proc/" + strconv.Itoa(pid)
	open, err := os.ReadDir(dir + "/fd")
	if err != nil {
		return p, err
	}
	p.descriptors = len(open)
	text, err := os.ReadFile(dir + "/status")
	if err != nil {
		return p, err
	}
	values, err := statusValues(text, "Threads", "VmRSS")
	if err != nil {
		return p, err
	}
	p.threads, p.memory = int(values[0]), values[1]<<10 // VmRSS is in KiB
	return p, nil
}

// statusValues finds numbers in the form of /proc/PID/status.
func statusValues(text []byte, names ...string) ([]int64, error) {
	found := map[string]int64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64); err == nil {
			found[name] = n
		}
	}
	var values []int64
	for _, name := range names {
		v, ok := found[name]
		if !ok {
			return nil, fmt.Errorf("a process's status has no %s", name)
		}
		values = append(values, v)
	}
	return values, nil
}

// listeners counts the sockets that listen within the engine's block of addresses.
func (d *harness) listeners() (int, error) {
	const blockBits = 20
	address, err := netip.ParseAddr(d.group.Nodes[0].Address)
	if err != nil {
		return 0, err
	}
	block, err := address.Prefix(blockBits)
	if err != nil {
		return 0, err
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return 0, err
	}
	n := 0
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		const listen = "0A"
		if len(fields) > 3 && fields[3] == listen && block.Contains(localAddress(fields[1])) {
			n++
		}
	}
	return n, nil
}

// localAddress reads an address of /proc/net/tcp, a number in the machine's byte order: little-endian wherever larder
// runs.
func localAddress(field string) netip.Addr {
	n, err := strconv.ParseUint(strings.Split(field, ":")[0], 16, 32)
	if err != nil {
		return netip.Addr{}
	}
	return netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
}

// goroutines ends the engine with the signal that has the Go runtime print the stack of every goroutine, counts them by
// what they run, and starts another engine.
func (d *harness) goroutines(ctx context.Context) (map[string]int, error) {
	before, err := os.Stat(d.logFile())
	if err != nil {
		return nil, err
	}
	if err := d.end(syscall.SIGQUIT); err != nil {
		return nil, err
	}
	log, err := os.ReadFile(d.logFile())
	if err != nil {
		return nil, err
	}
	if err := d.start(ctx); err != nil {
		return nil, err
	}
	return goroutinesIn(log[before.Size():])
}

// goroutinesIn counts the stacks of a dump by the outermost function of each.
func goroutinesIn(dump []byte) (map[string]int, error) {
	counts := map[string]int{}
	for stack := range strings.SplitSeq(string(dump), "\n\n") {
		if strings.HasPrefix(strings.TrimSpace(stack), "goroutine ") {
			counts[outermost(stack)]++
		}
	}
	if len(counts) == 0 {
		return nil, errors.New("the engine printed no goroutines")
	}
	return counts, nil
}

// outermost names the function that a goroutine was started for, behind those that start it.
func outermost(stack string) string {
	name := "runtime"
	for line := range strings.Lines(stack) {
		function := strings.TrimSpace(line)
		if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "created by ") ||
			strings.HasPrefix(line, "goroutine ") ||
			strings.HasPrefix(line, "runtime.") || strings.HasPrefix(line, "sync.") ||
			strings.HasPrefix(line, "golang.org/x/sync/") || function == "" {
			continue
		}
		name = function[:max(0, strings.LastIndexByte(function, '('))]
	}
	return name
}

// moreGoroutines is an error when there are more of one kind than in an engine that has just begun.
func moreGoroutines(now, fresh map[string]int) error {
	var all []error
	for origin, n := range now {
		if n > fresh[origin]+extraGoroutines {
			all = append(all, fmt.Errorf("%d goroutines of %s, and %d in an engine that has just begun", n, origin,
				fresh[origin]))
		}
	}
	return errors.Join(all...)
}

// failOver moves the primary n times, in turns by killing it and by promoting a replica.
func (d *harness) failOver(ctx context.Context, n int) error {
	for i := range n {
		kind := []Kind{KillPrimary, Promote}[i%2]
		before := d.group.terms[0]
		if err := injections[kind](ctx, d, Fault{Kind: kind, Pick: i}); err != nil {
			return fmt.Errorf("failover %d: %w", i+1, err)
		}
		if err := d.settle(ctx); err != nil {
			return fmt.Errorf("failover %d: %w", i+1, err)
		}
		if d.group.terms[0].Run == before.Run {
			return fmt.Errorf("failover %d, %s, left the primary where it was", i+1, kind)
		}
	}
	return nil
}

// Leaks has a group fail over again and again, and is an error when something grew.
func Leaks(ctx context.Context, c Config, failovers int) (err error) {
	d, err := newHarness(ctx, c.Program, c.Dir, c.Say)
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w\nthe engine's last words:\n%s", err, d.tail())
		}
		err = errors.Join(err, d.close())
	}()
	if err != nil {
		return err
	}
	const warmUp = 10
	if err := d.failOver(ctx, warmUp); err != nil {
		return err
	}
	before, err := d.footprint()
	if err != nil {
		return err
	}
	c.Say("before: %s", before)
	if err := d.failOver(ctx, failovers); err != nil {
		return err
	}
	after, err := d.footprint()
	if err != nil {
		return err
	}
	c.Say("after %d failovers: %s", failovers, after)
	used, err := d.goroutines(ctx)
	if err != nil {
		return err
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	fresh, err := d.goroutines(ctx)
	if err != nil {
		return err
	}
	c.Say("goroutines: %d kinds, %d; in an engine that has just begun %d", len(used), sum(used), sum(fresh))
	return errors.Join(after.grown(before, failovers), moreGoroutines(used, fresh))
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}
