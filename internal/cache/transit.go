package cache

import "slices"

// TransitMode says how clients may connect, in the API's words (TransitEncryptionMode).
type TransitMode string

// Every mode.
const (
	TransitOff       TransitMode = ""          // without TLS only
	TransitPreferred TransitMode = "preferred" // with TLS and without it, at the same address and port
	TransitRequired  TransitMode = "required"  // with TLS only
)

// Transit is the mode that the group is to have.
func (g *ReplicationGroup) Transit() TransitMode {
	switch {
	case !g.TransitEncryption:
		return TransitOff
	case g.PlainClients:
		return TransitPreferred
	}
	return TransitRequired
}

// SetTransit makes a mode the desired one.
func (g *ReplicationGroup) SetTransit(m TransitMode) {
	g.TransitEncryption, g.PlainClients = m != TransitOff, m == TransitPreferred
}

// SwitchTransit makes a mode the desired one, and remembers the one that it replaces until the nodes have it.
func (g *ReplicationGroup) SwitchTransit(m TransitMode) {
	if before := g.Transit(); before != m {
		g.TransitBefore = &before
		g.SetTransit(m)
	}
}

// ServedTransit is the mode that clients find: the one before while the nodes are being switched.
func (g *ReplicationGroup) ServedTransit() TransitMode {
	if g.TransitBefore != nil {
		return *g.TransitBefore
	}
	return g.Transit()
}

// Ports are the TCP ports that have to do with a group's clients.
type Ports struct {
	Group int // clients connect to it
	// Plain and TLS are those that a node listens on, without TLS and with it; 0 for none.
	Plain, TLS int
}

// Each returns every port once.
func (p Ports) Each() (ports []int) {
	for _, port := range []int{p.Group, p.Plain, p.TLS} {
		if port != 0 && !slices.Contains(ports, port) {
			ports = append(ports, port)
		}
	}
	return ports
}

// Ports are those that every node of the group shall listen on. redis-server serves TLS and plain connections on two
// ports: where clients may use either on one, the group's relay has the port, and leads to these.
func (g *ReplicationGroup) Ports() Ports {
	switch g.Transit() {
	case TransitRequired:
		return Ports{Group: g.Port, TLS: g.Port}
	case TransitPreferred:
		plain, secure := innerPorts(g.Port)
		return Ports{Group: g.Port, Plain: plain, TLS: secure}
	}
	return Ports{Group: g.Port, Plain: g.Port}
}

// innerPorts are two ports beside the group's. They are below those that the kernel gives to outgoing connections.
func innerPorts(group int) (plain, secure int) {
	const first = 27379
	ports := slices.DeleteFunc([]int{first, first + 1, first + 2}, func(port int) bool { return port == group })
	return ports[0], ports[1]
}

// ReplicationPort is the port at which replicas reach a node. They use TLS wherever clients can.
func (g *ReplicationGroup) ReplicationPort() int {
	if ports := g.Ports(); ports.TLS != 0 {
		return ports.TLS
	}
	return g.Port
}
