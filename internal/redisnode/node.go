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

// commandTimeout bounds one exchange with a node. A node that takes longer counts as not answering.
const commandTimeout = time.Second

// buffer is the size of a connection's buffers, in bytes: room for the usual answer. A client's usual 32 KiB are more
// than half of what an engine with many nodes needs.
const buffer = 4 << 10

// Node is a connection to one redis-server's admin socket. Its methods may be called from several goroutines.
type Node struct {
	client   *redis.Client
	patient  *redis.Client // the same connections, without commandTimeout
	dial     func(context.Context) (net.Conn, error)
	password string // of AdminUser

	resets     atomic.Int64 // how often the node's statistics were made to begin anew
	slowRest   atomic.Int64 // questions for which the slow log is not asked
	newestSlow slowEntry    // as it was last read
	kills      atomic.Int64 // CLIENT KILLs that were sent
}

// Connect makes a Node that connects with dial when it is first used.
func Connect(dial func(context.Context) (net.Conn, error), adminPassword string) *Node {
	client := redis.NewClient(&redis.Options{
		Network: "unix", Addr: "admin", // for messages only: dial knows the way
		Dialer:   lines(dial),
		Username: AdminUser, Password: adminPassword, Protocol: 2,
		PoolSize: 2, ReadBufferSize: buffer, WriteBufferSize: buffer, MaxRetries: -1, DialerRetries: 1,
		DisableIdentity: true,
		DialTimeout:     commandTimeout, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout,
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	patient := client.WithTimeout(0) // has no hooks but its own
	client.AddHook(reconnect{})
	patient.AddHook(reconnect{})
	return &Node{dial: dial, password: adminPassword, client: client, patient: patient}
}

// Close closes the connections.
func (n *Node) Close() error { return n.client.Close() }

// State is what a node says of itself.
type State struct {
	Primary bool
	Serves  []netip.Addr // the addresses of its TCP listeners; none when it has no port
	// Plain and TLS are the ports of its listeners, without TLS and with it; 0 for none.
	Plain, TLS int
	Certified  bool           // it has a certificate to show
	Follows    netip.AddrPort // the primary it replicates; zero for a primary
	LinkUp     bool           // the replication link is up, which it is only when the data set is loaded
	Offset     int64          // of the replication stream, in bytes; negative for a replica that has yet to load a data set

	// Stream names the replication stream that Offset counts in, StreamBefore the one that it went on from at the
	// offset Fork; that is empty where there was none.
	Stream, StreamBefore string
	Fork                 int64
	Backlog              int64 // bytes of the stream that a replica may lack and go on without a full copy
	MinReplicas          int   // min-replicas-to-write
	// Connections are all that it has, its replicas' among them, and MaxConnections how many it may have (maxclients).
	Connections, MaxConnections int
	NewestSlow                  int64 // id of the slow log's newest entry; -1 without one
}

// minReplicas is the directive that holds writes back when there are too few replicas.
const minReplicas = "min-replicas-to-write"

// State asks the node for its state.
func (n *Node) State(ctx context.Context) (State, error) { return n.state(ctx, n.client) }

// AwaitState does too, and waits for the answer until the connection ends, whatever becomes of ctx meanwhile. A node
// that runs one long command after the other answers a question between two of them, and would not get through the
// beginning of a new connection.
func (n *Node) AwaitState(ctx context.Context) (State, error) { return n.state(ctx, n.patient) }

// ScriptLimit is from when on a node that runs a script answers other questions, with an error that IsBusy knows.
// Source: the parameter lua-time-limit, which cannot be modified.
const ScriptLimit = 5 * time.Second

// IsBusy tells whether an error is the answer of a node that has run a script for longer than ScriptLimit.
func IsBusy(err error) bool { return redis.HasErrorPrefix(err, "BUSY") }

// IsRefusal tells whether an error is of a node that works and turns the question away: by any other answer, or by
// closing the connection, as one does that has as many clients as it may have, or whose clients end it. A node that
// hangs, or is busy, does neither.
func IsRefusal(err error) bool {
	if _, answered := errors.AsType[redis.Error](err); answered {
		return !IsBusy(err)
	}
	return IsCut(err)
}

// IsStranger tells whether an error is of a node that does not take the admin password it was asked with: another one
// started it.
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
		config.Val() == nil) { // else it is the slow log that cannot be read
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

// parseListeners reads where a node listens, and how.
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

// parseConnections reads how many connections a node has, which redis-server counts in two parts, and how many it may
// have.
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

// parseReplication reads INFO replication.
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
		// The link has never been up, and the node was no primary before that.
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

// parseStreams reads the two replication ids. The second is zeros, and its offset -1, where the stream was no other
// before.
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
	s.StreamBefore, s.Fork = f["master_replid2"], second-1 // the first byte of the new stream is the second's
	return nil
}

// Promote makes the node a primary; replicas of its old primary can go on from it without a full copy.
func (n *Node) Promote(ctx context.Context) error {
	return n.do(ctx, "REPLICAOF", "NO", "ONE")
}

// Follow makes the node a replica of the one at that address, to which it connects with TLS or without.
func (n *Node) Follow(ctx context.Context, primary netip.AddrPort, tls bool) error {
	if err := n.do(ctx, "CONFIG", "SET", "tls-replication", map[bool]string{true: "yes", false: "no"}[tls]); err != nil {
		return err
	}
	return n.do(ctx, "REPLICAOF", primary.Addr().String(), primary.Port())
}

// Reattach has a replica take up the replication stream again where it left it. After a full copy a primary begins to
// stream only when the replica acknowledges once more, which it does once a second; a new connection gets the stream at
// once.
func (n *Node) Reattach(ctx context.Context) error {
	return n.kill(ctx, "TYPE", "master")
}

// Streams tells whether that many replicas receive and acknowledge what the primary sends, waiting for them at most so
// long. What is sent is a message on a channel that nobody needs: it takes the way of every write and leaves the data
// as they are. A client may end the wait (CLIENT UNBLOCK), which then begins again.
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

// probe sends the message and waits; WAIT is about what its own connection has sent.
func (n *Node) probe(ctx context.Context, most time.Duration, replicas int) (acknowledged int, err error) {
	pipe := n.patient.Pipeline()
	pipe.Publish(ctx, "larder:probe", "")
	wait := pipe.Do(ctx, "WAIT", replicas, most.Milliseconds())
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, err
	}
	return wait.Int()
}

// Serve has the node listen on exactly these addresses and ports, and closes the connections to the addresses that it
// gives up. Where it listened with TLS and without, and shall no longer, all connections that clients made until then
// are closed: which of them use TLS cannot be seen. Changing the addresses reopens every listener of the node, so it is
// only for changes of role, and of the ports.
func (n *Node) Serve(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error {
	before, err := n.State(ctx)
	if err != nil {
		return err
	}
	if both := before.Plain != 0 && before.TLS != 0; both && (ports.Plain == 0 || ports.TLS == 0) {
		old := cache.Ports{Group: ports.Group, Plain: before.Plain, TLS: before.TLS}
		for _, kind := range []string{"normal", "pubsub"} { // replicas go on until they are told where to
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

// Listen has the node listen on exactly these addresses and ports. The connections to those it gives up go on.
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

// CloseDeaf takes the ports from a node that does not listen where it says that it does, so that State says what is so.
// Such a node could open neither the listeners that it was told to open nor, then, those that it had closed for them: a
// process that it had just forked still had them.
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

// refuses tells whether nobody listens at an address.
func refuses(ctx context.Context, at netip.AddrPort) bool {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", at.String())
	if err == nil {
		err = conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// Cut closes the connections that clients made to those addresses, at whichever of the ports. A connection outlives the
// listener that it was made through.
func (n *Node) Cut(ctx context.Context, addrs []netip.Addr, ports cache.Ports) error {
	return n.cut(ctx, addrs, ports)
}

// cut closes those of the connections that more filters of CLIENT KILL name.
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

// RequireReplicas has a primary take writes only while so many replicas keep up.
func (n *Node) RequireReplicas(ctx context.Context, replicas int) error {
	return n.do(ctx, "CONFIG", "SET", minReplicas, replicas)
}

// Configure sets live directives and returns the names of those that had another value before, sorted.
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

// Has tells whether a node's directives have those values.
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

// inOrder runs commands one after the other, in one exchange. what says what they are for.
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
