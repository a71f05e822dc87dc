package redisnode_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/internal/redisnode"
)

// command describes a command as COMMAND INFO does.
type command struct {
	name        string
	words       int // minimal number of words, including its own
	subcommands []command
}

// commands returns the server's command table.
func (s *server) commands() map[string]command {
	s.Helper()
	out := map[string]command{}
	for _, row := range s.do("COMMAND").([]any) {
		c := parseCommand(row.([]any))
		out[c.name] = c
		for _, sub := range c.subcommands {
			out[sub.name] = sub
		}
	}
	return out
}

func parseCommand(row []any) command {
	c := command{name: row[0].(string), words: int(max(row[1].(int64), -row[1].(int64)))}
	for _, sub := range row[9].([]any) {
		c.subcommands = append(c.subcommands, parseCommand(sub.([]any)))
	}
	return c
}

// mayRun asks the server whether a user may run a command. It is true of a container only if all subcommands are
// allowed.
func (s *server) mayRun(user string, c command) bool {
	s.Helper()
	if len(c.subcommands) > 0 {
		return !slices.ContainsFunc(c.subcommands, func(sub command) bool { return !s.mayRun(user, sub) })
	}
	args := []any{"ACL", "DRYRUN", user}
	for word := range strings.SplitSeq(c.name, "|") {
		args = append(args, word)
	}
	for len(args) < 3+c.words {
		args = append(args, "1")
	}
	answer, err := s.admin.Do(s.Context(), args...).Text()
	if err != nil {
		s.Fatalf("%v: %v", args, err)
	}
	if answer != "OK" && !strings.Contains(answer, "no permissions") {
		s.Fatalf("%v: %s", args, answer)
	}
	return answer == "OK"
}

// withheld is ElastiCache's list (restricted_commands.md, section 1).
var withheld = []string{
	"acl|setuser", "acl|load", "acl|save", "acl|deluser", "bgrewriteaof", "bgsave", "cluster|addslots",
	"cluster|addslotsrange",
	"cluster|bumpepoch", "cluster|delslots", "cluster|delslotsrange", "cluster|failover", "cluster|flushslots",
	"cluster|forget",
	"cluster|links", "cluster|meet", "cluster|setslot", "config", "debug", "migrate", "psync", "replicaof", "save",
	"shutdown", "slaveof", "sync",
}

// given lists commands that ElastiCache permits, although one might expect otherwise.
var given = []string{
	"acl|whoami", "acl|cat", "acl|genpass", "acl|log", "cluster|info",
	"cluster|nodes", "cluster|slots",
	"cluster|shards", "cluster|keyslot", "cluster|countkeysinslot", "cluster|getkeysinslot", "cluster|myid",
	"cluster|replicas",
	"keys", "monitor", "slowlog", "latency", "memory", "object", "function", "fcall", "eval", "swapdb", "move", "wait",
	"script|load", "script|exists", "script|flush", "script|kill",
	"client|caching", "client|getname", "client|getredir", "client|id", "client|info", "client|kill", "client|list",
	"client|reply", "client|setname", "client|tracking", "client|trackinginfo", "client|unblock",
	"flushall", "flushdb", "info", "command", "dbsize", "subscribe", "get", "set",
}

// TestCommandsOfTheClientsUser: withheld commands are refused, and all subcommands of withheld containers. All others
// are permitted.
func TestCommandsOfTheClientsUser(t *testing.T) {
	s := newField(t).start(nil)
	known := s.commands()
	refused := map[string]bool{}
	for _, name := range append(slices.Clone(withheld), redisnode.Restricted...) {
		c, ok := known[name]
		if !ok {
			t.Errorf("%s is no command of this server", name)
			continue
		}
		for _, part := range append([]command{c}, c.subcommands...) {
			refused[part.name] = true
			if len(part.subcommands) == 0 && s.mayRun("default", part) {
				t.Errorf("%s is withheld, and may be run", part.name)
			}
		}
		if !s.mayRun(redisnode.AdminUser, c) {
			t.Errorf("larder itself may not run %s", name)
		}
	}
	for _, name := range given {
		if c, ok := known[name]; !ok || !s.mayRun("default", c) {
			t.Errorf("%s is given, and may not be run", name)
		}
	}
	for name, c := range known {
		if len(c.subcommands) == 0 && !refused[name] && !s.mayRun("default", c) {
			t.Errorf("%s is not withheld, and may not be run", name)
		}
		mayReplicate := slices.Contains([]string{"psync", "replconf", "ping"}, name)
		if len(c.subcommands) == 0 && s.mayRun(redisnode.ReplicationUser, c) != mayReplicate &&
			!slices.Contains([]string{"auth", "hello", "reset", "quit"}, name) {
			t.Errorf("the replicas' user and %s", name)
		}
	}
}

// TestRefusalsReachTheClient: clients get the error codes that they know.
func TestRefusalsReachTheClient(t *testing.T) {
	s := newField(t).serving(nil)
	c := s.client(s.config.Address, "", token)
	for _, args := range [][]any{{"CONFIG", "GET", "maxmemory"}, {"REPLICAOF", "NO", "ONE"},
		{"ACL", "SETUSER", "default", "nopass"},
		{"EVAL", "return redis.call('CONFIG', 'GET', 'maxmemory')", "0"},
		{"EVAL", "return redis.call('ACL', 'DELUSER', 'larder')", "0"},
		{"SHUTDOWN", "NOSAVE"}, {"MODULE", "LIST"}, {"CLIENT", "PAUSE", "600000"}, {"CLIENT", "UNPAUSE"}} {
		if err := c.Do(t.Context(), args...).Err(); err == nil || !strings.Contains(err.Error(), "NOPERM") &&
			!strings.Contains(err.Error(), "not allowed") {
			t.Errorf("%v answers %v", args, err)
		}
	}
}

// answer returns the answer to a client with that user and password.
func (s *server) answer(user, password string) string {
	c := s.client(s.config.Address, user, password)
	defer c.Close()
	if err := c.Ping(context.WithoutCancel(s.Context())).Err(); err != nil {
		word, _, _ := strings.Cut(err.Error(), " ")
		return word
	}
	return "PONG"
}

func TestTokens(t *testing.T) {
	const other = "another-token-of-enough-characters"
	f := newField(t)
	s := f.serving(func(c *redisnode.Config) { c.AuthTokens = nil })
	opened := s.client(s.config.Address, "", "")
	id := connectionID(t, opened)
	for _, step := range []struct {
		tokens []string
		want   [4]string // without a token, with the first, with the other, with a wrong one
	}{
		{nil, [4]string{"PONG", "PONG", "PONG", "PONG"}},
		{[]string{"", token}, [4]string{"PONG", "PONG", "PONG", "PONG"}}, // the first token is being introduced
		{[]string{token}, [4]string{"NOAUTH", "PONG", "WRONGPASS", "WRONGPASS"}},
		{[]string{token, other}, [4]string{"NOAUTH", "PONG", "PONG", "WRONGPASS"}}, // the token is being rotated
		{[]string{other}, [4]string{"NOAUTH", "WRONGPASS", "PONG", "WRONGPASS"}},
	} {
		if err := s.SetTokens(t.Context(), step.tokens); err != nil {
			t.Fatal(err)
		}
		for _, tokens := range [][]string{nil, {""}, {token}, {other}, {token, other}, {other, token}} {
			same := slices.Equal(sortedRules(tokens), sortedRules(step.tokens))
			if takes, err := s.TakesTokens(t.Context(), tokens); err != nil || takes != same {
				t.Errorf("%q: takes %q: %t, %v", step.tokens, tokens, takes, err)
			}
		}
		started := f.serving(func(c *redisnode.Config) { c.AuthTokens = step.tokens })
		for name, s := range map[string]*server{"as it runs": s, "started": started} {
			got := [4]string{s.answer("", ""), s.answer("", token), s.answer("", other), s.answer("", "wrong")}
			if got != step.want {
				t.Errorf("%q, %s: %v, want %v", step.tokens, name, got, step.want)
			}
		}
		if c := s.commands()["config"]; s.mayRun("default", c.subcommands[0]) {
			t.Errorf("%q: withheld commands are given", step.tokens)
		}
	}
	if connectionID(t, opened) != id {
		t.Error("a connection that was open was broken")
	}
}

// sortedRules returns the rules that admit clients: tokens in a fixed order, or nothing if none is needed.
func sortedRules(tokens []string) []string {
	if slices.Contains(tokens, "") {
		return nil
	}
	return slices.Sorted(slices.Values(tokens))
}

func TestLardersOwnUsersNeedTheirPasswords(t *testing.T) {
	s := newField(t).serving(func(c *redisnode.Config) { c.AuthTokens = nil })
	for _, c := range []struct{ user, password, want string }{
		{redisnode.AdminUser, token, "WRONGPASS"}, {redisnode.AdminUser, replicationPassword, "WRONGPASS"},
		{redisnode.AdminUser, adminPassword, "PONG"},
		{redisnode.ReplicationUser, adminPassword, "WRONGPASS"},
		{redisnode.ReplicationUser, replicationPassword, "PONG"},
	} {
		if got := s.answer(c.user, c.password); got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.user, c.password, got, c.want)
		}
	}
}

// TestNothingIsOnDisk: neither data nor secrets are on disk, on either side of a full copy.
func TestNothingIsOnDisk(t *testing.T) {
	const value = "a value that nobody else may read"
	f := newField(t)
	a, b := f.serving(withTLS), f.start(withTLS)
	a.do("SET", "k", value)
	b.follow(a)
	b.await("in sync", linked)
	if err := a.client(a.config.Address, "", "a wrong token").Ping(t.Context()).Err(); err == nil {
		t.Error("a wrong token is taken")
	}
	for name, want := range map[string]string{"save": "", "appendonly": "no", "repl-diskless-sync": "yes",
		"repl-diskless-load": "swapdb"} {
		if got := a.get(name); got != want { // these would write data to disk later
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	secrets := []string{value, token, adminPassword, replicationPassword, "PRIVATE KEY"}
	for _, s := range []*server{a, b} {
		var files []string
		err := filepath.WalkDir(s.home(), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files = append(files, d.Name())
			if d.Type()&fs.ModeSocket != 0 {
				return nil
			}
			raw, err := os.ReadFile(path)
			for _, secret := range secrets {
				if bytes.Contains(raw, []byte(secret)) {
					t.Errorf("%s holds %q", path, secret)
				}
			}
			return err
		})
		if want := []string{"admin.sock", "node.log"}; err != nil || !slices.Equal(files, want) {
			t.Errorf("the directory holds %v, want %v; %v", files, want, err)
		}
		for _, name := range []string{"cmdline", "environ"} {
			raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.process.PID()), name))
			if err != nil && !errors.Is(err, fs.ErrPermission) {
				t.Error(err)
			}
			for _, secret := range secrets {
				if bytes.Contains(raw, []byte(secret)) {
					t.Errorf("its %s holds %q", name, secret)
				}
			}
		}
	}
}
