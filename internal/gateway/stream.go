package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"

	"larder/internal/awswire"
)

// Stream is an answer that goes on: it sends events, each the name of a member of the operation's event stream and a
// pointer to its structure, until ctx ends or it has no more. An error ends the stream with an exception of its code.
type Stream func(ctx context.Context, send func(event string, value any) error) error

// HandleStream makes an action whose answer is a stream of events, in awsJson. What the handler refuses is answered as
// by any other action.
func HandleStream[I any](name string, access Access, f func(context.Context, *I) (Stream, error),
	refusals ...Refusal) Action {
	return Handle(name, access, func(ctx context.Context, in *I) (*Stream, error) {
		s, err := f(ctx, in)
		return &s, err
	}, refusals...)
}

// sendTimeout is how long a client may take to read an event.
const sendTimeout = 10 * time.Second

// EndStreams ends the answers that go on, so that the server that the gateway serves in can end.
func (g *Gateway) EndStreams() { g.endStreams() }

// stream sends events until there are no more, the client goes, or EndStreams is called.
func (g *Gateway) stream(w http.ResponseWriter, r *http.Request, x *exchange) {
	w.Header().Set("X-Amzn-Requestid", x.requestID)
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(g.streams, cancel)()
	out := eventWriter{w, http.NewResponseController(w), eventstream.NewEncoder()}
	defer out.control.SetWriteDeadline(time.Time{}) // for the connection's next request
	err := out.write(eventstream.EventMessageType, "initial-response",
		[]byte("{}")) // awsJson's streams begin with the operation's output
	if err == nil {
		err = x.stream(ctx, func(event string, value any) error {
			payload, err := x.service.codec.AppendJSONResponse(nil, value)
			if err != nil {
				return err
			}
			return out.write(eventstream.EventMessageType, event, payload)
		})
	}
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		err = out.write(eventstream.ExceptionMessageType, refusal.ErrorCode(),
			awswire.AppendJSONError(nil, refusal.ErrorCode(), "message", refusal.ErrorMessage()))
	}
	g.config.Logger.DebugContext(r.Context(), "stream ended", "service", x.serviceName(), "action", x.operation,
		"request_id", x.requestID, "error", err)
}

// eventWriter writes the messages of an event stream.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	encoder *eventstream.Encoder
}

// write writes a message. kind is an event or an exception, and name which.
func (o eventWriter) write(kind, name string, payload []byte) error {
	of := eventstream.EventTypeHeader
	if kind == eventstream.ExceptionMessageType {
		of = eventstream.ExceptionTypeHeader
	}
	m := eventstream.Message{Payload: payload, Headers: eventstream.Headers{
		{Name: eventstream.MessageTypeHeader, Value: eventstream.StringValue(kind)},
		{Name: of, Value: eventstream.StringValue(name)},
		{Name: eventstream.ContentTypeHeader, Value: eventstream.StringValue("application/json")},
	}}
	return errors.Join(o.control.SetWriteDeadline(time.Now().Add(sendTimeout)), o.encoder.Encode(o.w, m),
		o.control.Flush())
}
