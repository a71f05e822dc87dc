package clients_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// testOutputs runs the outputs that are commands, in a shell.
func testOutputs(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"redis_cli_command":         "PONG\n",
		"connection_test_command":   "PONG\n",
		"nodejs_connection_example": "PONG\n",
		"python_connection_example": "True\n",
		"go_connection_example":     "PONG <nil>\n",
	}
	commands := commandOutputs(t)
	for name := range want {
		if commands[name] == "" {
			t.Errorf("there is no output %s", name)
		}
	}
	for name := range commands {
		if strings.HasPrefix(name, "snapshot_") {
			delete(commands, name) // see testSnapshotOutputs
		}
	}
	for name, text := range commands {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, "sh", "-c", `eval "$(larder env)"`+"\n"+text)
			cmd.Stdin = strings.NewReader("PING\n") // for redis-cli's prompt
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), moduleCache(t)...)
			cmd.Env = append(cmd.Env, "TMPDIR="+t.TempDir(), "REDIS_AUTH_TOKEN=", "REDISCLI_AUTH=")
			if got := output(t, cmd); got != want[name] {
				t.Errorf("printed %q, want %q", got, want[name])
			}
		})
	}
}

// testSnapshotOutputs takes a snapshot with one output, and starts another group from it with the other.
func testSnapshotOutputs(t *testing.T) {
	t.Parallel()
	commands := commandOutputs(t)
	run := func(text string, env ...string) string {
		cmd := command(t, "sh", "-c", `eval "$(larder env)"`+"\n"+text)
		cmd.Env = append(os.Environ(), env...)
		return output(t, cmd)
	}
	var made struct{ Snapshot struct{ SnapshotName string } }
	if err := json.Unmarshal([]byte(run(commands["snapshot_create_command"])), &made); err != nil {
		t.Fatal(err)
	}
	name := made.Snapshot.SnapshotName
	deadline := time.Now().Add(time.Minute)
	for !strings.Contains(run("aws elasticache describe-snapshots --snapshot-name "+name),
		`"SnapshotStatus": "available"`) {
		if time.Now().After(deadline) {
			t.Fatalf("the snapshot %s is not available", name)
		}
	}
	restored := run(commands["snapshot_restore_command"], "GROUP=restored", "SNAPSHOT="+name)
	if !strings.Contains(restored, `"ReplicationGroupId": "restored"`) ||
		!strings.Contains(restored, `"AuthTokenEnabled": true`) {
		t.Errorf("printed %s", restored)
	}
}

// commandOutputs are the outputs that are named as commands are.
func commandOutputs(t *testing.T) map[string]string {
	t.Helper()
	var outputs map[string]struct{ Value any }
	if err := json.Unmarshal([]byte(output(t, command(t, "larder", "outputs", "--json"))), &outputs); err != nil {
		t.Fatal(err)
	}
	commands := map[string]string{}
	for name, o := range outputs {
		if text, ok := o.Value.(string); ok &&
			(strings.HasSuffix(name, "_command") || strings.HasSuffix(name, "_example")) {
			commands[name] = text
		}
	}
	return commands
}

// moduleCache has go fetch modules from this machine's cache alone. What is in the cache was checked when it came.
func moduleCache(t *testing.T) []string {
	t.Helper()
	cache := strings.TrimSpace(output(t, command(t, "go", "env", "GOMODCACHE")))
	return []string{"GOPROXY=file://" + cache + "/cache/download", "GOSUMDB=off", "GOWORK=off"}
}
