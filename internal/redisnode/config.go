// Package redisnode talks to one redis-server: it writes its configuration and users, and sends the commands that set
// its role.
package redisnode

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"larder/internal/node"
)

// Users that larder creates beside the clients' own.
const (
	AdminUser       = "larder"
	ReplicationUser = "larder-replication"
)

// Paths of a node's TLS files. They are passed as node.Spec.Files in this order, and exist in memory only.
const (
	certificateFile = "/proc/self/fd/3"
	keyFile         = "/proc/self/fd/4"
	authorityFile   = "/proc/self/fd/5"
)

// Config is the configuration with which a redis-server is started.
type Config struct {
	Address    netip.Addr
	Port       int
	TLS        bool
	Directives map[string]string // of the parameter group, boot and live
	// AuthTokens are those of the default user. Without tokens, or with an empty one, it needs no password.
	AuthTokens          []string
	AdminPassword       string
	ReplicationPassword string
}

// Render returns the configuration file. It contains secrets, so it is passed over standard input. The server starts
// without a TCP port; Serve opens one.
func (c Config) Render() []byte {
	var b strings.Builder
	line := func(name string, args ...string) {
		b.WriteString(name)
		for _, a := range args {
			b.WriteString(" " + quote(a))
		}
		b.WriteByte('\n')
	}
	for _, d := range c.fixed() {
		line(d[0], d[1:]...)
	}
	for _, name := range slices.Sorted(maps.Keys(safeguards)) {
		line(name, safeguards[name])
	}
	directives := bounded(c.Directives)
	for _, name := range slices.Sorted(maps.Keys(directives)) {
		args := []string{directives[name]}
		if name == bufferLimit {
			args = strings.Fields(args[0])
		}
		line(name, args...)
	}
	for _, user := range c.users() {
		line("user", user...)
	}
	return []byte(b.String())
}

// safeguards are directives that no parameter group can change and that a running server accepts. Protect sets them on
// a server that an older larder started.
var safeguards = map[string]string{
	"crash-log-enabled":      "no",      // a crash report quotes the running command, with keys and values
	"crash-memcheck-enabled": "no",      // it would test all memory before the server ends
	"loglevel":               "notice",  // below it, redis-server logs what clients sent with protocol errors
	"maxmemory-clients":      "100%",    // of maxmemory, for all clients; those with the most memory are disconnected
	"sanitize-dump-payload":  "clients", // RESTORE of a damaged payload would end the server
}

// bufferLimit is the only parameter whose directive has several arguments.
const bufferLimit = "client-output-buffer-limit"

// maxOutput is how many bytes a node buffers for a client that does not read, if the parameter group sets no limit.
const maxOutput = 1 << 30

// bulkLimit bounds the length of an argument. redis-server allocates memory for a whole argument as soon as its length
// is announced.
const (
	bulkLimit = "proto-max-bulk-len"
	leastBulk = 1 << 20 // the smallest value that redis-server accepts
)

// bounded returns the directives with limits for the memory that one client can occupy. An argument is at most as long
// as the node's data may be. Buffered output has the limit maxOutput if the group sets none: otherwise one command,
// such as SRANDMEMBER with a count of a billion, would take all memory of the machine.
func bounded(directives map[string]string) map[string]string {
	out := maps.Clone(directives)
	memory, err := strconv.ParseInt(directives["maxmemory"], 10, 64)
	if err != nil || memory <= 0 {
		memory = math.MaxInt64
	}
	if rest, unlimited := strings.CutPrefix(directives[bufferLimit], "normal 0 "); unlimited {
		out[bufferLimit] = fmt.Sprintf("normal %d %s", min(maxOutput, memory), rest)
	}
	if bulk, err := strconv.ParseInt(directives[bulkLimit], 10, 64); err == nil && bulk > memory {
		out[bulkLimit] = strconv.FormatInt(max(memory, leastBulk), 10)
	}
	return out
}

// secure holds the directives of a server with TLS.
var secure = [][]string{
	{"tls-auth-clients", "no"}, {"tls-protocols", "TLSv1.2 TLSv1.3"},
	{"tls-cert-file", certificateFile}, {"tls-key-file", keyFile}, {"tls-ca-cert-file", authorityFile},
}

// fixed returns the directives that no parameter group can change. They keep data off the disk: no snapshots, no
// append-only file, and diskless replication on both sides.
func (c Config) fixed() [][]string {
	address := c.Address.String()
	out := [][]string{
		{"daemonize", "no"}, {"logfile", ""}, {"always-show-logo", "no"},
		{"unixsocket", node.Socket}, {"unixsocketperm", "700"},
		{"port", "0"}, {"tls-port", "0"}, {"bind", address}, {"bind-source-addr", address},
		{"protected-mode", "no"},
		// redis-server treats every address but 127.0.0.1 as foreign; the users protect the node.
		{"save", ""}, {"appendonly", "no"}, {"stop-writes-on-bgsave-error", "no"},
		{"repl-diskless-sync", "yes"}, {"repl-diskless-sync-delay", "0"}, {"repl-diskless-load", "swapdb"},
		{"repl-ping-replica-period", "1"},
		{"replica-announce-ip", address}, {"replica-announce-port", fmt.Sprint(c.Port)},
		{"masteruser", ReplicationUser}, {"masterauth", c.ReplicationPassword},
		{"shutdown-timeout", "0"},
		{"oom-score-adj", "relative"}, // short of memory, the kernel kills a replica or a copy before a primary
		{"enable-debug-command", "local"},
	}
	if c.TLS {
		out = append(append(out, []string{"tls-replication", "yes"}), secure...)
	}
	return out
}

func (c Config) users() [][]string {
	everything := []string{"~*", "&*", "+@all"}
	clients := append(append([]string{"default"}, defaultUserRules(c.AuthTokens)...), denials()...)
	return [][]string{
		clients,
		append([]string{AdminUser, "reset", "on", hash(c.AdminPassword)}, everything...),
		{ReplicationUser, "reset", "on", hash(c.ReplicationPassword), "+psync", "+replconf", "+ping"},
	}
}

// defaultUserRules gives the clients' user all keys and commands. Its channels follow acl-pubsub-default, because reset
// sets them so.
func defaultUserRules(tokens []string) []string {
	return append([]string{"reset", "on", "~*", "+@all"}, passwordRules(tokens)...)
}

// passwordRules replaces a user's passwords. A user without a password accepts any. Thus a first token can be
// introduced: clients may use it before they must.
func passwordRules(tokens []string) []string {
	rules := []string{"resetpass"}
	if len(tokens) == 0 || slices.Contains(tokens, "") {
		return append(rules, "nopass")
	}
	for _, t := range tokens {
		rules = append(rules, hash(t))
	}
	return rules
}

// hash returns an ACL rule for a password that does not reveal it.
func hash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return "#" + hex.EncodeToString(sum[:])
}

// quote returns an argument in the syntax of redis-server's configuration file.
func quote(s string) string {
	special := func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"'\\#", c) }
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
