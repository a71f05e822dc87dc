package main

import (
	"fmt"
	"path/filepath"
	"slices"
)

// target is the group's primary endpoint, with all nodes behind it.
func (d *harness) target(g *group) target {
	t := target{address: g.primary, tls: g.settings.tls, token: g.settings.token, caFile: d.home.AuthorityFile()}
	for _, n := range g.nodes {
		t.pids = append(t.pids, n.pid)
	}
	return t
}

// target is the first of the servers, with the others behind it.
func (s *bareServers) target(set settings, servers ...*bareServer) target {
	t := target{address: servers[0].address, tls: set.tls, token: set.token, caFile: s.caFile}
	for _, b := range servers {
		t.pids = append(t.pids, b.process.PID())
	}
	return t
}

// readTargets are the reader endpoint, with the relay and the replicas behind it, and one of the replicas.
func (d *harness) readTargets(g *group) ([]target, error) {
	relay, err := d.relay(g)
	if err != nil {
		return nil, err
	}
	endpoint, replica := d.target(g), d.target(g)
	endpoint.address, endpoint.pids[0] = g.reader, relay
	replica.address, replica.pids = g.nodes[1].address, []int{g.nodes[1].pid}
	return []target{endpoint, replica}, nil
}

// relay is the process under the engine's nodes that is not one of the group's.
func (d *harness) relay(g *group) (int, error) {
	pids, err := processesIn(filepath.Join(string(d.home), "nodes"))
	if err != nil {
		return 0, err
	}
	pids = slices.DeleteFunc(pids, func(pid int) bool {
		return slices.ContainsFunc(g.nodes, func(n groupNode) bool { return n.pid == pid })
	})
	if len(pids) != 1 {
		return 0, fmt.Errorf("cannot tell which process is the reader endpoint's relay: %v may be", pids)
	}
	return pids[0], nil
}
