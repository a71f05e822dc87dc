package gateway

import (
	"net/http"
	"slices"
	"strings"

	"larder/internal/awswire"
)

// larder serves no service that is asked in a REST protocol: these two protocols only refuse, in the form that the
// clients of such services read.

// restProtocolOf is the protocol in which a request for a service that larder does not serve is refused; nil where a
// query protocol's refusal does.
func restProtocolOf(r *http.Request, service string) protocol {
	switch {
	case slices.Contains([]string{"s3", "s3express", "s3-object-lambda"}, service) &&
		!strings.HasPrefix(r.URL.Path, s3ControlPath):
		return s3Protocol{bodiless: r.Method == http.MethodHead}
	case slices.Contains([]string{"s3", "s3-outposts", "route53", "cloudfront"},
		service): // restXml, whose errors look like awsQuery's
		return nil
	case asksInQuery(r):
		return nil
	}
	return restJSONProtocol{}
}

// s3ControlPath is where the paths of S3 Control begin, which is signed for as S3 is and whose errors are wrapped.
const s3ControlPath = "/v20180820/"

// refusesOnly is a protocol in which nothing is served.
type refusesOnly struct{}

func (refusesOnly) speaks(*awswire.Shapes) bool { return false }

func (refusesOnly) parse(*http.Request, []byte, bool) (call, error) {
	return nil, clientError("InvalidAction", "larder serves nothing in this protocol")
}

// s3Protocol is restXml as S3 has it: its errors are a bare Error element.
type s3Protocol struct {
	refusesOnly
	bodiless bool // the request is a HEAD, whose answer has no body: clients read its status and headers alone
}

func (p s3Protocol) adapt(f fault) fault {
	if p.bodiless && f.code == "InvalidAction" {
		f.status = http.StatusNotImplemented // which SDKs do not repeat
	}
	return f
}

func (s3Protocol) head(h http.Header) { h.Set("Content-Type", "application/xml") }

func (p s3Protocol) fault(h http.Header, f fault, _, requestID string) []byte {
	h.Set("X-Amz-Request-Id", requestID)
	if p.bodiless {
		h.Set("X-Amz-Id-2", f.message) // which the Go SDK's errors repeat, and debug logs of the others
		return nil
	}
	return awswire.AppendS3Error(nil, f.code, f.message, requestID)
}

// restJSONProtocol is restJson: a header names the error, and the body is its text.
type restJSONProtocol struct{ refusesOnly }

func (restJSONProtocol) head(h http.Header) { h.Set("Content-Type", "application/json") }

func (restJSONProtocol) adapt(f fault) fault { return jsonProtocol{}.adapt(f) }

func (restJSONProtocol) fault(h http.Header, f fault, _, _ string) []byte {
	h.Set("X-Amzn-Errortype", f.shape)
	return awswire.AppendJSONError(nil, f.shape, "message", f.message)
}
