package gateway

import (
	"net"
	"net/http"

	"larder/internal/caller"
	"larder/internal/sigv4"
)

// callerOf is who sent a request, whose signature is verified. Nothing proves the user agent: it is the client's word.
func (g *Gateway) callerOf(r *http.Request, signer sigv4.Identity) caller.Caller {
	c := g.config.User(signer.AccessKeyID)
	c.AccessKeyID, c.Region = signer.AccessKeyID, signer.Region
	c.UserAgent = clip(r.UserAgent())
	c.Address = caller.Socket
	if !cameBySocket(r) {
		c.Address = host(r.RemoteAddr)
	}
	return c
}

// cameBySocket tells whether a request came by larder's own socket.
func cameBySocket(r *http.Request) bool {
	local, known := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return known && local.Network() == "unix"
}

// host is an address without its port.
func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
