// Package gateway is the HTTP entry of the AWS APIs: it verifies who signed a
// request, finds the action, decodes the input, and encodes the answer.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/internal/sigv4"
)

// Verifier finds out who signed a request. Its errors are smithy.APIErrors.
type Verifier interface {
	Verify(r *http.Request, body []byte) (sigv4.Identity, error)
}

// Config is what a gateway needs.
type Config struct {
	Services []Service
	Verifier Verifier
	// Logger gets a line per request at debug level, and internal errors; nil
	// means none.
	Logger *slog.Logger
	// Region is the one region served. Requests signed for another are refused,
	// because the ARNs in the answers would not be what they ask for.
	Region string
	// NewRequestID names requests, as AWS does with UUIDs.
	NewRequestID func() string
	// Now times requests for the log; nil means time.Now.
	Now func() time.Time
	// MaxBody is the largest request body in bytes; 0 means 1 MiB.
	MaxBody int64
}

// Gateway serves AWS APIs over HTTP.
type Gateway struct {
	config   Config
	services map[string]*service // by signing name

	streams    context.Context // ends when those that are under way shall
	endStreams context.CancelFunc
}

// New returns a gateway. Its errors are mistakes in the declared services.
func New(c Config) (*Gateway, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.Verifier == nil || c.NewRequestID == nil || c.Region == "" {
		return nil, errors.New("gateway: Config needs a Verifier, NewRequestID and a Region")
	}
	g := &Gateway{config: c, services: map[string]*service{}}
	g.streams, g.endStreams = context.WithCancel(context.Background())
	for _, s := range c.Services {
		name := s.Shapes.SigningName
		if g.services[name] != nil {
			return nil, fmt.Errorf("gateway: the service %s is declared twice", name)
		}
		ready, err := newService(s)
		if err != nil {
			return nil, fmt.Errorf("gateway: %w", err)
		}
		g.services[name] = ready
	}
	return g, nil
}

// exchange is one request on its way through, filled in as it gets known.
type exchange struct {
	requestID string
	protocol  protocol
	service   *service // nil until known
	operation string
	status    int
	code      string // of the error, if it is one
	stream    Stream // the answer, if it is one that goes on
}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := g.config.Now()
	x := &exchange{requestID: g.config.NewRequestID(), protocol: g.protocolOf(r), status: http.StatusOK}
	body, err := g.answer(r, x)
	if err != nil {
		body = g.fail(w, r, x, err)
	}
	if x.stream != nil {
		g.stream(w, r, x)
		return
	}
	w.Header().Set("X-Amzn-Requestid", x.requestID)
	x.protocol.head(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(x.status)
	if _, err := w.Write(body); err != nil {
		g.config.Logger.DebugContext(r.Context(), "response not delivered", "request_id", x.requestID, "error", err)
	}
	g.config.Logger.DebugContext(r.Context(), "request", "service", x.serviceName(), "action", x.operation,
		"status", x.status, "code", x.code, "request_id", x.requestID, "duration", g.config.Now().Sub(start))
}

// answer is the whole way of a request that goes well. A panic on it is an
// internal error like any other.
func (g *Gateway) answer(r *http.Request, x *exchange) (response []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			response, err = nil, newPanicError(p)
		}
	}()
	body, err := g.readBody(r)
	if err != nil {
		return nil, err
	}
	signer, err := g.config.Verifier.Verify(r, body)
	if err != nil {
		return nil, err
	}
	if x.service, err = g.service(signer, x.protocol); err != nil {
		return nil, err
	}
	if body, err = g.unpack(r, body); err != nil {
		return nil, err
	}
	call, err := x.protocol.parse(r, body, signer.Presigned)
	if err != nil {
		return nil, err
	}
	var action *Action
	if x.operation, action, err = x.service.route(call); err != nil {
		return nil, err
	}
	output, err := action.call(r.Context(), func(input any) error {
		if err := call.decode(x.service.codec, input); err != nil {
			return err
		}
		return action.refuse(input)
	})
	if err != nil {
		return nil, err
	}
	if s, ok := output.(*Stream); ok {
		x.stream = *s
		return nil, nil
	}
	return call.appendResponse(make([]byte, 0, 4096), x.service.codec, x.requestID, output)
}

// service finds the service a request is signed for.
func (g *Gateway) service(signer sigv4.Identity, p protocol) (*service, error) {
	if signer.Region != g.config.Region {
		return nil, clientError("SignatureDoesNotMatch", "Credential should be scoped to a valid region, not '%s': larder serves %s here. Set AWS_REGION=%s.",
			clip(signer.Region), g.config.Region, g.config.Region)
	}
	s, ok := g.services[signer.Service]
	if !ok {
		return nil, clientError("InvalidAction", "larder does not serve %s; it serves %s", clip(signer.Service),
			strings.Join(slices.Sorted(maps.Keys(g.services)), ", "))
	}
	if !p.speaks(s.shapes) {
		return nil, clientError("InvalidAction", "%s is asked in %s, not in the protocol of this request",
			s.shapes.SigningName, s.shapes.Protocol)
	}
	return s, nil
}
