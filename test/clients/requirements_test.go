package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What installs the programs, as messages name it.
const (
	installRedis   = "run scripts/install-redis"
	installClients = "run scripts/install-clients"
)

// requirements fails the test with what to run where something is missing, and returns the Python that has redis-py.
func requirements(t *testing.T) (python string) {
	t.Helper()
	for _, need := range []struct{ program, install string }{
		{"redis-server", installRedis}, {"redis-cli", installRedis},
		{"bash", "install it"}, {"node", installClients}, {"jq", installClients}, {"aws", installClients},
	} {
		// A version manager's shim can be in PATH with nothing behind it.
		if _, err := run(command(t, need.program, "--version")); err != nil {
			t.Errorf("%s is missing: %s: %v", need.program, need.install, err)
		}
	}
	for _, client := range []string{"ioredis", "redis"} {
		if _, err := os.Stat(filepath.Join("node_modules", client, "package.json")); err != nil {
			t.Errorf("the npm package %s is missing: %s: %v", client, installClients, err)
		}
	}
	check := command(t, "go", "mod", "download")
	check.Dir = goredis
	check.Env = append(os.Environ(), "GOPROXY=off")
	if _, err := run(check); err != nil {
		t.Errorf("go-redis version 8 is missing: %s: %v", installClients, err)
	}
	python = pythonWithRedis(t)
	if t.Failed() {
		t.FailNow()
	}
	return python
}

// pythonWithRedis finds the user's Python or the system's, whichever has redis-py.
func pythonWithRedis(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if _, err := run(command(t, path, "-c", "import redis")); err == nil {
			return path
		}
	}
	t.Errorf("redis-py is missing: %s", installClients)
	return ""
}
