// Package redisnode is everything that larder says to one redis-server: its configuration, its users, and the commands
// that give it a role.
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

// Users that larder keeps beside the clients' own.
const (
	AdminUser       = "larder"
	ReplicationUser = "larder-replication"
)

// Where a node finds its TLS files. They are given as node.Spec.Files, in this order, and exist in memory only.
const (
	certificateFile = "/proc/self/fd/3"
	keyFile         = "/proc/self/fd/4"
	authorityFile   = "/proc/self/fd/5"
)

// Config is what a redis-server is started with.
type Config struct {
	Address             netip.Addr
	Port                int
	TLS                 bool
	Directives          map[string]string // the parameter group's, boot and live
	AuthTokens          []string          // of the default user; with none, or with an empty one among them, it needs no password
	AdminPassword       string
	ReplicationPassword string
}

// Render writes the configuration file, which holds secrets: it goes to the server over standard input. The server
// starts without a TCP port: it serves nobody until Serve.
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

// safeguards are directives that no parameter group changes either, and that a running server takes: Protect gives them
// to one that an older larder started.
var safeguards = map[string]string{
	"crash-log-enabled":      "no",      // a crash report quotes the command that ran, with its keys and values
	"crash-memcheck-enabled": "no",      // would test all of the memory before the server is gone
	"loglevel":               "notice",  // below it, protocol errors are logged with what the client sent
	"maxmemory-clients":      "100%",    // of maxmemory, for all clients together; those that hold the most are cut off
	"sanitize-dump-payload":  "clients", // RESTORE of a damaged payload would end the server
}

// bufferLimit is the one directive among the parameters that takes several arguments.
const bufferLimit = "client-output-buffer-limit"

// maxOutput is the most, in bytes, that a node holds back for one client that does not read it, where the parameter
// group sets no limit.
const maxOutput = 1 << 30

// bulkLimit is the longest argument that a client may send. redis-server makes room for all of one that is announced
// before any of it has come.
const (
	bulkLimit = "proto-max-bulk-len"
	leastBulk = 1 << 20 // that redis-server takes
)

// bounded returns the directives with limits of what one client may have a node hold: all that it may hold for data,
// where the parameter group allows more. What is held back for a client where the group sets no limit is bounded by
// maxOutput too: one command, such as SRANDMEMBER with a count of a billion, would else take all memory of the machine.
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

// secure are the directives of a server that uses TLS.
var secure = [][]string{
	{"tls-auth-clients", "no"}, {"tls-protocols", "TLSv1.2 TLSv1.3"},
	{"tls-cert-file", certificateFile}, {"tls-key-file", keyFile}, {"tls-ca-cert-file", authorityFile},
}

// fixed are the directives that no parameter group changes. Nothing may write data to a disk: no snapshot, no
// append-only file, and replication without files on either side.
func (c Config) fixed() [][]string {
	address := c.Address.String()
	out := [][]string{
		{"daemonize", "no"}, {"logfile", ""}, {"always-show-logo", "no"},
		{"unixsocket", node.Socket}, {"unixsocketperm", "700"},
		{"port", "0"}, {"tls-port", "0"}, {"bind", address}, {"bind-source-addr", address},
		{"protected-mode", "no"},
		// it takes every address but 127.0.0.1 for a foreign one; the users below protect the node
		{"save", ""}, {"appendonly", "no"}, {"stop-writes-on-bgsave-error", "no"},
		{"repl-diskless-sync", "yes"}, {"repl-diskless-sync-delay", "0"}, {"repl-diskless-load", "swapdb"},
		{"repl-ping-replica-period", "1"},
		{"replica-announce-ip", address}, {"replica-announce-port", fmt.Sprint(c.Port)},
		{"masteruser", ReplicationUser}, {"masterauth", c.ReplicationPassword},
		{"shutdown-timeout", "0"},
		{"oom-score-adj", "relative"}, // on a machine without memory, a replica or a copy is ended before a primary
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

// defaultUserRules give the clients' user all keys and commands. Its channels follow acl-pubsub-default, as reset does.
func defaultUserRules(tokens []string) []string {
	return append([]string{"reset", "on", "~*", "+@all"}, passwordRules(tokens)...)
}

// passwordRules replace a user's passwords. A user without one takes any, which is how a first token is brought in:
// clients may use it already, and need not yet.
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

// hash is a password as an ACL rule that does not show it.
func hash(password string) string {
	sum := sha256.Sum256([]byte(password))
	return "#" + hex.EncodeToString(sum[:])
}

// quote spells an argument as redis-server's configuration file wants it.
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
