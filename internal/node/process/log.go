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
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/durable"
)

const (
	logName   = "node.log"
	logIDName = "node.log.id"
	maxLog    = 4 << 20 // bytes of a log that are kept on disk
	slackLog  = 1 << 20 // bytes by which a log may exceed that before its oldest part goes
	keepLogs  = 15 * time.Second
)

// LogSize is how much the processes of an id have logged, in bytes; one follows the other in the log. It is 0 where nothing was.
func (r *Runtime) LogSize(id string) (int64, error) {
	info, err := os.Stat(filepath.Join(r.Dir, id, logName))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("cannot read the log of %s: %w", id, err)
	}
	return info.Size(), nil
}

// LogID names the log of an id: what has the same name after Remove has another. It is made when it is first asked for.
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

// ReadLog reads the log of an id from an offset on, and says where what it read begins: at the offset, or behind it where that part is
// not kept any more. Offsets stay what they are, whatever is dropped. At the end it reads nothing.
func (r *Runtime) ReadLog(id string, from int64, p []byte) (begin int64, n int, err error) {
	f, err := os.Open(filepath.Join(r.Dir, id, logName))
	if err != nil {
		return from, 0, fmt.Errorf("cannot read the log of %s: %w", id, err)
	}
	defer f.Close()
	begin, err = unix.Seek(int(f.Fd()), from, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) { // there is nothing behind it
		return from, 0, nil
	}
	if err == nil {
		n, err = f.Read(p)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return from, 0, fmt.Errorf("cannot read the log of %s: %w", id, err)
	}
	// Where something was dropped the rest begins in the middle of a block, whose first part reads as zeros.
	kept := bytes.TrimLeft(p[:n], "\x00")
	begin += int64(n - len(kept))
	return begin, copy(p, kept), nil
}

// KeepLogs keeps every log within its bound on disk until ctx ends.
func (r *Runtime) KeepLogs(ctx context.Context, logger *slog.Logger) error {
	tick := time.NewTicker(keepLogs)
	defer tick.Stop()
	for {
		if err := r.TrimLogs(); err != nil {
			logger.Error("cannot keep the logs of nodes within their bound", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// TrimLogs drops the oldest part of logs that have become too long. The processes go on writing meanwhile.
func (r *Runtime) TrimLogs() error {
	logs, err := filepath.Glob(filepath.Join(r.Dir, "*", logName))
	if err != nil {
		return err
	}
	if r.OwnLog != "" {
		logs = append(logs, r.OwnLog)
	}
	var errs []error
	for _, path := range logs {
		if err := trim(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // removed this moment, or not there yet
			errs = append(errs, fmt.Errorf("cannot drop the oldest part of %s: %w", path, err))
		}
	}
	return errors.Join(errs...)
}

// trim gives the blocks of a log's oldest part back to the disk. The file keeps its length, and so its offsets: a process that has
// it open, and appends this moment, loses nothing.
func trim(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Blocks*512 <= maxLog+slackLog {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, st.Size-maxLog)
}
