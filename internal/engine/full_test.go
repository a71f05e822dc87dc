package engine_test

import (
	"crypto/tls"
	"maps"
	"net"
	"net/netip"
	"testing"
	"time"

	"larder/internal/redisnode"
	"larder/internal/testkit"
)

// letIn returns a new connection to a node, and nil where the node has no room for it: larder's last one may take a
// moment to end.
func letIn(t *testing.T, node netip.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", netip.AddrPortFrom(node, 6379).String())
	if err != nil {
		t.Fatal(err)
	}
	client := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := client.HandshakeContext(t.Context()); err != nil {
		c.Close()
		return nil
	}
	return client
}

// TestANodeWithoutRoomForAnotherClientIsNotKilled: it turns a new engine away as it does its clients, and works.
func TestANodeWithoutRoomForAnotherClientIsNotKilled(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	before := must(w.runtime.PIDs(t.Context()))(t)
	w.stop()
	const most = 20
	w.admin("g-001", func(n *redisnode.Node) error { return n.SetMaxClients(t.Context(), most) })
	var clients []net.Conn
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	testkit.Within(t, patience, "the clients have all connections but the replica's", func() bool {
		if c := letIn(t, rg.PrimaryAddress); c != nil {
			clients = append(clients, c)
		}
		return len(clients) == most-1
	})
	w.config.BusyLimit = time.Second
	w.start()
	testkit.Within(t, patience, "it is seen that the node turns larder away",
		func() bool { return w.engine.Report("g").Observed.Nodes["g-001"].Refuses })
	answers := func() bool { return w.engine.Report("g").Observed.Nodes["g-001"].Answers }
	const well = 3 * time.Second // over the limit
	for begin := time.Now(); time.Since(begin) < well; time.Sleep(10 * time.Millisecond) {
		if answers() {
			t.Fatal("the engine was let in")
		}
		if after := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, after) {
			t.Fatalf("the processes were %v and are %v", before, after)
		}
	}
	for _, c := range clients {
		c.Close()
	}
	testkit.Within(t, patience, "the engine comes back to the node when there is room", answers)
	if after := must(w.runtime.PIDs(t.Context()))(t); !maps.Equal(before, after) {
		t.Errorf("the processes were %v and are %v", before, after)
	}
}

// TestAFullNodeSaysSo: clients without a token fill a node that larder is connected to. The group is as it should be,
// and no new client gets in.
func TestAFullNodeSaysSo(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.create("g", 2, nil)
	rg := w.awaitAvailable("g")
	full := func() int { return w.engine.Report("g").Observed.Nodes["g-001"].Full }
	if n := full(); n != 0 {
		t.Errorf("the new node is full with %d connections", n)
	}
	const most = 20
	w.admin("g-001", func(n *redisnode.Node) error { return n.SetMaxClients(t.Context(), most) })
	var clients []net.Conn
	defer func() {
		for _, c := range clients {
			c.Close()
		}
	}()
	testkit.Within(t, patience, "it is seen that the node is full", func() bool {
		if c := letIn(t, rg.PrimaryAddress); c != nil {
			clients = append(clients, c)
		}
		return full() == most
	})
	text := "Cache node 0001 has 20 connections, which is all that it may have: new clients are turned away"
	if n := w.noticed(text); n != 1 {
		t.Errorf("%d events say so", n)
	}
	for _, c := range clients {
		c.Close()
	}
	testkit.Within(t, patience, "there is room again", func() bool { return full() == 0 })
	if rg = must(w.get("g"))(t); rg.Primary().ID != "g-001" {
		t.Errorf("the primary is %s", rg.Primary().ID)
	}
}
