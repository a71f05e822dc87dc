package app

import (
	"errors"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestASocketOfAnotherIsRefused: a process that listens in the state directory, by a socket or a link to one, and does
// not hold it, is sent nothing.
func TestASocketOfAnotherIsRefused(t *testing.T) {
	for _, linked := range []bool{false, true} {
		home := Home(t.TempDir())
		path := home.SocketFile()
		if linked {
			path = t.TempDir() + "/other.sock"
			if err := os.Symlink(path, home.SocketFile()); err != nil {
				t.Fatal(err)
			}
		}
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		var stranger *StrangerError
		if conn, err := home.Dial(t.Context()); !errors.As(err, &stranger) || stranger.PID != os.Getpid() {
			t.Errorf("linked %t: %v, %v", linked, conn, err)
		}
	}
}

// TestTheEngineIsWhoHoldsTheDirectory: its socket has mode 0600, and is answered for by the lock.
func TestTheEngineIsWhoHoldsTheDirectory(t *testing.T) {
	home := Home(t.TempDir())
	dir, err := home.hold()
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	l, err := listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(home.SocketFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info, err)
	}
	conn, err := home.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestAPipeForAnInfoFileKeepsNobodyWaiting, and is said to be no file.
func TestAPipeForAnInfoFileKeepsNobodyWaiting(t *testing.T) {
	home := Home(t.TempDir())
	if err := unix.Mkfifo(home.infoFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	var unreadable *InfoError
	if _, err := home.ReadInfo(); !errors.As(err, &unreadable) {
		t.Errorf("%v", err)
	}
}
