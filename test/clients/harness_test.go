package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goredis is the module of the go-redis example: version 8, which the seed imports and larder itself does not.
const goredis = "testdata/goredis"

// shell runs commands as pasted after eval "$(larder env)". The commands' standard input stands for a person who types
// PING at redis-cli's prompt. The trusted certificates stay those of the test.
func shell(t *testing.T, example string) *exec.Cmd {
	t.Helper()
	example = strings.ReplaceAll(example, "<primary-endpoint>", os.Getenv("REDIS_PRIMARY_ENDPOINT"))
	const prologue = `trust=$SSL_CERT_FILE; eval "$(larder env)"; SSL_CERT_FILE=$trust; . "$0"`
	cmd := command(t, "bash", "-e", "-o", "pipefail", "-c", prologue, write(t, "example.sh", example))
	cmd.Stdin = strings.NewReader("PING\n")
	return cmd
}

// fail ends a Node program at a client's first error, where ioredis would try to connect for a minute or for ever.
const fail = `(err) => { console.error(err.message); process.exit(1); }`

// ioredis lets the example's answer come, then leaves.
func ioredis(t *testing.T, example string) *exec.Cmd {
	t.Helper()
	return node(t, example+`
redis.on('error', `+fail+`);
redis.quit();
`)
}

// nodeRedis gives the example the async function that its awaits need, and prints the answer of another PING, for the
// example drops its own.
func nodeRedis(t *testing.T, example string) *exec.Cmd {
	t.Helper()
	return node(t, "(async () => {\n"+example+`
console.log(await client.ping());
await client.close();
})();
`)
}

// split declares what the example takes for granted, and goes on where it ends: a replica may be behind for a moment.
// The microtask runs at the example's first await, when it has made its clients.
func split(t *testing.T, example string) *exec.Cmd {
	t.Helper()
	return node(t, `
const Redis = require('ioredis');
const userData = { name: 'Ada' };
(async () => {
queueMicrotask(() => [primary, replica].forEach((client) => client.on('error', `+fail+`)));
`+example+`
let arrived = data;
const deadline = Date.now() + 60_000;
while (arrived === null && Date.now() < deadline) {
  arrived = await replica.get('user:123');
}
console.log('read:', arrived);
console.log('role:', (await replica.info('replication')).match(/role:(\w+)/)[1]);
console.log('write:', await replica.set('user:123', 'x').catch((err) => err.message));
console.log('primary:', await primary.get('user:123'));
primary.disconnect();
replica.disconnect();
})();
`)
}

func node(t *testing.T, program string) *exec.Cmd {
	t.Helper()
	return command(t, "node", write(t, "example.js", program))
}

func python(t *testing.T, example string) *exec.Cmd {
	t.Helper()
	return command(t, "python3", write(t, "example.py", example))
}

// golang makes a program of the example: it lacks two imports, the context and a use of what it assigns.
func golang(t *testing.T, example string) *exec.Cmd {
	t.Helper()
	imports, statements, found := strings.Cut(example, "\n)\n")
	if !found {
		t.Fatalf("no import block in\n%s", example)
	}
	program := write(t, "main.go", "package main\n\n"+imports+"\n)\n"+`
import (
	"context"
	"fmt"
	"os"
)

func main() {
	ctx := context.Background()
`+statements+`
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(pong)
}
`)
	dir := filepath.Dir(program)
	if err := os.CopyFS(dir, os.DirFS(goredis)); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "go", "run", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOWORK=off")
	return cmd
}
