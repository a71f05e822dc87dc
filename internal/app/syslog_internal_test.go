package app

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheSystemsLogIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	daemon, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	if err := tellSystem(t.Context(), path, "it is gone", at); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 1<<10)
	n, err := daemon.Read(line)
	if got := string(line[:n]); err != nil || !strings.HasPrefix(got, "<26>Mar  4 05:06:07 larder[") ||
		!strings.HasSuffix(got, "]: it is gone\n") {
		t.Errorf("the daemon read %q: %v", got, err)
	}

	// Nobody reads: what the socket takes is written, and then a line that it does not take is given up.
	for begin := time.Now(); err == nil; {
		if time.Since(begin) > time.Minute {
			t.Fatal("a daemon that does not read takes everything")
		}
		begin := time.Now()
		err = tellSystem(t.Context(), path, strings.Repeat("x", 4<<10), at)
		if took := time.Since(begin); took > 20*systemPatience {
			t.Errorf("a line took %s", took)
		}
	}
}

func TestAMachineWithoutALog(t *testing.T) {
	err := tellSystem(t.Context(), filepath.Join(t.TempDir(), "log"), "it is gone", time.Now())
	if err == nil || !strings.Contains(err.Error(), "cannot write to the system's log") {
		t.Error(err)
	}
}

// A daemon may listen on a stream, as some do.
func TestAStreamIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	daemon, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	if err := tellSystem(t.Context(), path, "it is gone", time.Now()); err != nil {
		t.Fatal(err)
	}
	conn, err := daemon.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	line := make([]byte, 1<<10)
	if n, err := conn.Read(line); err != nil || !strings.Contains(string(line[:n]), "it is gone") {
		t.Errorf("the daemon read %q: %v", line[:n], err)
	}
}
