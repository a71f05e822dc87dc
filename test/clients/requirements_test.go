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
	for _, client := range []string{"ioredis", "redis", "@aws-sdk/client-s3"} {
		if _, err := os.Stat(filepath.Join("node_modules", client, "package.json")); err != nil {
			t.Errorf("the npm package %s is missing: %s: %v", client, installClients, err)
		}
	}
	for _, module := range []string{goredis, goRefusalsModule} {
		check := command(t, "go", "mod", "download")
		check.Dir = module
		check.Env = append(os.Environ(), "GOPROXY=off")
		if _, err := run(check); err != nil {
			t.Errorf("what %s imports is missing: %s: %v", module, installClients, err)
		}
	}
	python = pythonWith(t, "redis")
	if t.Failed() {
		t.FailNow()
	}
	return python
}

// pythonWith finds the user's Python or the system's, whichever has a module.
func pythonWith(t *testing.T, module string) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if _, err := run(command(t, path, "-c", "import "+module)); err == nil {
			return path
		}
	}
	t.Errorf("Python's %s is missing: %s", module, installClients)
	return ""
}
