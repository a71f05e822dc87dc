package redisnode_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/loopback"
	"larder/internal/node"
	"larder/internal/node/process"
	"larder/internal/pki"
	"larder/internal/redisnode"
	"larder/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Leakless(m) }

// patience bounds every wait for something that should happen at once.
const patience = 20 * time.Second

const (
	port                = 6379
	token               = "a-token-of-at-least-16-characters"
	adminPassword       = "the admin's password"
	replicationPassword = "the replicas' \"password\" \\ #1"
)

// field is where servers run: a directory, and a block of addresses with one port.
type field struct {
	*testing.T
	dir     string
	runtime *process.Runtime
	ca      *pki.Authority
	path    string // path of redis-server
	next    netip.Addr
}

func newField(t *testing.T) *field {
	t.Helper()
	t.Parallel()
	versions, found, err := redisnode.Discover(t.Context(), os.Getenv("PATH"))
	if err != nil || len(versions) == 0 {
		t.Fatalf("redis-server %s or later is needed in PATH; found %v, %v", catalog.OldestServed, found, err)
	}
	block, err := loopback.Claim(netip.Prefix{}, rand.IntN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { block.Close() })
	ca, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f := &field{T: t, dir: t.TempDir(), ca: ca, path: versions[len(versions)-1].Path, next: block.Addr()}
	f.runtime = &process.Runtime{Dir: f.dir}
	t.Cleanup(func() { f.runtime.Close() })
	return f
}

func (f *field) addr() netip.Addr {
	f.next = f.next.Next()
	return f.next
}

// server is a running redis-server as the engine runs it: started with a rendered configuration, and connected.
type server struct {
	*redisnode.Node
	*field
	process node.Process
	config  redisnode.Config
	admin   *redis.Client
}

// directives returns the default parameters of a node type, with the changes in set.
func directives(t *testing.T, nodeType string, set map[string]string) catalog.Directives {
	t.Helper()
	parameters, err := catalog.LoadParameters()
	if err != nil {
		t.Fatal(err)
	}
	types, err := catalog.LoadNodeTypes()
	if err != nil {
		t.Fatal(err)
	}
	d, err := parameters.Directives(set, types[nodeType])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func all(d catalog.Directives) map[string]string {
	out := maps.Clone(d.Live)
	maps.Copy(out, d.Boot)
	return out
}

// start runs a server with every parameter's default, after change has modified the configuration.
func (f *field) start(change func(*redisnode.Config)) *server {
	f.Helper()
	c := redisnode.Config{
		Address: f.addr(), Port: port, Directives: all(directives(f.T, "cache.t3.micro", nil)),
		AuthTokens: []string{token}, AdminPassword: adminPassword, ReplicationPassword: replicationPassword,
	}
	if change != nil {
		change(&c)
	}
	spec := node.Spec{ID: fmt.Sprint("n-", c.Address.As4()[3]), Path: f.path, Args: []string{"-"}, Stdin: c.Render(),
		Files: make([][]byte, 3)} // for a certificate; empty until it has one
	if c.TLS {
		certificate, key, err := f.ca.Issue(time.Now(), spec.ID, nil, []netip.Addr{c.Address})
		if err != nil {
			f.Fatal(err)
		}
		spec.Files = [][]byte{certificate, key, f.ca.CertificatePEM()}
	}
	p, err := f.runtime.Start(f.Context(), spec)
	if err != nil {
		f.Fatal(err)
	}
	s := &server{redisnode.Connect(p.Dial, c.AdminPassword), f, p, c, redis.NewClient(&redis.Options{
		Dialer:   func(ctx context.Context, _, _ string) (net.Conn, error) { return p.Dial(ctx) },
		Username: redisnode.AdminUser, Password: c.AdminPassword, Protocol: 2, MaxRetries: -1, ReadTimeout: patience,
	})}
	f.Cleanup(func() {
		s.Close()
		s.admin.Close()
		if err := p.Stop(context.WithoutCancel(f.Context()), 0); err != nil {
			f.Error(err)
		}
	})
	return s
}

// plain holds the ports of a server without TLS.
var plain = cache.Ports{Group: port, Plain: port}

func (s *server) ports() cache.Ports {
	if s.config.TLS {
		return cache.Ports{Group: port, TLS: port}
	}
	return plain
}

func withTLS(c *redisnode.Config) { c.TLS = true }

// serving starts a server that listens on its own address.
func (f *field) serving(change func(*redisnode.Config)) *server {
	f.Helper()
	s := f.start(change)
	s.serve(s.config.Address)
	return s
}

func (s *server) serve(addrs ...netip.Addr) {
	s.Helper()
	if err := patiently(func() error { return s.Serve(s.Context(), addrs, s.ports()) }); err != nil {
		s.Fatal(err)
	}
}

// patiently repeats what timed out. On a busy machine a server may not run for seconds.
func patiently(do func() error) error {
	for deadline := time.Now().Add(3 * patience); ; {
		err := do()
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() || time.Now().After(deadline) {
			return err
		}
	}
}

func (s *server) at() netip.AddrPort { return netip.AddrPortFrom(s.config.Address, port) }

// client connects over TCP with a user, or with a token as the clients' user.
func (s *server) client(to netip.Addr, user, password string) *redis.Client {
	o := &redis.Options{
		Addr: netip.AddrPortFrom(to, port).String(), Username: user, Password: password, Protocol: 2, PoolSize: 1,
		MaxRetries: -1, DialerRetries: 1, ReadTimeout: patience,
	}
	if s.config.TLS {
		o.TLSConfig = &tls.Config{RootCAs: s.ca.Pool(), ServerName: s.config.Address.String(),
			MinVersion: tls.VersionTLS12}
	}
	c := redis.NewClient(o)
	s.Cleanup(func() { c.Close() })
	return c
}

// open reports whether somebody listens at the address.
func open(at netip.AddrPort) bool {
	conn, err := net.Dial("tcp", at.String())
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func (s *server) state() redisnode.State {
	s.Helper()
	var st redisnode.State
	err := patiently(func() (err error) {
		st, err = s.State(s.Context())
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return st
}

// await reads the state until ok returns true.
func (s *server) await(what string, ok func(redisnode.State) bool) redisnode.State {
	s.Helper()
	for deadline := time.Now().Add(patience); ; {
		st := s.state()
		if ok(st) {
			return st
		}
		if time.Now().After(deadline) {
			s.Fatalf("still not %s: %+v", what, st)
		}
	}
}

func linked(st redisnode.State) bool { return st.LinkUp }

// do runs a command as larder's own user.
func (s *server) do(args ...any) any {
	s.Helper()
	answer, err := s.admin.Do(s.Context(), args...).Result()
	if err != nil {
		s.Fatalf("%v: %v", args, err)
	}
	return answer
}

func (s *server) get(name string) string {
	s.Helper()
	values, err := s.admin.ConfigGet(s.Context(), name).Result()
	if err != nil {
		s.Fatal(err)
	}
	return values[name]
}

func (s *server) home() string { return filepath.Join(s.dir, s.process.ID()) }
