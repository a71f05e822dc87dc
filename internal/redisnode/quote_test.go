package redisnode_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/internal/testkit"
)

// TestAReplicaThatFailsQuotesNoData: a script can hide a write from replicas. A replica that then fails to apply the
// next write logs the end of its replication stream, with keys and values. Neither its log nor what larder reads from
// it contains them.
func TestAReplicaThatFailsQuotesNoData(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.serving(nil)
	if err := b.Follow(t.Context(), netip.AddrPortFrom(a.config.Address, port), false); err != nil {
		t.Fatal(err)
	}
	b.await("linked", linked)
	c := a.client(a.config.Address, "", token)
	if err := c.Set(t.Context(), "key", "the-canary", 0).Err(); err != nil {
		t.Fatal(err)
	}
	script := `redis.set_repl(redis.REPL_NONE) redis.call('DEL', KEYS[1]) redis.set_repl(redis.REPL_ALL) return ` +
		`redis.call('LPUSH', KEYS[1], ARGV[1])`
	if err := c.Eval(t.Context(), script, []string{"key"}, "the-canary").Err(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.home(), "node.log")
	var raw []byte
	testkit.Within(t, patience, "the replica logs its failure", func() (done bool) {
		raw, _ = os.ReadFile(path)
		_, after, found := strings.Cut(string(raw), "Latest backlog is: ")
		return found && strings.Contains(after, "\n")
	})
	read := make([]byte, 64<<10)
	if _, n, err := f.runtime.ReadLog(b.process.ID(), 0, read); err != nil ||
		strings.Contains(string(read[:n]), "canary") {
		t.Errorf("it is read from the log, %v", err)
	}
	if strings.Contains(b.process.LastWords(), "canary") {
		t.Error("it is in the last words")
	}
	if err := f.runtime.TrimLogs(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(after), "canary") || len(after) < len(raw) {
		t.Errorf("it is left in the log, %v:\n%s", err, after)
	}
	if !strings.Contains(string(raw), "canary") {
		t.Error("the server quotes nothing: this test shows nothing")
	}
}
