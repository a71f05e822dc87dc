package cachemetric

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"larder/internal/testkit"
)

// groups are the groups of COMMAND DOCS that a family counts as a whole.
var groups = map[string]string{
	"bitmap": "String", "cluster": "Cluster", "generic": "Key", "geo": "GeoSpatial", "hash": "Hash",
	"hyperloglog": "HyperLogLog", "list": "List",
	"pubsub": "PubSub", "set": "Set", "sorted-set": "SortedSet", "stream": "Stream", "string": "String",
}

// The table is what the redis-server of this machine says of its commands.
func TestCommandsAreTheServers(t *testing.T) {
	client := server(t)
	docs, err := client.Do(t.Context(), "COMMAND", "DOCS").Result()
	if err != nil {
		t.Fatal(err)
	}
	all, err := client.Do(t.Context(), "COMMAND").Slice()
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]string{}
	for name, doc := range docs.(map[any]any) {
		families[name.(string)] = groups[doc.(map[any]any)["group"].(string)]
	}
	for _, run := range []string{"eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro"} {
		families[run] = "Eval"
	}
	want := map[string][2]string{}
	for _, c := range all {
		row := c.([]any)
		parent := row[0].(string)
		subs := row[9].([]any)
		if len(subs) == 0 {
			subs = []any{row}
		}
		for _, sub := range subs {
			row := sub.([]any)
			want[row[0].(string)] = [2]string{families[parent], keys(row)}
		}
	}
	got := map[string][2]string{}
	for name, c := range table(t) {
		got[name] = [2]string{c.family, c.keys}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands.csv is not what redis-server says (-server +table):\n%s", diff)
	}
}

// keys tells what a command of COMMAND does with keys.
func keys(row []any) string {
	flags := map[any]bool{}
	for _, f := range row[2].([]any) {
		flags[f] = true
	}
	switch {
	case len(row[8].([]any)) == 0 && !flags["movablekeys"]:
		return "none"
	case flags["write"]:
		return "write"
	case flags["readonly"]:
		return "read"
	}
	return "other"
}

func server(t *testing.T) *redis.Client {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		testkit.Missing(t, err.Error())
	}
	dir, err := os.MkdirTemp("", "cachemetric-") // a socket's path may have 107 characters, which t.TempDir exceeds
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	t.Cleanup(func() {
		client.Close()
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for client.Ping(ctx).Err() != nil {
		if ctx.Err() != nil {
			t.Fatal("redis-server does not answer")
		}
	}
	return client
}
