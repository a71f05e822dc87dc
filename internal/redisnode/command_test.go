package redisnode_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/internal/redisnode"
)

// TestEveryCommandHasARule: every command of the server needs a rule before clients may send it.
func TestEveryCommandHasARule(t *testing.T) {
	s := newField(t).start(nil)
	known := s.commands()
	for name, c := range known {
		rule, ok := redisnode.RuleOf(name)
		if !ok {
			t.Errorf("%s has no rule: decide what it can do to a node, and enter it in CommandRules", name)
			continue
		}
		if rule.Why == "" {
			t.Errorf("%s has a rule without a reason", name)
		}
		if len(c.subcommands) == 0 && s.mayRun("default", c) == (rule.Treatment == redisnode.Withheld) {
			t.Errorf("%s is %s, and clients may run it: %v", name, rule.Treatment, s.mayRun("default", c))
		}
	}
	seen := map[string]bool{}
	for _, rule := range redisnode.CommandRules {
		for _, name := range rule.Commands {
			if seen[name] {
				t.Errorf("%s has two rules", name)
			}
			if _, ok := known[name]; !ok {
				t.Errorf("%s has a rule, and is no command of this server", name)
			}
			seen[name] = true
		}
	}
	if _, ok := redisnode.RuleOf("script|unheard-of"); ok {
		t.Error("a subcommand that nobody knows has the rule of its container")
	}
}

// TestScriptDebugIsWithheld: SCRIPT DEBUG would stop or fork the server.
func TestScriptDebugIsWithheld(t *testing.T) {
	s := newField(t).serving(nil)
	for _, mode := range []string{"SYNC", "YES", "NO"} {
		if err := s.client(s.config.Address, "", token).Do(t.Context(), "SCRIPT", "DEBUG", mode).Err(); err == nil ||
			!strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("SCRIPT DEBUG %s answers %v", mode, err)
		}
	}
}

// damaged returns DUMP payloads with a valid checksum and content that does not fit the type. Each ends a server that
// does not verify payloads.
func damaged(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, body := range map[string]string{
		// A listpack (type 16: hash). Its header claims a megabyte and entries that are missing.
		"hash": "\x10\x10\x00\x00\x10\x00\x02\x00\x81a\x02\x01\x01\x01\x01\xff",
		"zset": "\x11\x0c\x0c\x00\x00\x00\x02\x00\xf0\xff\xff\xff\x7f\xff",
		// A list with one node. The listpack's entry is longer than the listpack.
		"list": "\x12\x01\x02\x0b\x0b\x00\x00\x00\x01\x00\xbfx\x02\xff\xff",
		"set":  "\x0b\x10\x08\x00\x00\x00\xff\xff\xff\x7f\x01\x00\x00\x00\x00\x00\x00\x00",
	} {
		payload := body + "\x0a\x00"
		sum := ^crc64.Update(^uint64(0), jones, []byte(payload))
		for shift := 0; shift < 64; shift += 8 {
			payload += string([]byte{byte(sum >> shift)})
		}
		out[name] = payload
	}
	return out
}

// jones is the polynomial of redis-server's checksum, bit-reversed for hash/crc64.
var jones = crc64.MakeTable(0x95ac9329ac4bc9b5)

// TestADamagedPayloadIsRefused: the server refuses the payload and survives whatever is done with the key afterwards.
func TestADamagedPayloadIsRefused(t *testing.T) {
	s := newField(t).serving(nil)
	c := s.client(s.config.Address, "", token)
	if err := c.Set(t.Context(), "good", "value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	payload, err := c.Dump(t.Context(), "good").Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Restore(t.Context(), "copy", 0, payload).Err(); err != nil {
		t.Errorf("a good payload is refused: %v", err)
	}
	for name, payload := range damaged(t) {
		err := c.Restore(t.Context(), name, 0, payload).Err()
		if err == nil || !strings.Contains(err.Error(), "Bad data format") {
			t.Errorf("%s (%s) answers %v", name, base64.StdEncoding.EncodeToString([]byte(payload)), err)
		}
		for _, use := range [][]any{{"HGETALL", name}, {"ZRANGE", name, 0, -1}, {"LRANGE", name, 0, -1},
			{"SMEMBERS", name}, {"DUMP", name}, {"DEL", name}} {
			c.Do(t.Context(), use...)
		}
	}
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("the server is gone: %v", err)
	}
}

// TestOneAnswerIsBounded: an answer larger than the memory ends the client, not the server.
func TestOneAnswerIsBounded(t *testing.T) {
	s := newField(t).serving(func(c *redisnode.Config) { c.Directives["maxmemory"] = fmt.Sprint(64 << 20) })
	c := s.client(s.config.Address, "", token)
	if err := c.SAdd(t.Context(), "set", "member").Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), "SRANDMEMBER", "set", -2_000_000_000).Err(); err == nil {
		t.Error("there is an answer")
	}
	var peak int64
	for line := range strings.Lines(fmt.Sprint(s.do("INFO", "memory"))) {
		fmt.Sscanf(line, "used_memory_peak:%d", &peak)
	}
	if peak == 0 || peak > 256<<20 {
		t.Errorf("the server took %d bytes", peak)
	}
}

// TestWhatAllClientsHoldIsBounded: a client that announces 512 MB gets a buffer of that size at once, and keeps it as
// long as it wants. The server disconnects the clients with the most memory. No client may exempt itself.
func TestWhatAllClientsHoldIsBounded(t *testing.T) {
	s := newField(t).serving(func(c *redisnode.Config) { c.Directives["maxmemory"] = fmt.Sprint(64 << 20) })
	good := s.client(s.config.Address, "", token)
	err := good.Do(t.Context(), "CLIENT", "NO-EVICT", "ON").Err()
	if err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
		t.Errorf("CLIENT NO-EVICT answers %v", err)
	}
	for i := range 3 {
		conn, err := net.Dial("tcp", s.at().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "AUTH %s\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n", token)
		if said, err := io.ReadAll(conn); isTimeout(err) {
			t.Errorf("client %d is held: %q", i, said)
		}
	}
	if err := good.Ping(t.Context()).Err(); err != nil {
		t.Errorf("a client that holds nothing: %v", err)
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// TestAScriptsMemoryIsBounded: maxmemory does not limit a script's memory. If the node exceeds its limit, it ends, or
// it ends the script. It does not take the memory of other nodes.
func TestAScriptsMemoryIsBounded(t *testing.T) {
	s := newField(t).serving(nil)
	if err := s.process.LimitMemory(1); err != nil { // the limit becomes the memory in use and 256 MiB
		t.Fatal(err)
	}
	c := s.client(s.config.Address, "", token)
	script := `local t = {} for i = 1, 4000 do t[i] = string.rep('x', 1000000) .. i end return #t`
	if n, err := c.Eval(t.Context(), script, nil).Result(); err == nil {
		t.Errorf("a script had 4 GB to work with: %v", n)
	}
}

// TestALogOfManyLinesIsBounded: a script cannot fill the disk with log lines. Lines that are logged later are kept.
func TestALogOfManyLinesIsBounded(t *testing.T) {
	f := newField(t)
	s := f.serving(nil)
	c := s.client(s.config.Address, "", token)
	script := `for i = 1, 20000 do redis.log(redis.LOG_WARNING, string.rep('x', 900)) end`
	for round := range 3 {
		if err := c.Eval(t.Context(), script, nil).Err(); err != nil && err.Error() != "redis: nil" {
			t.Fatal(err)
		}
		if on := onDisk(t, filepath.Join(s.home(), "node.log")); on > 5<<20+64<<10 {
			t.Fatalf("round %d: %d bytes on the disk", round, on)
		}
		if err := f.runtime.TrimLogs(); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint("the line after round ", round)
		if err := c.Eval(t.Context(), `redis.log(redis.LOG_WARNING, ARGV[1]); return 1`, nil, line).Err(); err != nil {
			t.Fatal(err)
		}
		if words := s.process.LastWords(); !strings.HasSuffix(words, line) {
			t.Errorf("round %d: the last words are %q", round, words)
		}
	}
}

// TestAnOlderServerIsProtected: Protect gives the safeguards to a server that was started without them, and withholds
// from its clients' user what is withheld now.
func TestAnOlderServerIsProtected(t *testing.T) {
	s := newField(t).serving(nil)
	s.do("CONFIG", "SET", "crash-log-enabled", "yes", "sanitize-dump-payload", "no", "loglevel", "verbose",
		"maxmemory-clients", "0")
	s.do("ACL", "SETUSER", "default", "+script|debug", "+failover", "+client|pause", "+client|unpause")
	if err := s.Protect(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"crash-log-enabled": "no", "sanitize-dump-payload": "clients", "loglevel": "notice",
		"maxmemory-clients": "100%",
	} {
		if got := s.get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	known := s.commands()
	for _, name := range []string{"script|debug", "failover", "client|pause", "client|unpause"} {
		if s.mayRun("default", known[name]) {
			t.Errorf("clients may run %s", name)
		}
	}
	if s.answer("", token) != "PONG" {
		t.Error("the token does not work any more")
	}
}

func onDisk(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return blocks(info)
}
