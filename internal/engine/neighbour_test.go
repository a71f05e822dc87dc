package engine_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

// TestANeighbourOnTheReaderEndpointIsNamed: with several replicas it is the relay that cannot listen.
func TestANeighbourOnTheReaderEndpointIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stop()
	w.create("g", 3, nil)
	rg := must(w.get("g"))(t)
	at := netip.AddrPortFrom(rg.ReaderAddress, uint16(rg.Port))
	neighbour := must(net.Listen("tcp", at.String()))(t)
	defer neighbour.Close()
	w.config.Listener = func(of netip.AddrPort) (pid int, name string) {
		if of == at {
			return 1, "process 1 (mallory)"
		}
		return 0, ""
	}
	w.start()
	w.eventually("the neighbour is named", func() bool {
		text, _ := w.engine.Trouble("g")
		return strings.Contains(text, "process 1 (mallory) listens on "+at.String())
	})
	if err := neighbour.Close(); err != nil {
		t.Fatal(err)
	}
	w.awaitAvailable("g")
}
