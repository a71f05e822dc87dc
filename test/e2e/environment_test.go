package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// environment of a process, as everybody who may look at it sees it.
func environment(t *testing.T, pid int) string {
	t.Helper()
	return strings.ReplaceAll(read(t, fmt.Sprintf("/proc/%d/environ", pid)), "\x00", "\n")
}

// TestTheShellsEnvironmentGoesNoFurther: nothing that goes on after `larder up` has what its shell had, and neither has
// `larder serve`.
func TestTheShellsEnvironmentGoesNoFurther(t *testing.T) {
	t.Parallel()
	const canary = "the-canary-of-the-environment"
	d := newHarness(t)
	for _, name := range []string{
		"TF_VAR_secret", "MY_TOKEN", "GOOGLE_CREDENTIALS", "GOAUTH", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"GITHUB_TOKEN",
		"DATABASE_URL", "REDISCLI_AUTH", "LARDER_SECRET", "LC", "GOPROXY",
	} {
		d.env = append(d.env, name+"="+canary)
	}
	d.must("up", seed+"production.tf")
	kinds, all := map[string]int{}, d.processes()
	for _, p := range all {
		env := environment(t, p.PID)
		if strings.Contains(env, canary) {
			t.Errorf("process %d in %s has the canary:\n%s", p.PID, p.Dir, env)
		}
		for _, kind := range []string{"engine", "relay"} {
			if strings.Contains(env, "\nLARDER_PROCESS="+kind+"\n") {
				kinds[kind]++
			}
		}
	}
	if kinds["engine"] != 1 || kinds["relay"] != 1 || len(all) < 4 { // redis-server writes its title over its mark
		t.Errorf("marked processes: %v of %d", kinds, len(all))
	}
	d.kill(d.pid())
	d.eventually("the engine is gone", func() bool { return len(d.pids()) == len(all)-1 })

	serve := exec.Command(program, "serve", "--listen", "127.0.0.1:0")
	serve.Env, serve.Dir = d.env, d.home
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	d.eventually("the engine serves", func() bool {
		_, err := os.Stat(filepath.Join(d.home, "engine.json"))
		return err == nil && d.larder("status").code == 0
	})
	if pid := serve.Process.Pid; d.pid() != pid || strings.Contains(environment(t, pid), canary) {
		t.Errorf("larder serve, process %d, runs as %d with\n%s", pid, d.pid(), environment(t, pid))
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("larder serve: %v", err)
	}
}
