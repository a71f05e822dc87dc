package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/connlimit"
)

// apiLimits bound what a client can hold of the API.
type apiLimits struct {
	header time.Duration // for a request's headers
	body   time.Duration // for a request's body
	write  time.Duration // for the client to read what one write sends
	idle   time.Duration // until the next request of a connection
	bytes  int           // of a request's headers
	conns  int           // at most; see bounded
}

// maxConns bounds the connections to the API's port, and ownConns those of larder's own commands.
const maxConns, ownConns = 1024, 512

var defaultAPILimits = apiLimits{header: 5 * time.Second, body: 10 * time.Second, write: 10 * time.Second,
	idle: time.Minute, bytes: 64 << 10, conns: maxConns}

// connBound is how many connections the API's port may have with a number of file descriptors: a quarter of them, so
// that nodes, files and larder's own commands find some. The Go runtime has raised the number to the hard limit.
func (a apiLimits) connBound(descriptors uint64) int {
	return int(min(max(descriptors/4, 8), uint64(a.conns)))
}

// server serves the API on both of its listeners.
func (a apiLimits) server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: a.limitBodies(h), ReadHeaderTimeout: a.header, IdleTimeout: a.idle, MaxHeaderBytes: a.bytes,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnState: connlimit.Track,
		ConnContext: connlimit.Context,
	}
}

// limitBodies bounds how long a request's body may take, also where nobody reads it. The gateway lifts the bound once
// it has verified the request: an answer may take longer.
func (a apiLimits) limitBodies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(a.body)); err != nil {
				http.Error(w, "cannot bound the request's time", http.StatusInternalServerError)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// bounded bounds what the API's port takes of the process's file descriptors.
func (a apiLimits) bounded(l net.Listener) (net.Listener, error) {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return nil, err
	}
	return connlimit.New(l, a.connBound(files.Cur), a.write), nil
}

// admitted keeps the connection of a request whose signature is verified.
func admitted(ctx context.Context) { connlimit.Keep(ctx) }

// proven tells whether the connection of a request has carried one whose signature was verified.
func proven(ctx context.Context) bool { return connlimit.Proven(ctx) }
