// Package clients_test runs the connection examples of the seed, as they are written there, against a group that larder
// runs: a user who pastes one gets what it promises.
package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// example is a section of the seed that shows how to connect.
type example struct {
	heading  string
	language string // of its fence
	program  func(t *testing.T, example string) *exec.Cmd
	want     string // on standard output
}

var examples = []example{
	{"### Using redis-cli", "bash", shell, "PONG\nPONG\n"},
	{"### Using Node.js (ioredis)", "javascript", ioredis, "Redis PING: PONG\n"},
	{"### Using Node.js (redis library v4+)", "javascript", nodeRedis, "PONG\n"},
	{"### Using Python (redis-py)", "python", python, "True\n"},
	{"### Using Go (go-redis)", "go", golang, "PONG\n"},
	{"### Read/Write Split Strategy", "javascript", split, `read: {"name":"Ada"}
role: slave
write: READONLY You can't write against a read only replica.
primary: {"name":"Ada"}
`},
}

// TestClients brings one group up for all its parts.
func TestClients(t *testing.T) {
	python, botocore := requirements(t), pythonWith(t, "botocore")
	up(t, python)
	modules, err := filepath.Abs("node_modules")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NODE_PATH", modules)
	t.Run("examples", testExamples)
	t.Run("trust", testTrust)
	t.Run("fish", testFish)
	t.Run("refusals", func(t *testing.T) { testRefusals(t, botocore) })
	t.Run("outputs", testOutputs)
	t.Run("snapshot outputs", testSnapshotOutputs)
}

func testExamples(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		t.Run(e.name(), func(t *testing.T) {
			t.Parallel()
			if got := output(t, e.program(t, fenced(t, e.heading, e.language))); got != e.want {
				t.Errorf("printed %q, want %q", got, e.want)
			}
		})
	}
}

// testTrust runs the examples without the local CA: that they succeed with it would mean little if no one looked.
func testTrust(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		t.Run(e.name(), func(t *testing.T) {
			t.Parallel()
			cmd := e.program(t, fenced(t, e.heading, e.language))
			cmd.Env = append(cmd.Environ(), "SSL_CERT_FILE="+os.DevNull, "NODE_EXTRA_CA_CERTS="+os.DevNull)
			if got, err := run(cmd); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("printed %q and %v, want a complaint about the certificate", got, err)
			}
		})
	}
}

func (e example) name() string { return strings.TrimLeft(e.heading, "# ") }
