package process

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/durable"
)

const (
	logName   = "node.log"
	logIDName = "node.log.id"
	maxLog    = 4 << 20 // bytes of a log that stay on disk
	slackLog  = 1 << 20 // bytes that a process may log between two trims
	keepLogs  = 5 * time.Second
)

// LogSize returns how many bytes the processes of an id have logged. Consecutive processes share a log. It is 0 if
// there is none.
func (r *Runtime) LogSize(id string) (int64, error) {
	size, err := logSize(filepath.Join(r.Dir, id))
	if err != nil {
		return 0, fmt.Errorf("cannot read the log of %s: %w", id, err)
	}
	return size, nil
}

func logSize(dir string) (int64, error) {
	info, err := os.Stat(filepath.Join(dir, logName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// LogID returns an identifier of the log of id. After Remove, a new log of the same id has another. The identifier is
// created at the first call.
func (r *Runtime) LogID(id string) (string, error) {
	path := filepath.Join(r.Dir, id, logIDName)
	name, err := os.ReadFile(path)
	if err == nil && len(name) > 0 {
		return string(name), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("cannot tell which log %s has: %w", id, err)
	}
	made := rand.Text()
	if err := durable.WriteFile(path, []byte(made)); err != nil {
		return "", fmt.Errorf("cannot name the log of %s: %w", id, err)
	}
	return made, nil
}

// ReadLog reads the log of an id from an offset. begin is where the returned part begins: at the offset, or later if
// that part was dropped. Offsets do not change when parts are dropped. At the end of the log, n is 0.
func (r *Runtime) ReadLog(id string, from int64, p []byte) (begin int64, n int, err error) {
	f, err := os.Open(filepath.Join(r.Dir, id, logName))
	if err != nil {
		return from, 0, fmt.Errorf("cannot read the log of %s: %w", id, err)
	}
	defer f.Close()
	begin, err = unix.Seek(int(f.Fd()), from, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) { // there are no data behind the offset
		return from, 0, nil
	}
	if err == nil {
		n, err = f.Read(p)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return from, 0, fmt.Errorf("cannot read the log of %s: %w", id, err)
	}
	// Dropping leaves whole blocks, so that the rest may begin inside a block whose first part reads as zeros.
	kept := bytes.TrimLeft(p[:n], "\x00")
	redact(kept)
	begin += int64(n - len(kept))
	return begin, copy(p, kept), nil
}

// KeepLogs keeps every log within its bound until ctx ends. It logs a warning for each process that logged too much.
func (r *Runtime) KeepLogs(ctx context.Context, logger *slog.Logger) error {
	tick := time.NewTicker(keepLogs)
	defer tick.Stop()
	for told := ""; ; {
		full, err := r.keepLogs()
		if err == nil {
			told = ""
		} else if err.Error() != told { // log a lasting error once
			told = err.Error()
			logger.Error("cannot keep the logs of nodes within their bound", "error", err)
		}
		for _, id := range full {
			logger.Warn("a node logged more than its log takes at once: some of it is lost", "node", id, "bytes",
				slackLog, "within", keepLogs)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// TrimLogs drops the oldest part of each log that is too long, and permits the processes to write on.
func (r *Runtime) TrimLogs() error {
	_, err := r.keepLogs()
	return err
}

// keepLogs does what TrimLogs does, and returns the ids of processes that reached their limit since the last call.
func (r *Runtime) keepLogs() (full []string, err error) {
	logs, err := fs.Glob(os.DirFS(r.Dir), "*/"+logName)
	if err != nil {
		return nil, err
	}
	for i, name := range logs {
		logs[i] = filepath.Join(r.Dir, name)
	}
	if r.OwnLog != "" {
		logs = append(logs, r.OwnLog)
	}
	var errs []error
	for _, path := range logs {
		if err := trim(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // just removed, or not created yet
			errs = append(errs, fmt.Errorf("cannot drop the oldest part of %s: %w", path, err))
		}
	}
	r.mu.Lock()
	live := slices.Collect(maps.Keys(r.live))
	r.mu.Unlock()
	for _, p := range live {
		was, err := p.letLog()
		if was {
			full = append(full, p.id)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, fs.ErrNotExist) { // it has just ended
			errs = append(errs, fmt.Errorf("cannot limit what %s logs: %w", p.id, err))
		}
	}
	return full, errors.Join(errs...)
}

// letLog permits a process with a limit to log slackLog more bytes, and reports whether it had reached the limit. It
// also prevents core files, because an earlier larder may not have done that.
func (p *process) letLog() (full bool, err error) {
	if err := errors.Join(leaveNoCore(p.pid), p.redactLog()); err != nil {
		return false, err
	}
	limit, limited, err := logLimit(p.pid)
	if err != nil || !limited {
		return false, err
	}
	size, err := logSize(p.dir)
	if err != nil {
		return false, err
	}
	return size >= limit, limitLog(p.pid, max(size, maxLog)+slackLog)
}

// trim returns the blocks of a log's oldest part to the disk. The file's length stays, and so do offsets, so that a
// process which appends meanwhile loses nothing. At most maxLog and slackLog bytes exist until the next trim.
func trim(path string) error {
	const block = 64 << 10 // smaller parts are not worth a system call
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Blocks*512 <= maxLog+block {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, st.Size-maxLog)
}
