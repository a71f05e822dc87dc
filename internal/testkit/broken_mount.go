package testkit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// BrokenMount mounts a file system over a directory until the test ends. It returns the error answer for everything; if
// answer is 0 it never answers, like a file system whose server was stopped. end ends its server: from then on the
// kernel returns ENOTCONN. If the machine permits no mount or lacks FUSE, BrokenMount calls Missing.
func BrokenMount(t *testing.T, dir string, answer syscall.Errno) (end func()) {
	t.Helper()
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		Missing(t, "there is no FUSE: "+err.Error())
	}
	err = syscall.Mount("larder-test", dir, "fuse", 0,
		fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d", device, os.Getuid(), os.Getgid()))
	server := os.NewFile(uintptr(device), "/dev/fuse") // the runtime polls it; that works as for any mounted one
	if err != nil {
		server.Close()
		if errors.Is(err, unix.EPERM) {
			Missing(t, "this user may not mount a file system")
		}
		t.Fatal(err)
	}
	end = sync.OnceFunc(func() { server.Close() })
	t.Cleanup(func() {
		end()
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
			t.Error(err)
		}
	})
	if answer != 0 {
		go refuse(server, answer)
	}
	return end
}

// Operations of the FUSE protocol. Source: include/uapi/linux/fuse.h.
const (
	fuseForget      = 2
	fuseInit        = 26
	fuseBatchForget = 42
)

// refuse answers every request with an error, except the first, which negotiates the protocol.
func refuse(server *os.File, answer syscall.Errno) {
	const header, code, unique = 16, 4, 8
	request := make([]byte, 1<<20)
	for {
		n, err := server.Read(request)
		if err != nil || n < header {
			return // the server was ended, or the file system unmounted
		}
		reply := make([]byte, header)
		switch binary.NativeEndian.Uint32(request[code:]) {
		case fuseForget, fuseBatchForget:
			continue
		case fuseInit:
			reply = append(reply, make([]byte, 64)...)
			binary.NativeEndian.PutUint32(reply[header:], 7)    // major version of the protocol
			binary.NativeEndian.PutUint32(reply[header+4:], 31) // minor version
			binary.NativeEndian.PutUint32(reply[header+20:], 1<<16)
		default:
			binary.NativeEndian.PutUint32(reply[4:], uint32(-int32(answer)))
		}
		binary.NativeEndian.PutUint32(reply, uint32(len(reply)))
		copy(reply[8:], request[unique:header])
		if _, err := server.Write(reply); err != nil {
			return
		}
	}
}
