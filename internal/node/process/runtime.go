// Package process runs nodes as processes of this machine. Each node leads its own session, so that it outlives larder.
// Larder watches it through a pidfd, so that it notices an exit at once and never signals a reused process id.
package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/childenv"
	"larder/internal/isolate"
	"larder/internal/node"
)

const pollSocket = time.Millisecond

// Runtime keeps one directory per process below Dir. It is the process's working directory, with its log and socket.
type Runtime struct {
	// Dir is created if it does not exist, but its parents are not: a deleted installation must not partly come back.
	Dir string
	// OwnLog is the path of the program's own log, which gets the same bound as the processes' logs. Empty means none.
	OwnLog string

	guard    isolate.Guard
	watchers sync.WaitGroup
	starts   sync.WaitGroup // Starts that are running
	mu       sync.Mutex
	live     map[*process]struct{}
	starting map[string]bool // ids of processes that are being started
	ended    bool            // End was called: Start fails
}

// Start starts a process; see node.Runtime.
func (r *Runtime) Start(ctx context.Context, spec node.Spec) (node.Process, error) {
	if err := r.reserve(spec.ID); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", spec.ID, err)
	}
	defer r.release(spec.ID)
	dir := filepath.Join(r.Dir, spec.ID)
	log, err := r.prepare(dir, spec)
	if errors.Is(err, syscall.ENOSPC) {
		return nil, fmt.Errorf("cannot start %s: the disk that holds %s is full: free some space", spec.ID, r.Dir)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", spec.ID, err)
	}
	defer log.Close()
	files, err := memoryFiles(childenv.StdinName(dir), append([][]byte{spec.Stdin}, spec.Files...))
	if err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", spec.ID, err)
	}
	defer closeAll(files)

	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = dir, files[0], log, log, files[1:]
	cmd.Env = append(childenv.Of(kindOf(spec), dir, os.Environ()), "TZ=UTC") // for times in logs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	// The process inherits the ignored signal; see limitLog. In this process, a refused write is an error in any case.
	signal.Ignore(unix.SIGXFSZ)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", spec.ID, err)
	}
	p, err := r.watch(spec.ID, dir, cmd.Process, true)
	if err != nil {
		return nil, errors.Join(err, cmd.Process.Kill())
	}
	err = r.open()
	if err == nil {
		err = p.confine(spec)
	}
	if err == nil {
		err = p.awaitSocket(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot start %s: %w", spec.ID, err), p.Stop(context.WithoutCancel(ctx), 0))
	}
	return p, nil
}

// confine sets the limits of a process that has just started. If the process is gone already, awaitSocket reports why.
// Larder's own programs get no log limit: they log little, whatever clients send.
func (p *process) confine(spec node.Spec) error {
	err := leaveNoCore(p.pid)
	if err == nil && kindOf(spec) == childenv.Node {
		var size int64
		if size, err = logSize(p.dir); err == nil {
			err = limitLog(p.pid, max(size, maxLog)+slackLog)
		}
	}
	if errors.Is(err, unix.ESRCH) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// kindOf returns the kind of a process. A runtime starts nodes, and larder's own program as a relay.
func kindOf(spec node.Spec) childenv.Kind {
	if own, err := os.Executable(); err == nil && spec.Path == own {
		return childenv.Relay
	}
	return childenv.Node
}

// reserve reserves an id for one start. It fails if a process of that id runs.
func (r *Runtime) reserve(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range r.live {
		if p.id == id {
			return fmt.Errorf("it runs already, as process %d", p.pid)
		}
	}
	if r.starting[id] {
		return errors.New("it is being started already")
	}
	if r.ended {
		return errEnded
	}
	if r.starting == nil {
		r.starting = map[string]bool{}
	}
	r.starting[id] = true
	r.starts.Add(1)
	return nil
}

func (r *Runtime) release(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.starting, id)
	r.starts.Done()
}

// errEnded refuses a start after End.
var errEnded = errors.New("larder ends its processes")

// open returns errEnded after End.
func (r *Runtime) open() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return errEnded
	}
	return nil
}

// End kills every process of the runtime, and makes running and later Starts fail. It needs no files of the processes,
// which may be deleted. It returns when the processes are gone, and how many it ended.
func (r *Runtime) End(ctx context.Context) (ended int, err error) {
	r.mu.Lock()
	r.ended = true
	live := slices.Collect(maps.Keys(r.live)) // a Start that is not among them sees that the runtime has ended
	r.mu.Unlock()
	var each sync.WaitGroup
	errs := make([]error, len(live))
	for i, p := range live {
		each.Go(func() {
			errs[i] = r.guard.Do("the end of "+p.id, func() error { return p.Stop(ctx, 0) })
		})
	}
	each.Wait()
	r.starts.Wait()
	return len(live), errors.Join(errs...)
}

// prepare creates the process's directory and opens its log.
func (r *Runtime) prepare(dir string, spec node.Spec) (*os.File, error) {
	for _, d := range []string{r.Dir, dir} {
		if err := os.Mkdir(d, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	if err := os.Remove(filepath.Join(dir, node.Socket)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(filepath.Join(dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// memoryName is the prefix of names of files in memory.
const memoryName = "larder-"

// memoryFiles creates files that exist in memory only, positioned at their beginning. The first one gets the name.
func memoryFiles(name string, contents [][]byte) ([]*os.File, error) {
	var files []*os.File
	for i, content := range contents {
		if i > 0 {
			name = memoryName + strconv.Itoa(i)
		}
		fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
		if err != nil {
			closeAll(files)
			return nil, fmt.Errorf("cannot make a file in memory: %w", err)
		}
		f := os.NewFile(uintptr(fd), "memory")
		files = append(files, f)
		if _, err := f.Write(content); err != nil {
			closeAll(files)
			return nil, fmt.Errorf("cannot fill a file in memory: %w", err)
		}
		if _, err := f.Seek(0, 0); err != nil {
			closeAll(files)
			return nil, err
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

// Adopt finds the processes whose working directory is one of the runtime's, even if that was deleted. A process counts
// as a node if it works in such a directory, leads its session, and reads the file in memory. Therefore a program that
// a person runs in such a directory is not adopted, and no lost or damaged file hides a node. If Adopt cannot inspect a
// process it fails, because a second process would be started beside a node that it missed.
func (r *Runtime) Adopt(ctx context.Context) ([]node.Process, error) {
	root, err := realPath(r.Dir)
	if errors.Is(err, fs.ErrNotExist) { // it was deleted, or nothing was ever started
		root, err = realPath(filepath.Dir(r.Dir))
		root = filepath.Join(root, filepath.Base(r.Dir))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look for processes: %w", err)
	}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("cannot look for processes: %w", err)
	}
	var found []node.Process
	for _, entry := range processes {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil { // not a process
			continue
		}
		proc := filepath.Join("/proc", entry.Name())
		dir, err := os.Readlink(filepath.Join(proc, "cwd"))
		if err != nil || filepath.Dir(dir) != root { // it ended, belongs to another user, or is not in Dir
			continue
		}
		p, err := r.adopt(proc, pid, strings.TrimSuffix(dir, " (deleted)"))
		switch {
		case errors.Is(err, unix.ESRCH), errors.Is(err, fs.ErrNotExist): // it has just ended, or is no node
		case err != nil:
			return found, fmt.Errorf("cannot look at process %d, which may be a node: %w", pid, err)
		case p != nil:
			found = append(found, p)
		}
	}
	return found, nil
}

// adopt watches a process if it is a node, and otherwise returns nil.
func (r *Runtime) adopt(proc string, pid int, dir string) (node.Process, error) {
	if is, err := isNode(proc, pid); err != nil || !is {
		return nil, err
	}
	handle, err := os.FindProcess(pid)
	if err != nil {
		return nil, err
	}
	p, err := r.watch(filepath.Base(dir), dir, handle, false)
	if err != nil {
		return nil, err
	}
	p.opened.Store(true)
	return p, nil
}

// realPath returns the path by which the kernel reports a directory.
func realPath(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// isNode reports whether a runtime started a process, as the leader of its session, and it runs.
func isNode(proc string, pid int) (bool, error) {
	stdin, err := os.Readlink(filepath.Join(proc, "fd", "0"))
	if err != nil {
		return false, err
	}
	sid, err := unix.Getsid(pid)
	if _, started := childenv.StdinMark(stdin); err != nil || sid != pid || !started {
		return false, err
	}
	zombie, err := isZombie(proc)
	return err == nil && !zombie, err
}

// isZombie reports whether a process has ended, but nobody waited for it. This happens where nothing reaps orphans.
func isZombie(proc string) (bool, error) {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	_, fields, _ := strings.Cut(string(stat), ") ") // the name in parentheses may contain spaces
	return strings.HasPrefix(fields, "Z"), err
}

// Remove deletes the process's directory.
func (r *Runtime) Remove(id string) error { return os.RemoveAll(filepath.Join(r.Dir, id)) }

// Close ends the watching. The processes continue.
func (r *Runtime) Close() error {
	r.mu.Lock()
	for p := range r.live {
		p.pidfd.Close()
	}
	r.mu.Unlock()
	r.watchers.Wait()
	return nil
}

// Detached returns the ids of processes whose socket was deleted, alone or with its directory, so that nobody can
// connect any more. Existing connections continue.
func (r *Runtime) Detached() []string {
	r.mu.Lock()
	live := slices.Collect(maps.Keys(r.live))
	r.mu.Unlock()
	var ids []string
	for _, p := range live {
		if _, err := os.Lstat(filepath.Join(p.dir, node.Socket)); p.opened.Load() && errors.Is(err, fs.ErrNotExist) {
			ids = append(ids, p.id)
		}
	}
	slices.Sort(ids)
	return ids
}

// PIDs returns the process ids of the running nodes.
func (r *Runtime) PIDs(context.Context) (map[string]int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pids := map[string]int{}
	for p := range r.live {
		pids[p.id] = p.pid
	}
	return pids, nil
}
