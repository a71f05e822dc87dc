package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"

	"larder/internal/cache"
	"larder/internal/childenv"
	"larder/internal/inventory"
	"larder/internal/loopback"
	"larder/internal/state"
	"larder/internal/store"
)

// refuseMoved says which nodes of the region's groups run in another directory than larder keeps them in, as after
// nodes/ was moved away, or swapped for another installation's, while no engine ran. A process that is started in the
// place of such a node has none of its data, and cannot have its addresses.
func (r *region) refuseMoved(ctx context.Context) error {
	running, err := r.nodes.PIDs(ctx)
	if err != nil {
		return err
	}
	var groups []cache.Topology
	err = r.state.View(func(tx *store.Tx) (err error) {
		groups, err = state.Groups(tx)
		return err
	})
	errs := []error{err}
	for _, rg := range groups {
		for _, m := range rg.Members() {
			at, found := movedNode(netip.AddrPortFrom(m.Address, uint16(rg.ReplicationPort())), m.ID)
			if own := filepath.Join(r.home.nodes(), m.ID); found && at.PID != running[m.ID] {
				errs = append(errs, fmt.Errorf("the node %s (process %d) runs in %s, and not in %s, where "+
					"larder keeps it: "+
					"larder starts no other in its place, and ends none\n"+
					"next: move its directory back; or give its data up: `kill %d` ends it", m.ID, at.PID, at.Works, own, at.PID))
			}
		}
	}
	return errors.Join(errs...)
}

// movedNode finds the node of that id that listens on an address, wherever its directory is.
func movedNode(at netip.AddrPort, id string) (p inventory.Process, found bool) {
	listener, listens := loopback.Listener(at)
	if !listens || listener.PID == 0 {
		return p, false
	}
	p, err := inventory.Look(listener.PID)
	return p, err == nil && p.Kind == childenv.Node && p.ID == id
}
