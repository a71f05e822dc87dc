package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/testkit"
)

// TestCIJob is a CI job of a Node program with TLS, a token and a failover in the middle: it reads all that it wrote,
// and nothing of it is left. `make bench` says how long it takes.
func TestCIJob(t *testing.T) {
	requirements(t)
	bin, home := t.TempDir(), filepath.Join(t.TempDir(), "state")
	output(t, command(t, "go", "build", "-o", filepath.Join(bin, "larder"), "larder/cmd/larder"))
	job := func() *exec.Cmd {
		cmd := command(t, "testdata/ci/job.sh")
		cmd.Env = append(testkit.Environment(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"),
			"LARDER_HOME="+home, "LARDER_LISTEN="+testkit.Address(t))
		return cmd
	}
	for range 2 { // a second job on the same machine finds all as the first one did
		said := output(t, job())
		for _, line := range []string{
			"shop-dev-redis is up in us-east-1", `{"read":200,"role":"master","tls":"true","moved":true}`,
			"shop-dev-redis is gone.\n", "The engine is stopped; it had no nodes.\n",
		} {
			if !strings.Contains(said, line) {
				t.Errorf("the job does not say %q:\n%s", line, said)
			}
		}
		for _, p := range processes(t, home) {
			t.Errorf("the job leaves process %d in %s", p.PID, p.Dir)
		}
	}
	lost := job()
	lost.Env = append(lost.Env, "NODE_OPTIONS=--require="+write(t, "no.js", "process.exit(3)"))
	if said, err := run(lost); err == nil || len(processes(t, home)) > 0 {
		t.Errorf("a job whose program fails ends with %v, and leaves %v\n%s", err, processes(t, home), said)
	}
}
