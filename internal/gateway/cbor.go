package gateway

import (
	"net/http"
	"strings"

	"larder/internal/awswire"
)

// cborProtocol is rpcv2Cbor: the path names the operation, CBOR asks and answers.
type cborProtocol struct{}

const (
	cborMedia  = "application/cbor"
	cborHeader = "Smithy-Protocol"
	cborName   = "rpc-v2-cbor"
)

func (cborProtocol) speaks(s *awswire.Shapes) bool { return s.QueryCompatible() }

// head names the protocol, without which clients do not read the answer.
func (cborProtocol) head(h http.Header) {
	h.Set("Content-Type", cborMedia)
	h.Set(cborHeader, cborName)
}

// adapt gives the codes that the JSON protocols have, too.
func (cborProtocol) adapt(f fault) fault { return jsonProtocol{}.adapt(f) }

func (cborProtocol) fault(h http.Header, f fault, _, _ string) []byte {
	h.Set("X-Amzn-Query-Error", f.queryError())
	return awswire.AppendCBORError(nil, f.shape, f.message)
}

func (cborProtocol) parse(r *http.Request, body []byte, _ bool) (call, error) {
	// /service/GraniteServiceVersion20100801/operation/PutMetricData
	parts := strings.Split(r.URL.Path, "/")
	switch {
	case len(parts) != 5 || parts[0] != "" || parts[1] != "service" || parts[3] != "operation":
		return nil, clientError("InvalidAction",
			"%s names no operation; the path of this protocol is /service/NAME/operation/NAME", clip(r.URL.Path))
	case r.Method != http.MethodPost:
		return nil, clientError("MethodNotAllowed", "%s is not a method of this API; use POST", clip(r.Method))
	case len(body) > 0 && r.Header.Get("Content-Type") != cborMedia:
		return nil, clientError("UnsupportedMediaType", "the Content-Type %q is not one of this API; use %s",
			clip(r.Header.Get("Content-Type")), cborMedia)
	}
	return cborCall{service: parts[2], name: parts[4], body: body}, nil
}

type cborCall struct {
	service, name string
	body          []byte
}

func (c cborCall) operation(shapes *awswire.Shapes) (string, error) {
	if c.service != shapes.TargetPrefix {
		return "", clientError("InvalidAction", "the service %s is not %s, which is called %s here", clip(c.service),
			shapes.SigningName, shapes.TargetPrefix)
	}
	return c.name, nil
}

func (c cborCall) decode(codec *awswire.Codec, input any) error {
	return codec.DecodeCBOR(c.body, input)
}

func (c cborCall) appendResponse(b []byte, codec *awswire.Codec, _ string, output any) ([]byte, error) {
	return codec.AppendCBORResponse(b, output)
}
