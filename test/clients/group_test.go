package clients_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"larder/internal/testkit"
)

// token has every character that ElastiCache allows beside letters and digits.
const token = "a&b#c$d^e<f>g-h!0123"

// up brings up the seed's production configuration with a larder built from this tree, and makes this test's
// environment that of someone who uses it. At the end of the test the group is taken down, and a process that stays is
// a failure.
func up(t *testing.T, python string) {
	t.Helper()
	bin, home := t.TempDir(), t.TempDir()
	output(t, command(t, "go", "build", "-o", filepath.Join(bin, "larder"), "larder/cmd/larder"))
	if err := os.Symlink(python, filepath.Join(bin, "python3")); err != nil {
		t.Fatal(err)
	}
	leaveAWS(t)
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv("LARDER_HOME", home)
	t.Setenv("LARDER_LISTEN", testkit.Address(t))
	t.Setenv("TF_VAR_redis_auth_token", token)
	t.Cleanup(func() { down(t, home) })
	output(t, command(t, "larder", "up", seedDir+"production.tf"))
	if n := len(processes(t, home)); n < 4 {
		t.Errorf("%d processes run under %s, want at least the engine and three nodes", n, home)
	}

	variables := map[string]string{}
	if err := json.Unmarshal([]byte(output(t, command(t, "larder", "env", "--json"))), &variables); err != nil {
		t.Fatal(err)
	}
	for variable, name := range map[string]string{
		"REDIS_HOST":             "redis_endpoint_address",
		"REDIS_PRIMARY_ENDPOINT": "replication_group_primary_endpoint_address",
		"REDIS_READER_ENDPOINT":  "replication_group_reader_endpoint_address",
		"REDIS_AUTH_TOKEN":       "auth_token",
	} {
		variables[variable] = strings.TrimSpace(output(t, command(t, "larder", "outputs", name)))
	}
	for name, value := range variables {
		t.Setenv(name, value)
	}
}

// leaveAWS takes this user's own AWS configuration out of the environment.
func leaveAWS(t *testing.T) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // has it restored afterwards
			os.Unsetenv(name)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

func down(t *testing.T, home string) {
	if _, err := run(command(t, "larder", "down", "--yes")); err != nil {
		t.Error(err)
	}
	for _, p := range processes(t, home) {
		t.Errorf("larder down left process %d in %s", p.PID, p.Dir)
		if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
}
