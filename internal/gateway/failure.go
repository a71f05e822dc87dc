package gateway

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// panicError is a panic with the stack it came from.
type panicError struct {
	value any
	stack []byte
}

func newPanicError(value any) *panicError { return &panicError{value: value, stack: debug.Stack()} }

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// readBody reads the body, and at most one byte beyond the limit.
func (g *Gateway) readBody(r *http.Request) ([]byte, error) {
	limit := g.limit(r)
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, clientError("IncompleteBody", "the request's body ended early: %v", err)
	}
	if int64(len(body)) > limit {
		return nil, tooLarge(limit)
	}
	return body, nil
}

// limit is how long a body may be: whether the request is for the service that it claims is found out when there is a body.
func (g *Gateway) limit(r *http.Request) int64 {
	if s := g.services[claimedService(r)]; s != nil {
		return max(g.config.MaxBody, s.maxBody)
	}
	return g.config.MaxBody
}

// unpack undoes the Content-Encoding that clients give large bodies, which is signed as it came. The limit is of what comes out.
func (g *Gateway) unpack(r *http.Request, body []byte) ([]byte, error) {
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "", "identity":
		return body, nil
	case "gzip":
	default:
		return nil, clientError("UnsupportedMediaType", "larder does not decode request bodies in Content-Encoding %s; send it plain or in gzip", clip(coding))
	}
	limit := g.limit(r)
	packed, err := gzip.NewReader(bytes.NewReader(body))
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
