package e2e

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestACrashLeavesNothingInPlainText: a node that crashes in the middle of a script with keys and arguments leaves them
// nowhere, by whichever signal, also where the user's limit allows core files.
func TestACrashLeavesNothingInPlainText(t *testing.T) {
	t.Parallel()
	const canary = "canary-in-the-mine"
	d := newHarness(t)
	dir := d.write("main.tf", shopCall(line{"num_cache_nodes", "2"}))
	d.must("up", dir)
	for _, pid := range append(d.pids(), d.pid()) {
		var limit unix.Rlimit
		if err := unix.Prlimit(pid, unix.RLIMIT_CORE, nil, &limit); err != nil || limit.Max != 0 {
			t.Errorf("process %d may leave a core file of %d bytes, %v", pid, limit.Max, err)
		}
	}
	for _, s := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL,
		syscall.SIGABRT} {
		var id string
		var pid int
		d.eventually("the group has its primary", func() bool {
			g := d.status(shop)
			for _, n := range g.Nodes {
				if n.Role == "primary" {
					id, pid = n.ID, n.PID
				}
			}
			return g.Status == "available"
		})
		c := d.client(d.status(shop).Primary)
		c.Options().MaxRetries = 0 // the next primary shall not run the script
		if err := c.Set(context.Background(), canary+"-key", canary+"-value", 0).Err(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.Eval(context.Background(),
				"redis.log(redis.LOG_WARNING, 'begun under '.."+strconv.Itoa(int(s))+") while true do end",
				[]string{canary + "-argument-key"}, canary+"-argument")
		}()
		d.eventually("the script runs", func() bool {
			return strings.Contains(read(t, d.home+"/nodes/"+id+"/node.log"), "begun under "+strconv.Itoa(int(s)))
		})
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
		<-ended
		d.eventually("the crash is in the node's log", func() bool {
			return strings.Contains(read(t, d.home+"/nodes/"+id+"/node.log"), "was ended by "+unix.SignalName(s))
		})
	}
	for _, group := range []string{engineLogs, slowLogs} {
		for stream, messages := range d.events(group, "") {
			if strings.Contains(strings.Join(messages, "\n"), canary) {
				t.Errorf("it is in %s of %s", stream, group)
			}
		}
	}
	err := filepath.WalkDir(d.home, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // nodes' files come and go
		}
		if strings.HasPrefix(e.Name(), "core") {
			t.Errorf("%s is left", path)
		}
		if raw, err := os.ReadFile(path); err == nil && bytes.Contains(raw, []byte(canary)) {
			t.Errorf("it is in %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
