package process

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Disconnect shuts the connections down through copies of the process's descriptors. The kernel permits that if larder
// may trace the process. Source: pidfd_getfd(2).
func (p *process) Disconnect(port int) (ended int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", p.pid)
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("cannot look at the connections of %s: %w", p.id, err)
	}
	conn, err := p.pidfd.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("cannot look at the connections of %s: %w", p.id, err)
	}
	control := conn.Control(func(pidfd uintptr) {
		for _, f := range files {
			number, failed := strconv.Atoi(f.Name())
			target, unread := os.Readlink(dir + "/" + f.Name())
			if failed != nil || unread != nil || !strings.HasPrefix(target, "socket:") {
				continue // it may have been closed meanwhile
			}
			was, failed := shutDown(int(pidfd), number, port)
			if was {
				ended++
			}
			err = errors.Join(err, failed)
		}
	})
	if err = errors.Join(err, control); err != nil {
		err = fmt.Errorf("cannot end the connections of %s: %w", p.id, err)
	}
	return ended, err
}

// shutDown ends a socket of another process if it is a TCP connection to the port, and then returns true.
func shutDown(pidfd, number, port int) (done bool, err error) {
	fd, err := unix.PidfdGetfd(pidfd, number, 0)
	if errors.Is(err, unix.EBADF) {
		return false, nil // it was closed meanwhile
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	local, err := unix.Getsockname(fd)
	if err != nil {
		return false, err
	}
	at, ok := local.(*unix.SockaddrInet4)
	if _, unconnected := unix.Getpeername(fd); !ok || at.Port != port || unconnected != nil {
		return false, nil
	}
	err = unix.Shutdown(fd, unix.SHUT_RDWR)
	if errors.Is(err, unix.ENOTCONN) {
		return false, nil
	}
	return err == nil, err
}
