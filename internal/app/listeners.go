package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"larder/internal/connlimit"
)

// listeners are where an engine answers: the API's port, and the socket of larder's own commands.
type listeners struct {
	api    net.Listener
	port   net.Listener // the same, bounded
	socket net.Listener // nil: there was no room for one
}

// open listens on the port.
func (o Options) open(ctx context.Context) (*listeners, error) {
	api, err := listenAPI(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	l := &listeners{api: api}
	if l.port, err = defaultAPILimits.bounded(api); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot bound the API's connections: %w", err), l.close())
	}
	return l, nil
}

// openSocket makes the socket. It is there when the engine is about to answer: a command that finds none waits for an
// engine that starts. Where the disk has no room for it, the keeper makes it when there is some.
func (l *listeners) openSocket(held *os.File, log *slog.Logger) error {
	socket, err := listen(held)
	switch {
	case noRoom(err):
		log.Error("the disk is full: larder's own commands do not reach the engine until there is room", "error", err)
	case err != nil:
		return err
	default:
		l.socket = socket
	}
	return nil
}

// serve has the listeners served.
func (l *listeners) serve(serving func(net.Listener)) {
	serving(l.port)
	if l.socket != nil {
		serving(own(l.socket))
	}
}

// again makes the socket anew, and has it served.
func (l *listeners) again(held *os.File, serving func(net.Listener)) error {
	next, err := listen(held)
	if err == nil {
		serving(own(next))
	}
	return err
}

func own(socket net.Listener) net.Listener {
	return connlimit.New(socket, ownConns, defaultAPILimits.write)
}

// close ends what nobody has served yet.
func (l *listeners) close() error {
	errs := []error{l.api.Close()}
	if l.socket != nil {
		errs = append(errs, l.socket.Close())
	}
	for i, err := range errs {
		if errors.Is(err, net.ErrClosed) { // by the server
			errs[i] = nil
		}
	}
	return errors.Join(errs...)
}
