// Package gateway is the HTTP entry of the AWS APIs: it verifies who signed a
// request, finds the action, decodes the input, and encodes the answer.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/sigv4"
)

// Verifier finds out who signed a request. Its errors are smithy.APIErrors.
type Verifier interface {
	// Check returns who a request says it is signed by, which nothing proves yet.
	// It refuses what no body can make right.
	Check(r *http.Request) (claimed sigv4.Identity, err error)
	Verify(r *http.Request, body []byte) (sigv4.Identity, error)
}

// Others are the regions beside a gateway's own.
type Others interface {
	// Known tells whether there is a region of that name.
	Known(region string) bool
	// Services are those of a region that is known. A verified request asks for them.
	Services(ctx context.Context, region string) (*Services, error)
}

// Config is what a gateway needs.
type Config struct {
	Services []Service // of Region
	Verifier Verifier
	// User is whom a credential belongs to, by its access key id.
	User func(accessKeyID string) caller.Caller
	// Grants are what a caller may do. A caller without grants is refused everything but what needs none.
	Grants func(caller.Caller) Grants
	// Logger gets a line per request at debug level, and internal errors; nil
	// means none.
	Logger *slog.Logger
	// Region is the region whose services Services are. Requests signed for a
	// region that is not served are refused: the ARNs in the answers would not be
	// what they ask for.
	Region string
	// Others are the other regions served; nil: none is.
	Others Others
	// NewRequestID names requests, as AWS does with UUIDs.
	NewRequestID func() string
	// Now times requests for the log; nil means time.Now.
	Now func() time.Time
	// MaxBody is the largest request body in bytes; 0 means 1 MiB.
	MaxBody int64
	// MaxBodies bounds what bodies take at one time beyond the first 64 KiB of
	// each, in bytes, on the port and on the socket each; 0 means 64 MiB. What
	// finds no room in time is answered ServiceUnavailable.
	MaxBodies int64
	// Admitted is told of a request whose signature is verified; nil tells nobody.
	Admitted func(context.Context)
	// Proven tells whether an earlier request of the same connection was verified,
	// so that its body goes before others where bodies wait for room; nil: none was.
	Proven func(context.Context) bool
}

// Gateway serves AWS APIs over HTTP.
type Gateway struct {
	config   Config
	services *Services // of its own region

	bodies, ownBodies bodyBudget // of the port, and of larder's own socket

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
	if c.MaxBodies == 0 {
		c.MaxBodies = 64 << 20
	}
	if c.Admitted == nil {
		c.Admitted = func(context.Context) {}
	}
	if c.Proven == nil {
		c.Proven = func(context.Context) bool { return false }
	}
	if c.Verifier == nil || c.User == nil || c.Grants == nil || c.NewRequestID == nil || c.Region == "" {
		return nil, errors.New("gateway: Config needs a Verifier, User, Grants, NewRequestID and a Region")
	}
	services, err := NewServices(c.Services)
	if err != nil {
		return nil, err
	}
	g := &Gateway{config: c, services: services, bodies: bodyBudget{most: c.MaxBodies},
		ownBodies: bodyBudget{most: c.MaxBodies}}
	g.streams, g.endStreams = context.WithCancel(context.Background())
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
	body, err := g.answer(w, r, x)
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
func (g *Gateway) answer(w http.ResponseWriter, r *http.Request, x *exchange) (response []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			response, err = nil, newPanicError(p)
		}
	}()
	a, err := g.admit(w, r, x.protocol)
	if err != nil {
		return nil, err
	}
	defer a.release()
	x.service = a.service
	body, err := g.unpack(r, a)
	if err != nil {
		return nil, err
	}
	call, err := x.protocol.parse(r, body, a.signer.Presigned)
	if err != nil {
		return nil, err
	}
	var action *Action
	if x.operation, action, err = x.service.route(call); err != nil {
		return nil, err
	}
	output, err := g.call(r.Context(), x, action, call, g.callerOf(r, a.signer))
	if err != nil {
		return nil, err
	}
	if s, ok := output.(*Stream); ok {
		x.stream = *s
		return nil, nil
	}
	return call.appendResponse(make([]byte, 0, 4096), x.service.codec, x.requestID, output)
}

// call decodes the input, refuses what its caller may not do and what the service does not serve, and runs the handler.
// An action that is recorded, and went well, has its row then.
func (g *Gateway) call(ctx context.Context, x *exchange, a *Action, c call, by caller.Caller) (any, error) {
	recorded := ctx
	output, err := a.call(caller.With(ctx, by), func(ctx context.Context, input any) (context.Context, error) {
		if err := c.decode(x.service.codec, input); err != nil {
			return ctx, err
		}
		if err := g.authorize(x.service, a, by, input); err != nil {
			return ctx, err
		}
		if err := x.service.allow(a, input); err != nil {
			return ctx, err
		}
		if a.recorded {
			ctx = x.service.audit.Begin(ctx, audit.Event{
				Caller: by, Service: x.serviceName(), Action: a.Name, Input: input, Time: g.config.Now(),
				RequestID: x.requestID, EventID: g.config.NewRequestID(),
			})
			recorded = ctx
		}
		return ctx, nil
	})
	if err == nil && a.recorded {
		err = x.service.audit.Finish(recorded)
	}
	return output, err
}

// knows refuses a region that is not served. Every region has the same services.
func (g *Gateway) knows(region string) error {
	if region == g.config.Region || g.config.Others != nil && g.config.Others.Known(region) {
		return nil
	}
	return clientError("SignatureDoesNotMatch",
		"Credential should be scoped to a valid region, not '%s': larder serves %s here. Set AWS_REGION=%s.",
		clip(region), g.served(), g.config.Region)
}

// served names the regions.
func (g *Gateway) served() string {
	if g.config.Others == nil {
		return g.config.Region
	}
	return "the regions of the partition aws, such as " + g.config.Region
}

// serviceOf is the service that a verified request is signed for.
func (g *Gateway) serviceOf(ctx context.Context, signer sigv4.Identity, p protocol) (*service, error) {
	services := g.services
	if signer.Region != g.config.Region {
		var err error
		if services, err = g.config.Others.Services(ctx, signer.Region); err != nil {
			return nil, err
		}
	}
	return services.find(signer.Service, p)
}
