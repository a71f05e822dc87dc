package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// firstFile is the descriptor of the first of a process's files; see node.Spec.
const firstFile = 3

// Rewrite replaces the contents of the process's files in memory; see node.Process.
func (p *process) Rewrite(contents [][]byte) error {
	for i, content := range contents {
		if err := p.rewrite(firstFile+i, content); err != nil {
			return fmt.Errorf("cannot give %s (process %d) another file %d: %w", p.id, p.pid, i, err)
		}
	}
	return nil
}

func (p *process) rewrite(descriptor int, content []byte) error {
	path := filepath.Join("/proc", strconv.Itoa(p.pid), "fd", strconv.Itoa(descriptor))
	target, err := os.Readlink(path)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(target, "/memfd:"+memoryName) {
		return fmt.Errorf("%s is %s, and none of larder's files in memory", path, target)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if err = p.present(); err == nil { // otherwise the number may belong to another process
		_, err = f.WriteAt(content, 0)
	}
	if err == nil {
		err = f.Truncate(int64(len(content)))
	}
	return errors.Join(err, f.Close())
}

// present returns an error if the process is gone.
func (p *process) present() error {
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return err
	}
	var gone error
	err = conn.Control(func(fd uintptr) { gone = unix.PidfdSendSignal(int(fd), 0, nil, 0) })
	return errors.Join(err, gone)
}
