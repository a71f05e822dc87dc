// Package node says what the engine asks of whatever runs its processes.
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
	ID    string   // names it among the runtime's processes
	Path  string   // of the executable
	Args  []string // without the executable's name; never holds a secret
	Stdin []byte
	// Files are contents that the process finds at /proc/self/fd/3, 4 and so on. They are kept in memory only.
	Files [][]byte
}

// SchedulerSample is what the scheduler says of a process's main thread at one moment. Two of them tell one that works from one
// that hangs.
type SchedulerSample struct {
	Stopped  bool          // by a signal or a debugger: it does nothing until another lets it go on
	Runnable bool          // it has a processor, or waits for its turn on one
	CPU      time.Duration // how much it has used; it never shrinks
}

// Usage is what a process uses of the machine.
type Usage struct {
	CPU               time.Duration // of all threads since the start, and of children that have ended
	Resident, Swapped int64         // bytes of memory
}

// Process is one that was started or found again. Its methods may be called from several goroutines.
type Process interface {
	ID() string
	PID() int
	// Exited is closed when the process is gone.
	Exited() <-chan struct{}
	// Dial connects to the process's Socket.
	Dial(ctx context.Context) (net.Conn, error)
	// Stop asks it to end, kills it when it has not done so within grace (0 kills at once), and returns when it is
	// gone.
	Stop(ctx context.Context, grace time.Duration) error
	// SchedulerSample looks at the main thread, without disturbing it. It fails when the process is gone.
	SchedulerSample() (SchedulerSample, error)
	// CPU is that of a Pulse, for a third of its cost.
	CPU() (time.Duration, error)
	// AllCPU is what all of its threads have used, for a quarter of the cost of CPU. It fails when the process is gone.
	AllCPU() (time.Duration, error)
	// Usage looks at the whole process, as Pulse does at the main thread.
	Usage() (Usage, error)
	// Suspended tells whether something outside keeps the process from running: a signal (SIGSTOP), a debugger, or the
	// freezer of its cgroup. Its memory is as it was. It fails when the process is gone.
	Suspended() (bool, error)
	// Resume has a process that a signal stopped go on (SIGCONT), and returns when it does. It fails when something
	// else holds it.
	Resume(ctx context.Context) error
	// LimitMemory bounds the memory that the process may write to, in bytes: one that wants more is refused it, and
	// ends if it cannot go on without. It is never given less than it has, nor more than the machine can do without.
	LimitMemory(most int64) error
	// Disconnect ends the connections that others have made to a TCP port of the process, without its doing, and
	// returns how many. Their listener stays. It fails where the kernel does not let larder at the process's
	// descriptors.
	Disconnect(port int) (ended int, err error)
	// Rewrite gives the files that it was started with, see Spec.Files, other contents. It does not tell the process,
	// and fails when the process is gone.
	Rewrite(files [][]byte) error
	// LastWords is the end of what it logged.
	LastWords() string
}

// Runtime starts processes and finds them again.
type Runtime interface {
	// Start returns when the process accepts connections on its Socket. A process that ends before that is an error
	// which holds its last words. So is an id whose process still runs, or is being started: two would have the same
	// files.
	Start(ctx context.Context, spec Spec) (Process, error)
	// Adopt returns the processes that an earlier run of larder left running.
	Adopt(ctx context.Context) ([]Process, error)
	// Remove deletes what is kept of a process that is gone.
	Remove(id string) error
}
