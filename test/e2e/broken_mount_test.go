package e2e

import (
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"larder/internal/testkit"
)

// TestAStateDirectoryOnABrokenFileSystem: the file system of a state directory that an engine uses hangs, its server
// ends, or it answers errors. Every command ends soon, says what is wrong and where, and what to do next. The engine
// and its nodes go on, and are found when the file system is.
func TestAStateDirectoryOnABrokenFileSystem(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	node := d.status("uex-payments-dev-redis").Nodes[0].PID
	where := "(on " + d.home + ", which is larder-test of type fuse)"
	commands := []string{"status", "status --json", "up " + seed + "development.tf", "down --yes", "mail", "env", "top",
		"logs", "doctor", "serve --listen 127.0.0.1:0", "destroy --yes"}
	for _, c := range []struct {
		name   string
		answer syscall.Errno
		ends   bool
		says   string
	}{
		{"it hangs", 0, false, "hangs: the file system of " + d.home + " has not answered for 5s"},
		{"its server ended", 0, true, "transport endpoint is not connected"},
		{"it fails", syscall.EIO, false, "input/output error"},
		{"its server was replaced", syscall.ESTALE, false, "stale file handle"},
	} {
		t.Run(c.name, func(t *testing.T) {
			end := testkit.BrokenMount(t, d.home, c.answer)
			if c.ends {
				end()
			}
			began := time.Now()
			var work sync.WaitGroup
			for _, line := range commands {
				work.Go(func() {
					r := d.larder(strings.Fields(line)...)
					said := strings.Join(strings.Fields(r.stderr+r.stdout), " ")
					for _, text := range []string{c.says, where, "next: "} {
						if r.code != 1 || !strings.Contains(said, text) {
							t.Errorf("%s ends with %d, and does not say %q:\n%s", line, r.code, text, said)
						}
					}
				})
			}
			work.Wait()
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("the commands take %s", took)
			}
		})
	}
	if now := d.status("uex-payments-dev-redis").Nodes[0].PID; now != node {
		t.Errorf("the node has process %d, had %d", now, node)
	}
}
