package gateway

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"larder/internal/sigv4"
)

// panicError is a panic with the stack it came from.
type panicError struct {
	value any
	stack []byte
}

func newPanicError(value any) *panicError { return &panicError{value: value, stack: debug.Stack()} }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// admitted is a request whose signature is verified, with its body.
type admitted struct {
	signer  sigv4.Identity
	service *service
	body    []byte
	release func() // gives free the memory that the body is counted with
}

// admit refuses what no body could make right. Then it reads the body, and verifies who signed the request.
func (g *Gateway) admit(w http.ResponseWriter, r *http.Request, p protocol) (admitted, error) {
	s, err := g.check(r, p)
	if err != nil {
		return unread(w, r, err)
	}
	control := http.NewResponseController(w)
	// That fails for tests' recorders only, whose bodies are there.
	held := g.budgetOf(r).begin(g.config.Proven(r.Context()), func() { _ = control.SetReadDeadline(time.Unix(1, 0)) })
	a := admitted{service: s, release: held.release}
	if a.body, err = readBody(r, held, g.limit(s)); err != nil {
		lost := held.lost()
		held.release()
		if lost {
			g.pause(r.Context(), givenWay)
		}
		return unread(w, r, err)
	}
	if a.signer, err = g.config.Verifier.Verify(r, a.body); err != nil {
		held.release()
		return admitted{}, err
	}
	if err = held.verified(); err != nil {
		held.release()
		return unread(w, r, err)
	}
	if a.service, err = g.serviceOf(r.Context(), a.signer, p); err != nil {
		held.release()
		return admitted{}, err
	}
	g.config.Admitted(r.Context())
	// The server bounds how long a body takes, and not the answer; tests' recorders know no deadlines.
	if err := control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		held.release()
		return admitted{}, err
	}
	return a, nil
}

// check refuses what is wrong whatever the body is, and returns the service that the request says it is signed for.
func (g *Gateway) check(r *http.Request, p protocol) (*service, error) {
	claimed, err := g.config.Verifier.Check(r)
	if err != nil {
		return nil, err
	}
	if err := g.knows(claimed.Region); err != nil {
		return nil, err
	}
	s, err := g.services.find(claimed.Service, p)
	if err != nil {
		return nil, err
	}
	if limit := g.limit(s); r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	return s, nil
}

// unread refuses a request whose body is not read to its end. The rest of it is not worth reading, so the connection
// ends.
func unread(w http.ResponseWriter, r *http.Request, err error) (admitted, error) {
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
	}
	return admitted{}, err
}

// pause waits, unless the client or the server ends.
func (g *Gateway) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-g.streams.Done():
	}
}

// largeBody is how much room a body takes at once, in bytes, when its client says that it is that long.
const largeBody = 1<<20 + 1

// readBody reads the body, and at most one byte beyond the limit. What is counted grows with what has come: before
// smallBody bytes have, a client's word for how long the body is counts for nothing.
func readBody(r *http.Request, held *heldBody, limit int64) ([]byte, error) {
	body := make([]byte, 0, min(uint64(r.ContentLength), 8<<10)+1) // a negative length, unknown, is large here
	for {
		if len(body) == cap(body) {
			size := int64(cap(body)) * 2
			if size > smallBody { // the client has shown that it sends: its word for the length counts, up to a point
				size = max(size, min(r.ContentLength+1, largeBody))
			}
			size = min(size, limit+1)
			if err := held.grow(r.Context(), size); err != nil {
				return nil, err
			}
			body = append(make([]byte, 0, size), body...)
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return nil, tooLarge(limit)
		case err == io.EOF:
			return body, nil
		case err != nil && held.lost():
			return nil, errBodies(held.of.most)
		case err != nil:
			return nil, clientError("IncompleteBody", "the request's body ended early: %v", err)
		}
	}
}

// limit is how long a body for a service may be.
func (g *Gateway) limit(s *service) int64 { return max(g.config.MaxBody, s.maxBody) }

// unpack undoes the Content-Encoding that clients give large bodies, which is signed as it came. The limit is of what
// comes out.
func (g *Gateway) unpack(r *http.Request, a admitted) ([]byte, error) {
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "", "identity":
		return a.body, nil
	case "gzip":
	default:
		return nil, clientError("UnsupportedMediaType",
			"larder does not decode request bodies in Content-Encoding %s; send it plain or in gzip", clip(coding))
	}
	limit := g.limit(a.service)
	var body []byte
	packed, err := gzip.NewReader(bytes.NewReader(a.body))
	if err == nil {
		body, err = io.ReadAll(io.LimitReader(packed, limit+1))
	}
	switch {
	case err != nil:
		return nil, clientError("MalformedInput", "the body is not what its Content-Encoding gzip says: %v", err)
	case int64(len(body)) > limit:
		return nil, tooLarge(limit)
	}
	return body, nil
}

func tooLarge(limit int64) error {
	return clientError("RequestEntityTooLarge", "the request's body is larger than the limit of %d bytes", limit)
}

// fail turns an error into the answer's body, and logs what only we should read.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, x *exchange, err error) []byte {
	f, known := faultOf(err)
	if !known {
		g.logFailure(r, x, err)
	}
	f = x.protocol.adapt(f)
	if x.service != nil {
		f.member = x.service.message
		f.query = x.service.shapes.QueryCompatible()
	}
	x.status, x.code = f.status, f.code
	switch f.status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "POST, GET")
	case http.StatusRequestEntityTooLarge:
		// What is left of the body is not worth reading to keep the connection.
		w.Header().Set("Connection", "close")
	}
	return x.protocol.fault(w.Header(), f, x.namespace(), x.requestID)
}

func (g *Gateway) logFailure(r *http.Request, x *exchange, err error) {
	level := slog.LevelError
	if r.Context().Err() != nil {
		level = slog.LevelDebug // the client has gone, and the handler noticed
	}
	args := []any{"service", x.serviceName(), "action", x.operation, "request_id", x.requestID, "error", err}
	if p := (*panicError)(nil); errors.As(err, &p) {
		args = append(args, "stack", string(p.stack))
	}
	g.config.Logger.Log(r.Context(), level, "internal failure", args...)
}

func (x *exchange) serviceName() string {
	if x.service == nil {
		return ""
	}
	return x.service.shapes.SigningName
}

func (x *exchange) namespace() string {
	if x.service == nil {
		return ""
	}
	return x.service.shapes.Namespace
}
