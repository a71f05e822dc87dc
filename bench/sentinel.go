package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/node"
	"larder/internal/redisnode"
)

// sentinelPort is what sentinels listen on by custom.
const sentinelPort = 26379

// sentinels is how many there are: the fewest that outvote one.
const sentinels = 3

// patience is how sentinels are set.
type patience struct {
	name      string
	downAfter time.Duration // without an answer, a server is down
	timeout   time.Duration // failover-timeout: of a failover; twice that must pass between two of them
}

var (
	// fastest is the least that stayed stable in trials on the machine this was written on: with less, elections
	// collide and failovers are now and then a timeout later, or begin although nothing is wrong.
	fastest  = patience{"sentinel, fastest stable", 200 * time.Millisecond, time.Second}
	defaults = patience{"sentinel, default", 30 * time.Second, 3 * time.Minute}
)

// watchedServers are three bare redis-servers and the sentinels that watch them.
type watchedServers struct {
	*bareServers
	set       settings
	patience  patience
	servers   []*bareServer
	names     []string // of the servers, in their order
	sentinels []*bareServer
	probe     *probe
	last      time.Time // when the last failover began
	turn      int       // of the sentinels, to be asked

	mu    sync.Mutex
	told  netip.AddrPort     // where sentinels said the client shall go, and it has not gone yet
	asked map[int]*redisConn // connections to sentinels, kept
}

// watchedServers starts servers and sentinels, and returns when the sentinels know everything.
func (b *bench) watchedServers(ctx context.Context, name string, set settings, p patience) (*watchedServers, error) {
	bare, err := b.newBareServers(name, anywhere)
	if err != nil {
		return nil, err
	}
	w := &watchedServers{bareServers: bare, set: set, patience: p, asked: map[int]*redisConn{}}
	w.probe = &probe{access: bare.client(set), primary: w.primary}
	for i := range 3 {
		w.names = append(w.names, fmt.Sprintf("%s-%d", name, i+1))
	}
	if w.servers, err = bare.start(ctx, set, w.names...); err != nil {
		return w, err
	}
	if err := bare.replicate(ctx, w.servers); err != nil {
		return w, err
	}
	for i := range sentinels {
		s, err := w.startSentinel(ctx, b.dir, fmt.Sprintf("%s-sentinel-%d", name, i+1))
		if err != nil {
			return w, err
		}
		w.sentinels = append(w.sentinels, s)
		w.running = append(w.running, s)
	}
	limited, cancel := context.WithTimeout(ctx, trialLimit)
	defer cancel()
	return w, w.agreed(limited)
}

// startSentinel starts one. Its configuration is a file, as it keeps its state in there.
func (w *watchedServers) startSentinel(ctx context.Context, dir, name string) (*bareServer, error) {
	address, err := w.address()
	if err != nil {
		return nil, err
	}
	certificate, key, err := w.authority.Issue(time.Now(), name, nil, []netip.Addr{address.Addr()})
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name+".conf")
	if err := os.WriteFile(path, w.sentinelConfig(address.Addr()), 0o600); err != nil {
		return nil, err
	}
	p, err := w.runtime.Start(ctx, node.Spec{
		ID: name, Path: w.set.server, Args: []string{path, "--sentinel"},
		Files: [][]byte{certificate, key, w.authority.CertificatePEM()},
	})
	if err != nil {
		return nil, err
	}
	return &bareServer{netip.AddrPortFrom(address.Addr(), sentinelPort), p, redisnode.Connect(p.Dial, w.password), false},
		nil
}

func (w *watchedServers) sentinelConfig(self netip.Addr) []byte {
	primary := w.servers[0].address
	return fmt.Appendf(nil, `port 0
tls-port %d
bind %[2]s
bind-source-addr %[2]s
protected-mode no
unixsocket %s
logfile ""
tls-replication yes
tls-auth-clients no
tls-cert-file /proc/self/fd/3
tls-key-file /proc/self/fd/4
tls-ca-cert-file /proc/self/fd/5
sentinel announce-ip %[2]s
sentinel announce-port %[1]d
sentinel monitor main %[4]s %[5]d 2
sentinel auth-user main %[6]s
sentinel auth-pass main %[7]s
sentinel down-after-milliseconds main %[8]d
sentinel failover-timeout main %[9]d
sentinel parallel-syncs main 2
`, sentinelPort, self, node.Socket, primary.Addr(), primary.Port(), redisnode.AdminUser, w.password,
		w.patience.downAfter.Milliseconds(), w.patience.timeout.Milliseconds())
}

// primary is what a client does to find the primary: it goes where it was told, and asks the sentinels in turn when it
// was told nothing or was refused there.
func (w *watchedServers) primary(ctx context.Context) (netip.AddrPort, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := w.told
	w.told = netip.AddrPort{}
	if told.IsValid() {
		return told, nil
	}
	w.turn++
	return w.ask(ctx, w.turn%len(w.sentinels))
}

// open is how clients reach sentinels, which have no password here.
func (w *watchedServers) open() access { return access{config: w.probe.config} }

// ask asks one sentinel for the primary, on a connection that stays open. It is called with mu held.
func (w *watchedServers) ask(ctx context.Context, i int) (at netip.AddrPort, err error) {
	if w.asked[i] == nil {
		if w.asked[i], err = w.open().connect(ctx, w.sentinels[i].address, answerLimit); err != nil {
			delete(w.asked, i)
			return at, err
		}
	}
	answer, err := w.asked[i].do(answerLimit, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
	if err != nil {
		w.asked[i].Close() // an error is what ended it
		delete(w.asked, i)
		return at, err
	}
	parts, err := texts(answer)
	if err != nil || len(parts) != 2 {
		return at, errors.Join(fmt.Errorf("cannot read the primary's address from %v", answer), err)
	}
	return netip.ParseAddrPort(parts[0] + ":" + parts[1])
}

// listen follows what the sentinels publish, until ctx ends: at a switch the client leaves the old primary at once.
func (w *watchedServers) listen(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, s := range w.sentinels {
		all.Go(func() error { return w.listenTo(ctx, s) })
	}
	return all.Wait()
}

func (w *watchedServers) listenTo(ctx context.Context, sentinel *bareServer) error {
	c, err := w.open().connect(ctx, sentinel.address, trialLimit)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if _, err := c.do(trialLimit, "SUBSCRIBE", "+switch-master"); err != nil {
		return err
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return err
	}
	for {
		message, err := c.read()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("a sentinel went silent: %w", err)
		}
		if parts, err := texts(message); err == nil && len(parts) == 3 {
			w.moved(parts[2])
		}
	}
}

// moved takes "main, old address, old port, new address, new port".
func (w *watchedServers) moved(message string) {
	var name, oldHost, oldPort, host, port string
	if _, err := fmt.Sscan(message, &name, &oldHost, &oldPort, &host, &port); err != nil {
		return // another message
	}
	address, err := netip.ParseAddrPort(host + ":" + port)
	if err != nil {
		return
	}
	if w.probe.at() == address { // another sentinel was first to tell
		return
	}
	w.mu.Lock()
	w.told = address
	w.mu.Unlock()
	w.probe.drop()
}
