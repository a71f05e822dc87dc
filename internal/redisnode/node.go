package redisnode

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"larder/internal/cache"
)

// commandTimeout bounds one exchange with a node. A node that takes longer counts as not responding.
const commandTimeout = time.Second

// buffer is the size of a connection's buffers in bytes, which suffices for usual answers. The library's default of 32
// KiB would be more than half of the memory of an engine with many nodes.
const buffer = 4 << 10

// Node is a connection to one redis-server's admin socket. Its methods may be called from several goroutines.
type Node struct {
	client   *redis.Client
	patient  *redis.Client // shares the connections, but has no commandTimeout
	dial     func(context.Context) (net.Conn, error)
	password string // of AdminUser

	resets     atomic.Int64 // how often the node's statistics were reset
	slowRest   atomic.Int64 // number of pipelines that will skip the slow log
	newestSlow slowEntry    // as it was last read
	kills      atomic.Int64 // number of CLIENT KILLs that larder sent
}

// Connect returns a Node, which connects with dial when it is first used.
func Connect(dial func(context.Context) (net.Conn, error), adminPassword string) *Node {
	client := redis.NewClient(&redis.Options{
		Network: "unix", Addr: "admin", // for messages only: dial knows the address
		Dialer:   lines(dial),
		Username: AdminUser, Password: adminPassword, Protocol: 2,
		PoolSize: 2, ReadBufferSize: buffer, WriteBufferSize: buffer, MaxRetries: -1, DialerRetries: 1,
		DisableIdentity: true,
		DialTimeout:     commandTimeout, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout,
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	patient := client.WithTimeout(0) // a copy that has only its own hooks
	client.AddHook(reconnect{})
	patient.AddHook(reconnect{})
	return &Node{dial: dial, password: adminPassword, client: client, patient: patient}
}

// Close closes the connections.
func (n *Node) Close() error { return n.client.Close() }

// State is what a node reports about itself.
type State struct {
	Primary bool
	Serves  []netip.Addr // addresses of its TCP listeners; none if it has no port
	// Plain and TLS are the ports of its listeners without and with TLS; 0 means none.
	Plain, TLS int
	Certified  bool           // it has a certificate
	Follows    netip.AddrPort // the primary it replicates from; zero for a primary
	LinkUp     bool           // the replication link is up, which implies that the data set is loaded
	Offset     int64          // replication offset in bytes; negative if a replica has no data set yet

	// Stream identifies the replication stream that Offset counts in. If the node continued another stream, StreamBefore
	// identifies that one, and Fork is the offset where it ended. Otherwise StreamBefore is empty.
	Stream, StreamBefore string
	Fork                 int64
	Backlog              int64 // how many bytes a replica may lack and still resume without a full copy
	MinReplicas          int   // value of min-replicas-to-write
	// Connections is the number of all connections, including those of replicas. MaxConnections is the limit (maxclients).
	Connections, MaxConnections int
	NewestSlow                  int64 // id of the slow log's newest entry; -1 if there is none
}

// minReplicas is the directive that makes a primary refuse writes while it has too few replicas.
const minReplicas = "min-replicas-to-write"

// State reads the node's state.
func (n *Node) State(ctx context.Context) (State, error) { return n.state(ctx, n.client) }

// AwaitState reads the node's state without a deadline: it waits until the connection ends, even after ctx ended. A
// node that runs one long command after the other answers between two of them, but it would not complete the setup of a
// new connection in time.
func (n *Node) AwaitState(ctx context.Context) (State, error) { return n.state(ctx, n.patient) }

// ScriptLimit is how long a script runs before the node answers other commands with an error that IsBusy recognizes.
// Source: the parameter lua-time-limit, which cannot be modified.
const ScriptLimit = 5 * time.Second

// IsBusy reports whether the node has run a script for longer than ScriptLimit.
func IsBusy(err error) bool { return redis.HasErrorPrefix(err, "BUSY") }

// IsRefusal reports whether an error means that the node works, but refuses the command. The node may return another
// error or close the connection, for example because it has too many clients or a client ended the connection. A node
// that hangs or is busy does neither.
func IsRefusal(err error) bool {
	if _, answered := errors.AsType[redis.Error](err); answered {
		return !IsBusy(err)
	}
	return IsCut(err)
}

// IsStranger reports whether the node refused the admin password, because another installation started it.
func IsStranger(err error) bool { return redis.HasErrorPrefix(err, "WRONGPASS") }

func (n *Node) state(ctx context.Context, client *redis.Client) (State, error) {
	pipe := client.Pipeline()
	info := pipe.Info(ctx, "replication")
	clients := pipe.Info(ctx, "clients")
	config := redis.NewMapStringStringCmd(ctx, "CONFIG", "GET", "bind", "port", "tls-port", "tls-cert-file",
		"maxclients", minReplicas)
	pipe.Process(ctx, config)
	slow := n.askSlow(ctx, pipe)
	_, err := pipe.Exec(ctx)
	newest := slow.newest().ID
	if err != nil && (info.Val() == "" || clients.Val() == "" ||
		config.Val() == nil) { // otherwise only the slow log cannot be read
		return State{}, fmt.Errorf("cannot read the node's state: %w", err)
	}
	s, err := parseReplication(info.Val())
	if err != nil {
		return s, err
	}
	if s.MinReplicas, err = strconv.Atoi(config.Val()[minReplicas]); err != nil {
		return s, fmt.Errorf("cannot read the node's %s: %w", minReplicas, err)
	}
	if err := s.parseConnections(Fields(info.Val())["connected_slaves"], Fields(clients.Val())["connected_clients"],
		config.Val()["maxclients"]); err != nil {
		return s, err
	}
	s.NewestSlow = newest
	return s, s.parseListeners(config.Val())
}

// parseListeners reads the addresses and ports of the node's listeners.
func (s *State) parseListeners(config map[string]string) error {
	s.Certified = config["tls-cert-file"] != ""
	var errPlain, errTLS error
	s.Plain, errPlain = strconv.Atoi(config["port"])
	s.TLS, errTLS = strconv.Atoi(config["tls-port"])
	if err := errors.Join(errPlain, errTLS); err != nil {
		return fmt.Errorf("cannot read the node's ports: %w", err)
	}
	if s.Plain == 0 && s.TLS == 0 {
		return nil
	}
	for _, field := range strings.Fields(config["bind"]) {
		addr, err := netip.ParseAddr(field)
		if err != nil {
			return fmt.Errorf("cannot read the node's addresses: %w", err)
		}
		s.Serves = append(s.Serves, addr)
	}
	return nil
}

// parseConnections reads the number of connections, which redis-server counts in two parts, and the limit.
func (s *State) parseConnections(replicas, clients, most string) error {
	r, errReplicas := strconv.Atoi(replicas)
	c, errClients := strconv.Atoi(clients)
	m, errMost := strconv.Atoi(most)
	if err := errors.Join(errReplicas, errClients, errMost); err != nil {
		return fmt.Errorf("cannot read how many connections the node has: %w", err)
	}
	s.Connections, s.MaxConnections = r+c, m
	return nil
}

// parseReplication parses INFO replication.
func parseReplication(info string) (State, error) {
	f := Fields(info)
	offset := f["master_repl_offset"]
	s := State{Primary: f["role"] == "master"}
	if !s.Primary {
		addr, err := netip.ParseAddr(f["master_host"])
		if err != nil {
			return s, fmt.Errorf("cannot read whom the node follows: %w", err)
		}
		port, err := strconv.ParseUint(f["master_port"], 10, 16)
		if err != nil {
			return s, fmt.Errorf("cannot read whom the node follows: %w", err)
		}
		s.Follows = netip.AddrPortFrom(addr, uint16(port))
		s.LinkUp = f["master_link_status"] == "up"
		offset = f["slave_repl_offset"]
		// The link was never up, and the node was no primary before.
		if offset == "0" && f["master_link_down_since_seconds"] == "-1" {
			offset = "-1"
		}
	}
	var err error
	if s.Offset, err = strconv.ParseInt(offset, 10, 64); err != nil {
		return s, fmt.Errorf("cannot read the node's replication offset: %w", err)
	}
	return s, s.parseStreams(f)
}

// parseStreams reads the two replication ids. If there was no other stream before, the second is all zeros and its
// offset -1.
func (s *State) parseStreams(f map[string]string) error {
	var err error
	if s.Backlog, err = strconv.ParseInt(f["repl_backlog_size"], 10, 64); err != nil {
		return fmt.Errorf("cannot read the size of the node's backlog: %w", err)
	}
	s.Stream = f["master_replid"]
	if strings.Trim(f["master_replid2"], "0") == "" {
		return nil
	}
	second, err := strconv.ParseInt(f["second_repl_offset"], 10, 64)
	if err != nil {
		return fmt.Errorf("cannot read where the node's replication stream begins: %w", err)
	}
	// redis-server reports the offset of the new stream's first byte.
	s.StreamBefore, s.Fork = f["master_replid2"], second-1
	return nil
}

// Promote makes the node a primary. Replicas of its former primary can resume from it without a full copy.
func (n *Node) Promote(ctx context.Context) error {
	return n.do(ctx, "REPLICAOF", "NO", "ONE")
}

// Follow makes the node a replica of the one at primary. tls selects whether it connects with TLS.
func (n *Node) Follow(ctx context.Context, primary netip.AddrPort, tls bool) error {
	if err := n.do(ctx, "CONFIG", "SET", "tls-replication", map[bool]string{true: "yes", false: "no"}[tls]); err != nil {
		return err
	}
	return n.do(ctx, "REPLICAOF", primary.Addr().String(), primary.Port())
}

// Reattach makes a replica reconnect to its primary and resume the stream. After a full copy, the primary begins to
// stream only when the replica acknowledges again, which it does once a second. A new connection gets the stream at
// once.
func (n *Node) Reattach(ctx context.Context) error {
	return n.kill(ctx, "TYPE", "master")
}

// Streams reports whether that many replicas receive and acknowledge the stream. It waits for them at most for most. It
// sends a message on an unused channel, which takes the path of every write and changes no data. A client may end the
// wait with CLIENT UNBLOCK; then Streams waits again.
func (n *Node) Streams(ctx context.Context, replicas int, most time.Duration) (bool, error) {
	for deadline := time.Now().Add(most); ; {
		acknowledged, err := n.probe(ctx, max(time.Until(deadline), time.Millisecond), replicas)
		if err != nil && !redis.HasErrorPrefix(err, "UNBLOCKED") {
			return false, fmt.Errorf("cannot probe the replication stream: %w", err)
		}
		if acknowledged >= replicas || time.Now().After(deadline) {
			return acknowledged >= replicas, nil
		}
	}
}

// probe sends the message and waits. WAIT covers only what its own connection has sent.
func (n *Node) probe(ctx context.Context, most time.Duration, replicas int) (acknowledged int, err error) {
	pipe := n.patient.Pipeline()
	pipe.Publish(ctx, "larder:probe", "")
	wait := pipe.Do(ctx, "WAIT", replicas, most.Milliseconds())
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, err
	}
	return wait.Int()
}

// Serve makes the node listen on exactly these addresses and ports, and closes the connections to addresses that it
// gives up. If TLS or plain connections are no longer allowed, it closes all connections of clients, because it cannot
// tell which use TLS. A change of addresses reopens every listener, so Serve is only for changes of the role and the
// ports.
func (n *Node) Serve(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error {
	before, err := n.State(ctx)
	if err != nil {
		return err
	}
	if both := before.Plain != 0 && before.TLS != 0; both && (ports.Plain == 0 || ports.TLS == 0) {
		old := cache.Ports{Group: ports.Group, Plain: before.Plain, TLS: before.TLS}
		for _, kind := range []string{"normal", "pubsub"} { // replicas stay until they follow another primary
			if err := n.cut(ctx, before.Serves, old, "TYPE", kind); err != nil {
				return err
			}
		}
	}
	if err := n.Listen(ctx, addrs, ports); err != nil {
		return err
	}
	gone := slices.DeleteFunc(before.Serves, func(a netip.Addr) bool { return slices.Contains(addrs, a) })
	return n.Cut(ctx, gone, ports)
}

// Listen makes the node listen on exactly these addresses and ports. Connections to addresses that it gives up stay
// open.
func (n *Node) Listen(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error {
	var list []string
	for _, a := range addrs {
		list = append(list, a.String())
	}
	err := n.do(ctx, "CONFIG", "SET", "bind", strings.Join(list, " "), "port", ports.Plain, "tls-port", ports.TLS)
	if err != nil {
		return errors.Join(err, n.CloseDeaf(ctx))
	}
	return nil
}

// CloseDeaf removes the ports of a node that does not listen where its configuration says, so that State reports what
// is true. This happens if a process that the node had just forked still held its listeners: then the node could
// neither open new ones nor reopen those it had closed.
func (n *Node) CloseDeaf(ctx context.Context) error {
	s, err := n.State(ctx)
	if err != nil {
		return err
	}
	for _, a := range s.Serves {
		for _, port := range []int{s.Plain, s.TLS} {
			if port != 0 && refuses(ctx, netip.AddrPortFrom(a, uint16(port))) {
				return n.do(ctx, "CONFIG", "SET", "port", 0, "tls-port", 0)
			}
		}
	}
	return nil
}

// refuses reports whether nobody listens at an address.
func refuses(ctx context.Context, at netip.AddrPort) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", at.String())
	if err == nil {
		err = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// Cut closes the clients' connections to these addresses, at all of the ports. A connection outlives its listener.
func (n *Node) Cut(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error {
	return n.cut(ctx, addrs, ports)
}

// cut closes those of the connections that also match more filters of CLIENT KILL.
func (n *Node) cut(ctx context.Context, addrs []netip.Addr, ports cache.Ports, more ...any) error {
	for _, a := range addrs {
		for _, port := range ports.Each() {
			at := netip.AddrPortFrom(a, uint16(port)).String()
			if err := n.kill(ctx, append([]any{"LADDR", at}, more...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// RequireReplicas makes a primary refuse writes while fewer replicas keep up.
func (n *Node) RequireReplicas(ctx context.Context, replicas int) error {
	return n.do(ctx, "CONFIG", "SET", minReplicas, replicas)
}

// Configure sets live directives. It returns the sorted names of those that had another value before.
func (n *Node) Configure(ctx context.Context, directives map[string]string) (changed []string, err error) {
	directives = bounded(directives)
	names := slices.Sorted(maps.Keys(directives))
	before, err := n.values(ctx, names)
	if err != nil {
		return nil, err
	}
	args := []any{"CONFIG", "SET"}
	for _, name := range names {
		args = append(args, name, directives[name])
	}
	if err := n.do(ctx, args...); err != nil {
		return nil, err
	}
	after, err := n.values(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if before[name] != after[name] {
			changed = append(changed, name)
		}
	}
	return changed, nil
}

// Has reports whether the node's directives have these values.
func (n *Node) Has(ctx context.Context, directives map[string]string) (bool, error) {
	values, err := n.values(ctx, slices.Sorted(maps.Keys(directives)))
	return maps.Equal(values, directives), err
}

func (n *Node) values(ctx context.Context, names []string) (map[string]string, error) {
	args := []any{"CONFIG", "GET"}
	for _, name := range names {
		args = append(args, name)
	}
	pairs, err := n.client.Do(ctx, args...).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("cannot read the node's parameters: %w", err)
	}
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return values, nil
}

func (n *Node) do(ctx context.Context, args ...any) error {
	if err := n.client.Do(ctx, args...).Err(); err != nil {
		return fmt.Errorf("cannot run %v %v: %w", args[0], args[1], err)
	}
	return nil
}

// inOrder runs commands in order in one exchange. what names their purpose for errors.
func (n *Node) inOrder(ctx context.Context, what string, commands ...[]any) error {
	pipe := n.client.Pipeline()
	for _, args := range commands {
		pipe.Do(ctx, args...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("cannot %s: %w", what, err)
	}
	return nil
}
