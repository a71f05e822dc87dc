package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/isolate"
	"larder/internal/store"
)

const (
	shutdownGrace = 2 * time.Second
	// gcPercent has the garbage collector work harder than it does by itself, so that the engine stays small. A limit
	// on memory would do that too until what is in use comes near it; then there is nothing but collection.
	gcPercent = 50
)

// launch is one run of an engine. Its steps fill it in, from top to bottom.
type launch struct {
	in        *installation
	state     *store.Store // of the first region, with the installation's identity
	self      identity
	listeners *listeners
	info      Info
	keeper    *keeper
	regions   *regions
	server    *http.Server
	late      []pending // files that the disk may have had no room for

	stop    context.CancelFunc
	end     ending
	work    errgroup.Group
	guard   isolate.Guard
	closers closers
}

// Run runs an engine until ctx ends or a client stops it. The nodes outlive it unless the client asked for their end.
func Run(ctx context.Context, o Options) (err error) {
	debug.SetGCPercent(gcPercent)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := CheckListen(o.Listen); err != nil {
		return err
	}
	l := &launch{in: &installation{Options: o}, stop: stop, end: ending{stop: stop}}
	defer func() { err = l.close(ctx, err) }()
	for _, step := range []func(context.Context) error{
		l.hold, l.openState, l.load, l.writeTrust, l.listen, l.openRegions, l.makeServer, l.writeInfo, l.openSocket,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	l.begin(ctx)
	o.Ready(l.info)
	<-ctx.Done()
	return l.shutDown(context.WithoutCancel(ctx))
}

// hold locks the state directory.
func (l *launch) hold(context.Context) (err error) {
	in := l.in
	if in.held, err = in.Home.take(in.Now(), in.Logger); err != nil {
		return err
	}
	l.closers.add(in.held.Close)
	return nil
}

// openState opens the first region's store. The nodes' directory comes after it: with a state file in it everybody sees
// whose directory it is.
func (l *launch) openState(context.Context) (err error) {
	if l.state, err = l.in.Home.openState(); err != nil {
		return err
	}
	l.closers.add(l.state.Close)
	if err := makeFolder(l.in.Home.nodes()); err != nil {
		return fmt.Errorf("cannot make the directory of the nodes: %w", err)
	}
	l.in.tellUnreadable(l.state)
	return nil
}

// load reads the identity of the installation, and finds out what it can run.
func (l *launch) load(ctx context.Context) (err error) {
	l.self, err = l.in.load(ctx, l.state)
	return err
}

// writeTrust writes the certificates that clients trust.
func (l *launch) writeTrust(context.Context) error {
	trusted, err := try("ca.pem and ca-bundle.pem stay as they are until there is room", func() error {
		return inside(l.in.held).writeTrust(l.self.Certificate)
	})
	if err != nil {
		return fmt.Errorf("cannot write what clients shall trust: %w", err)
	}
	l.late = append(l.late, trusted)
	return nil
}

// listen listens on the API's port, and so knows the endpoint.
func (l *launch) listen(ctx context.Context) (err error) {
	if l.listeners, err = l.in.Options.open(ctx); err != nil {
		return err
	}
	l.closers.add(l.listeners.close)
	l.info, err = l.in.info(l.self, l.in.sealer, l.listeners.api)
	l.in.endpoint = l.info.Endpoint
	return err
}

// openRegions opens the first region, and every other one that was used.
func (l *launch) openRegions(ctx context.Context) (err error) {
	in := l.in
	l.keeper = &keeper{home: in.Home, held: in.held, log: in.Logger, info: l.info}
	l.regions = l.newRegions(ctx)
	in.regions = l.regions.names
	in.stopSoon = func() { l.regions.drainLogs(ctx); l.end.withNodes() }
	if l.regions.first, err = in.openFirst(ctx, l.state, l.self); err != nil {
		return err
	}
	l.closers.add(l.regions.close)
	return l.regions.openUsed(l.state, in.Home)
}

func (l *launch) newRegions(ctx context.Context) *regions {
	return &regions{
		others: map[string]*region{}, log: l.in.Logger,
		open: func(name string) (*region, error) { return l.in.openOther(ctx, l.state, name) },
		begin: func(r *region) {
			l.keeper.add(r.parts()...)
			r.run(ctx, l.in, &l.work, l.stop)
		},
	}
}

func (l *launch) makeServer(context.Context) (err error) {
	l.server, err = l.in.server(l.info, l.regions)
	return err
}

// writeInfo writes engine.json, by which clients find the engine.
func (l *launch) writeInfo(context.Context) error {
	infoFile, err := try("engine.json names an earlier engine's address until there is room", func() error {
		return inside(l.in.held).writeInfo(l.info)
	})
	if err != nil {
		return err
	}
	l.late = append(l.late, infoFile)
	l.in.Logger.Info("serving", "endpoint", l.info.Endpoint, "home", l.in.Home, "redis", l.in.versions.String(),
		"addresses", l.regions.first.block.String(), "regions", l.regions.names())
	return nil
}

// openSocket makes the socket of larder's own commands.
func (l *launch) openSocket(context.Context) error {
	return l.listeners.openSocket(l.in.held, l.in.Logger)
}

// begin starts all work. It goes on until ctx ends.
func (l *launch) begin(ctx context.Context) {
	in := l.in
	l.keeper.add(in.Home.parts(in.held, holdings{
		info: l.info, certificate: l.self.Certificate, key: in.sealer.Key(), log: os.Stderr,
		socket: func() error { return l.listeners.again(in.held, l.serve) },
	})...)
	l.regions.start()
	l.work.Go(func() error {
		defer l.stop()
		return l.guard.Do("the watch over the state directory", func() error { return l.keeper.watch(ctx) })
	})
	for _, late := range l.late {
		l.work.Go(func() error {
			return l.guard.Do(late.what, func() error { return late.await(ctx, in.Logger) })
		})
	}
	l.listeners.serve(l.serve)
}

// serve has the API served on a listener. A panic in work that the engine cannot do without ends the engine in good
// order: the nodes go on.
func (l *launch) serve(on net.Listener) {
	l.work.Go(func() error {
		defer l.stop()
		return l.guard.Do("the API", func() error { return serve(l.server, on) })
	})
}

// shutDown ends all work, and the nodes when a client asked for that.
func (l *launch) shutDown(ctx context.Context) error {
	l.regions.end()
	grace, cancel := context.WithTimeout(ctx, shutdownGrace)
	defer cancel()
	err := errors.Join(l.server.Shutdown(grace), l.work.Wait())
	if l.end.nodesToo() {
		_, errNodes := l.regions.endNodes(ctx)
		err = errors.Join(err, errNodes)
	}
	return err
}

// close lets go of everything, in reverse. An engine that has lost its state directory ends its nodes first.
func (l *launch) close(ctx context.Context, err error) error {
	var lost error
	if l.regions != nil && l.regions.first != nil {
		lost = l.in.giveUp(context.WithoutCancel(ctx), l.keeper.lost(), l.regions.endNodes)
	}
	return errors.Join(lost, err, l.closers.close())
}
