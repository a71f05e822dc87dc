package gateway

import (
	"mime"
	"net/http"
	"slices"
	"strings"

	"larder/internal/awswire"
)

// protocol is one way to ask for an operation and to be answered.
type protocol interface {
	// speaks reports whether a service is asked in this protocol.
	speaks(*awswire.Shapes) bool
	// parse finds the call in a request.
	parse(r *http.Request, body []byte, presigned bool) (call, error)
	// adapt gives a fault the protocol's own codes.
	adapt(fault) fault
	// fault is a fault's body; it sets what headers it needs beside those of head.
	fault(h http.Header, f fault, namespace, requestID string) []byte
	// head sets what every answer says of itself.
	head(h http.Header)
}

// call is a request for an operation, not yet decoded.
type call interface {
	// operation is the operation's name, once the API it is asked of is shapes'.
	operation(shapes *awswire.Shapes) (string, error)
	decode(c *awswire.Codec, input any) error
	appendResponse(b []byte, c *awswire.Codec, requestID string, output any) ([]byte, error)
}

// protocolOf tells the protocols apart. A request that is in none is answered as awsQuery, or as the clients of the
// service read it.
func (g *Gateway) protocolOf(r *http.Request) protocol {
	if r.Header.Get(cborHeader) == cborName {
		return cborProtocol{}
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && strings.HasPrefix(media, "application/x-amz-json-") {
		return jsonProtocol{media: media}
	}
	if r.Header.Get("X-Amz-Target") != "" {
		return jsonProtocol{media: "application/x-amz-json-1.1"}
	}
	claimed := claimedService(r)
	s := g.services.byName[claimed]
	if s != nil && s.shapes.Protocol == awswire.EC2Query {
		return ec2Protocol{}
	}
	if s == nil && claimed != "" {
		if p := restProtocolOf(r, claimed); p != nil {
			return p
		}
	}
	return queryProtocol{}
}

// claimedService is the service that a request says it is signed for. Nothing
// else tells ec2Query from awsQuery, and a refused signature is answered too.
func claimedService(r *http.Request) string {
	_, credential, ok := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !ok {
		credential = r.URL.Query().Get("X-Amz-Credential")
	}
	credential, _, _ = strings.Cut(credential, ",")
	// The scope is AKIDEXAMPLE/20260304/us-east-1/ec2/aws4_request.
	scope := strings.Split(credential, "/")
	return scope[max(len(scope)-2, 0)]
}

// checkHTTP refuses what no AWS client sends.
func checkHTTP(r *http.Request, media string, methods ...string) error {
	if r.URL.Path != "/" {
		return clientError("InvalidAction", "%s is no path of an AWS API here: every operation is served on /",
			clip(r.URL.Path))
	}
	if !slices.Contains(methods, r.Method) {
		return clientError("MethodNotAllowed", "%s is not a method of this API; use %s", clip(r.Method),
			strings.Join(methods, " or "))
	}
	if r.Method == http.MethodGet {
		return nil
	}
	if got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || got != media {
		return clientError("UnsupportedMediaType", "the Content-Type %q is not one of this API; use %s",
			clip(r.Header.Get("Content-Type")), media)
	}
	return nil
}
