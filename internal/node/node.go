// Package node defines what the engine needs from a runtime that runs its processes.
package node

import (
	"context"
	"net"
	"time"
)

// Socket is the name of the unix socket that a process listens on, in its working directory, once it is up.
const Socket = "admin.sock"

// Spec is a process to start.
type Spec struct {
	ID    string   // unique among the runtime's processes
	Path  string   // of the executable
	Args  []string // without the executable's name; never holds a secret
	Stdin []byte
	// Files are the contents of files that the process finds at /proc/self/fd/3, 4 and so on. They exist in memory only.
	Files [][]byte
}

// SchedulerSample is what the kernel's scheduler reports about a process's main thread. Two samples distinguish a
// thread that works from one that hangs.
type SchedulerSample struct {
	Stopped  bool          // a signal or a debugger stopped it
	Runnable bool          // it runs, or waits for a processor
	CPU      time.Duration // processor time used so far; it never decreases
}

// Usage is the processor time and memory that a process uses.
type Usage struct {
	CPU               time.Duration // of all threads since the start, including children that have ended
	Resident, Swapped int64         // bytes of memory
}

// Process is a process that was started or adopted. Its methods may be called from several goroutines.
type Process interface {
	ID() string
	PID() int
	// Exited is closed when the process is gone.
	Exited() <-chan struct{}
	// Dial connects to the process's Socket.
	Dial(ctx context.Context) (net.Conn, error)
	// Stop asks the process to end, and kills it if it has not ended within grace; 0 kills it at once. Stop returns when
	// the process is gone.
	Stop(ctx context.Context, grace time.Duration) error
	// SchedulerSample reads the state of the main thread without disturbing it. It fails when the process is gone.
	SchedulerSample() (SchedulerSample, error)
	// CPU returns the CPU of a SchedulerSample, for a third of its cost.
	CPU() (time.Duration, error)
	// AllCPU returns the processor time of all threads, for a quarter of the cost of CPU. It fails when the process is
	// gone.
	AllCPU() (time.Duration, error)
	// Usage reads the usage of the whole process without disturbing it. It fails when the process is gone.
	Usage() (Usage, error)
	// Suspended reports whether a signal (SIGSTOP), a debugger, or the freezer of its cgroup keeps the process from
	// running. It fails when the process is gone.
	Suspended() (bool, error)
	// Resume continues a process that a signal stopped (SIGCONT), and returns when the process runs. It fails when
	// a debugger or a freezer holds the process.
	Resume(ctx context.Context) error
	// LimitMemory bounds the process's private memory in bytes. Beyond the limit its allocations fail, which may end
	// it. The limit is never below what the process already has, nor above what the machine can spare.
	LimitMemory(most int64) error
	// Disconnect ends the connections to a TCP port of the process and returns how many it ended. It needs no help of the
	// process, whose listener stays open. It fails if the kernel denies larder access to the process's descriptors.
	Disconnect(port int) (ended int, err error)
	// Rewrite replaces the contents of the files that the process was started with; see Spec.Files. It does not notify
	// the process. It fails when the process is gone.
	Rewrite(files [][]byte) error
	// LastWords returns the end of the process's log.
	LastWords() string
}

// Runtime starts processes, and adopts those of an earlier run of larder.
type Runtime interface {
	// Start starts a process and returns when it accepts connections on its Socket. If the process ends before that,
	// the error contains its last words. Start also fails if a process of the same id runs or is being started, because
	// both would use the same files.
	Start(ctx context.Context, spec Spec) (Process, error)
	// Adopt returns the processes that an earlier run of larder left running.
	Adopt(ctx context.Context) ([]Process, error)
	// Remove deletes the files of a process that is gone.
	Remove(id string) error
}
