package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"golang.org/x/sync/errgroup"

	"larder/internal/loopback"
	"larder/internal/node"
	"larder/internal/node/process"
	"larder/internal/pki"
	"larder/internal/redisnode"
)

// barePort is on addresses that no larder uses: its blocks begin at 127.64.
const barePort = 6379

const (
	bareTimeout = 10 * time.Second
	barePoll    = time.Millisecond
)

// bareServers are redis-servers without a larder: started with the configuration that a larder's nodes get, and then
// left alone.
type bareServers struct {
	runtime   *process.Runtime
	launch    launcher
	authority *pki.Authority
	caFile    string
	password  string // of the users that a node has beside the clients' own
	running   []*bareServer
	next      netip.Addr
}

type bareServer struct {
	address netip.AddrPort
	process node.Process
	admin   *redisnode.Node
	tls     bool
}

// follow makes the server a replica of another one of the same settings.
func (b *bareServer) follow(ctx context.Context, primary netip.AddrPort) error {
	return b.admin.Follow(ctx, primary, b.tls)
}

// newBareServers prepares a directory, a certificate authority like the engine's, and addresses that no other
// bareServers of this run has. It starts no server.
func (b *bench) newBareServers(name string, l launcher) (*bareServers, error) {
	s := &bareServers{
		runtime: &process.Runtime{Dir: filepath.Join(b.dir, name)}, caFile: filepath.Join(b.dir, name+"-ca.pem"),
		launch: l, password: rand.Text(),
		next: netip.AddrFrom4([4]byte{127, 32 + byte(os.Getpid()%32), byte(b.bare.Add(1)), 1}),
	}
	var err error
	if s.authority, err = pki.NewAuthority(time.Now()); err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.caFile, s.authority.CertificatePEM(), 0o600)
}

// start starts servers of the same settings side by side, and returns when they listen.
func (s *bareServers) start(ctx context.Context, set settings, names ...string) ([]*bareServer, error) {
	started := make([]*bareServer, len(names))
	var all errgroup.Group
	for i, name := range names {
		address, err := s.address()
		if err != nil {
			return nil, err
		}
		all.Go(func() (err error) {
			started[i], err = s.startOne(ctx, set, name, address)
			return err
		})
	}
	err := all.Wait()
	for _, b := range started {
		if b != nil {
			s.running = append(s.running, b)
		}
	}
	return started, err
}

// address finds one on which barePort is free, as another run of bench may use some.
func (s *bareServers) address() (netip.AddrPort, error) {
	var err error
	for range 256 {
		a := netip.AddrPortFrom(s.next, barePort)
		s.next = s.next.Next()
		if err = loopback.PortFree(a); err == nil {
			return a, nil
		}
	}
	return netip.AddrPort{}, err
}

func (s *bareServers) startOne(
	ctx context.Context, set settings, name string, address netip.AddrPort,
) (*bareServer, error) {
	config := redisnode.Config{
		Address: address.Addr(), Port: barePort, TLS: set.tls, Directives: set.directives,
		AuthTokens: []string{set.token}, AdminPassword: s.password, ReplicationPassword: s.password,
	}
	spec := node.Spec{ID: name, Path: set.server, Args: []string{"-"}}
	port := "port"
	if set.tls {
		port = "tls-port"
		certificate, key, err := s.authority.Issue(time.Now(), name, nil, []netip.Addr{address.Addr()})
		if err != nil {
			return nil, err
		}
		spec.Files = [][]byte{certificate, key, s.authority.CertificatePEM()}
	}
	spec.Stdin = fmt.Appendf(config.Render(), "%s %d\n", port, barePort) // the later line wins
	var p node.Process
	err := s.launch(func() (err error) {
		p, err = s.runtime.Start(ctx, spec)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &bareServer{address, p, redisnode.Connect(p.Dial, s.password), set.tls}, nil
}

// replicate makes the others replicas of the first and returns when their links are up.
func (s *bareServers) replicate(ctx context.Context, servers []*bareServer) error {
	ctx, cancel := context.WithTimeout(ctx, bareTimeout)
	defer cancel()
	all, ctx := errgroup.WithContext(ctx)
	for _, replica := range servers[1:] {
		all.Go(func() error {
			if err := replica.follow(ctx, servers[0].address); err != nil {
				return err
			}
			for {
				state, err := replica.admin.State(ctx)
				if err != nil || state.LinkUp {
					return err
				}
				select {
				case <-ctx.Done():
					return fmt.Errorf("a bare replica did not get in sync within %s", bareTimeout)
				case <-time.After(barePoll):
				}
			}
		})
	}
	return all.Wait()
}

// ping asks a server for a PONG as a client would.
func (s *bareServers) ping(ctx context.Context, server *bareServer, set settings) error {
	options := &redis.Options{
		Addr: server.address.String(), Password: set.token, Protocol: 2, PoolSize: 1, MaxRetries: -1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if set.tls {
		options.TLSConfig = &tls.Config{RootCAs: s.authority.Pool(), MinVersion: tls.VersionTLS12}
	}
	client := redis.NewClient(options)
	return errors.Join(client.Ping(ctx).Err(), client.Close())
}

// stop ends every server and forgets it.
func (s *bareServers) stop(ctx context.Context) error {
	var err error
	for _, b := range s.running {
		err = errors.Join(err, b.admin.Close(), b.process.Stop(context.WithoutCancel(ctx), 0))
	}
	s.running = nil
	return err
}

// close ends every server, and sees to it that nothing stays.
func (s *bareServers) close(ctx context.Context) error {
	return errors.Join(s.stop(ctx), s.runtime.Close(), endAll(s.runtime.Dir))
}
