package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/childenv"
	"larder/internal/inventory"
	"larder/internal/loopback"
)

const (
	// ghostPatience is for an engine whose state directory is gone to notice that, and end: it is found out within
	// three seconds, and nodes that hold much memory take a while to end.
	ghostPatience = 10 * time.Second
	// endingPatience is for a process that has closed its files, and whose socket the kernel has not taken down yet.
	endingPatience = time.Second
)

// listenAPI listens on the address of the API. It waits for an engine whose state directory is gone, and which is about
// to end.
func listenAPI(ctx context.Context, address string) (net.Listener, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; {
		l, err := net.Listen("tcp", address)
		if err == nil {
			return l, nil
		}
		name, patience := listenerOn(address)
		if errors.Is(err, unix.EADDRINUSE) && time.Since(began) < patience {
			select {
			case <-tick.C:
				continue
			case <-ctx.Done():
			}
		}
		return nil, fmt.Errorf("cannot serve the API: %w%s; choose another address with --listen or LARDER_LISTEN", err,
			name)
	}
}

// listenerOn names the process that has the address of the API, in brackets, and says how long to wait for it to end
// since it is an engine without a state directory, or seems to be ending.
func listenerOn(address string) (name string, patience time.Duration) {
	a, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return "", 0
	}
	p, found := loopback.Listener(a.AddrPort())
	if !found {
		return "", ghostPatience
	}
	engine, lost := abandoned(p.PID)
	switch {
	case lost && engine.Kind == childenv.Engine:
		patience = ghostPatience
	case p.PID == 0:
		patience = endingPatience
	}
	return " (" + named(p) + " listens there)", patience
}

// named names a process that has an address, and says so where it is one of larder's whose directory is gone.
func named(p loopback.Process) string {
	if ghost, lost := abandoned(p.PID); lost {
		return fmt.Sprintf("%s, whose directory %s is gone (end it with `kill %d`),", p, ghost.Lost, p.PID)
	}
	return p.String()
}

// abandoned tells whether a process is an engine, a node or a relay whose directory is gone. One that may not be
// looked at is not.
func abandoned(pid int) (inventory.Process, bool) {
	found, err := inventory.Look(pid)
	return found, err == nil && found.Lost != ""
}
