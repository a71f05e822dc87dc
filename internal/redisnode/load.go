package redisnode

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"larder/internal/catalog"
	"larder/internal/isolate"
)

// DataSet is an RDB file for a node to load.
type DataSet struct {
	Size int64 // in bytes
	// Limit is how many bytes of memory the data may take in the node; 0 means any. Beyond maxmemory, a primary evicts.
	Limit int64
	// Open returns the RDB from its beginning.
	Open func() (io.ReadCloser, error)
	// Password is that of ReplicationUser. Certificate is presented if replication uses TLS.
	Password string
	TLS      *tls.Config
}

// FeedAddress is the address at which larder serves a data set to the node that loads it.
var FeedAddress = netip.MustParseAddr("127.0.0.1")

// loadedOffset is the replication offset after a load. It is greater than 0, the offset of an empty node.
const loadedOffset = 1

// Load replaces the node's data by d and leaves it a primary. Meanwhile the node replicates from larder. It keeps its
// old data until it has received all new data. Nothing is written to disk.
func (n *Node) Load(ctx context.Context, d DataSet) error {
	listener, err := net.Listen("tcp", netip.AddrPortFrom(FeedAddress, 0).String())
	if err != nil {
		return fmt.Errorf("cannot offer the data set: %w", err)
	}
	f := &feed{DataSet: d, listener: listener, failed: make(chan error, 1), open: map[net.Conn]struct{}{}}
	f.serving.Go(func() {
		if err := f.guard.Do("a data set that is loaded", func() error { f.accept(); return nil }); err != nil {
			f.fail(err)
		}
	})
	defer f.close()
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	if err := n.Follow(ctx, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), d.TLS != nil); err != nil {
		return err
	}
	if err := f.await(ctx, n); err != nil {
		return fmt.Errorf("cannot load the data set: %w", err)
	}
	// Check the size while the node is a replica, which never evicts. As a primary it could evict at once.
	memory, err := n.Memory(ctx)
	switch {
	case err != nil:
		return err
	case d.Limit > 0 && memory.Used > d.Limit:
		return fmt.Errorf("the data take %d bytes, and the node has %d for them", memory.Used, d.Limit)
	}
	return n.Promote(ctx)
}

// feed acts as the primary of the node that loads.
type feed struct {
	DataSet
	listener net.Listener
	serving  sync.WaitGroup
	failed   chan error // why sending the data set failed
	guard    isolate.Guard

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
	moved  time.Time // when the last piece was sent; zero before the first
}

// await waits until the node has loaded everything.
func (f *feed) await(ctx context.Context, n *Node) error {
	const poll = 5 * time.Millisecond
	tick := time.NewTicker(poll)
	defer tick.Stop()
	begun := time.Now()
	for {
		s, err := n.State(ctx)
		// A node that loads may answer late, which is a timeout. If the node is gone, the error is another one, and comes at
		// once.
		if slow, ok := errors.AsType[net.Error](err); err != nil && (!ok || !slow.Timeout()) {
			return err
		}
		if s.LinkUp {
			return nil
		}
		if idle := time.Since(f.last(begun)); idle > transferIdle {
			return fmt.Errorf("the node has taken nothing for %s", idle.Round(time.Second))
		}
		select {
		case err := <-f.failed:
			return err
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *feed) last(begun time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.moved.IsZero() {
		return begun
	}
	return f.moved
}

// accept serves each connection in its own goroutine, so that a foreign connection does not block the node's.
func (f *feed) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return // the listener was closed
		}
		if f.TLS != nil {
			conn = tls.Server(conn, f.TLS)
		}
		f.mu.Lock()
		if f.closed {
			f.mu.Unlock()
			conn.Close()
			return
		}
		f.open[conn] = struct{}{}
		f.mu.Unlock()
		f.serving.Go(func() {
			defer conn.Close()
			err := f.guard.Do("a data set that is loaded", func() error { f.serve(patient{conn}); return nil })
			if err != nil {
				f.fail(err)
			}
		})
	}
}

func (f *feed) close() {
	f.mu.Lock()
	f.closed = true
	for conn := range f.open {
		conn.Close()
	}
	f.mu.Unlock()
	f.listener.Close()
	f.serving.Wait()
}

// serve speaks the primary's side of the replication protocol until the data set is sent, and stays connected while the
// node loads it.
func (f *feed) serve(conn net.Conn) {
	from := bufio.NewReader(conn)
	known := false
	for {
		command, err := readCommand(from)
		if err != nil {
			return
		}
		answer := "+OK\r\n"
		switch name := strings.ToUpper(command[0]); {
		case name == "PING":
			answer = "+PONG\r\n"
		case name == "AUTH":
			if known = f.knows(command[1:]); !known {
				answer = "-WRONGPASS invalid username-password pair\r\n"
			}
		case !known:
			answer = "-NOAUTH Authentication required.\r\n"
		case name == "PSYNC":
			if err := f.send(conn); err != nil {
				f.fail(err)
				return
			}
			io.Copy(io.Discard, from) // acknowledgements, until the node is promoted
			return
		}
		if _, err := io.WriteString(conn, answer); err != nil {
			return
		}
	}
}

func (f *feed) knows(credential []string) bool {
	return len(credential) == 2 && credential[0] == ReplicationUser &&
		subtle.ConstantTimeCompare([]byte(credential[1]), []byte(f.Password)) == 1
}

// fail reports the first failure.
func (f *feed) fail(err error) {
	select {
	case f.failed <- err:
	default:
	}
}

// send sends the data set. If it cannot be read to its end, the node loads nothing: it accepts a data set as a whole
// only.
func (f *feed) send(conn net.Conn) error {
	data, err := f.Open()
	if err != nil {
		return err
	}
	defer data.Close()
	id := make([]byte, 20)
	rand.Read(id)
	if _, err := fmt.Fprintf(conn, "+FULLRESYNC %s %d\r\n$%d\r\n", hex.EncodeToString(id), loadedOffset,
		f.Size); err != nil {
		return err
	}
	sent, err := io.Copy(io.MultiWriter(conn, f), io.LimitReader(data, f.Size))
	if err != nil {
		return err
	}
	// Only io.EOF from the reader proves that the data are complete, and it comes after the last byte.
	switch n, err := data.Read(make([]byte, 1)); {
	case sent < f.Size || n > 0:
		return fmt.Errorf("the data set does not have the %d bytes it was written with", f.Size)
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// Write records that a piece was sent.
func (f *feed) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moved = time.Now()
	return len(p), nil
}

// readCommand reads a command in redis-server's protocol. Commands before the data set are short.
func readCommand(from *bufio.Reader) ([]string, error) {
	const mostArgs, mostBytes = 16, 4 << 10
	count, err := readLength(from, '*', mostArgs)
	if err != nil || count == 0 {
		return nil, errors.Join(err, errors.New("not a command"))
	}
	args := make([]string, count)
	for i := range args {
		size, err := readLength(from, '$', mostBytes)
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+len("\r\n"))
		if _, err := io.ReadFull(from, text); err != nil {
			return nil, err
		}
		args[i] = string(text[:size])
	}
	return args, nil
}

func readLength(from *bufio.Reader, kind byte, most int) (int, error) {
	line, err := from.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	text := strings.TrimRight(string(line), "\r\n")
	if text == "" || text[0] != kind {
		return 0, fmt.Errorf("not a command: %q", text)
	}
	n, err := strconv.Atoi(text[1:])
	if err == nil && (n < 0 || n > most) {
		err = fmt.Errorf("a command of %d", n)
	}
	return n, err
}

// Memory returns how much memory the node's data take. Its limit is 0 if there is none.
func (n *Node) Memory(ctx context.Context) (catalog.NodeMemory, error) {
	info, err := n.client.Info(ctx, "memory").Result()
	if err != nil {
		return catalog.NodeMemory{}, fmt.Errorf("cannot read the node's memory: %w", err)
	}
	f := Fields(info)
	used, errUsed := strconv.ParseInt(f["used_memory"], 10, 64)
	other, errOther := strconv.ParseInt(f["mem_not_counted_for_evict"], 10, 64)
	limit, errLimit := strconv.ParseInt(f["maxmemory"], 10, 64)
	return catalog.NodeMemory{Used: used - other, Limit: limit}, errors.Join(errUsed, errOther, errLimit)
}
