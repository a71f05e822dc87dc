package gateway

import (
	"cmp"
	"net/http"
	"strings"

	"larder/internal/awswire"
)

// jsonProtocol is awsJson 1.0 and 1.1, which differ in the media type only.
type jsonProtocol struct{ media string }

// speaks is true of CloudWatch too, which newer clients ask in awsJson and older ones in awsQuery.
func (jsonProtocol) speaks(s *awswire.Shapes) bool { return s.TargetPrefix != "" }

func (p jsonProtocol) head(h http.Header) { h.Set("Content-Type", p.media) }

// jsonCodes are the query protocol's codes for what goes wrong before a handler
// runs, as services with a JSON protocol spell them; all with status 400.
var jsonCodes = map[string]string{
	"AccessDenied":               "AccessDeniedException",
	"AccessDeniedException":      "AccessDeniedException",
	"IncompleteSignature":        "IncompleteSignatureException",
	"InvalidAction":              "UnknownOperationException",
	"InvalidClientTokenId":       "UnrecognizedClientException",
	"InvalidParameterValue":      "ValidationException",
	"InvalidQueryParameter":      "ValidationException",
	"MalformedInput":             "SerializationException",
	"MalformedQueryString":       "SerializationException",
	"MissingAction":              "UnknownOperationException",
	"MissingAuthenticationToken": "MissingAuthenticationTokenException",
	"SignatureDoesNotMatch":      "InvalidSignatureException",
}

func (jsonProtocol) adapt(f fault) fault {
	if code, ok := jsonCodes[f.code]; ok && f.shape == f.code { // an error of the model keeps its name
		f.code, f.shape, f.status = code, code, http.StatusBadRequest
	}
	return f
}

func (jsonProtocol) fault(h http.Header, f fault, _, _ string) []byte {
	h.Set("X-Amzn-Errortype", f.shape)
	if f.query || f.shape != f.code {
		h.Set("X-Amzn-Query-Error", f.queryError())
	}
	return awswire.AppendJSONError(nil, f.shape, cmp.Or(f.member, "message"), f.message)
}

func (p jsonProtocol) parse(r *http.Request, body []byte, presigned bool) (call, error) {
	if err := checkHTTP(r, p.media, http.MethodPost); err != nil {
		return nil, err
	}
	if r.URL.RawQuery != "" && !presigned {
		return nil, clientError("InvalidQueryParameter",
			"the query string is not part of this API; parameters go into the body")
	}
	prefix, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !ok || name == "" {
		return nil, clientError("MissingAction",
			"the X-Amz-Target header names no operation; it has the form Service.Operation")
	}
	return jsonCall{prefix: prefix, name: name, body: body}, nil
}

type jsonCall struct {
	prefix, name string
	body         []byte
}

func (c jsonCall) operation(shapes *awswire.Shapes) (string, error) {
	if c.prefix != shapes.TargetPrefix {
		return "", clientError("InvalidAction", "the X-Amz-Target %s is not of %s, whose targets begin with %s",
			clip(c.prefix), shapes.SigningName, shapes.TargetPrefix)
	}
	return c.name, nil
}

func (c jsonCall) decode(codec *awswire.Codec, input any) error {
	return codec.DecodeJSON(c.body, input)
}

func (c jsonCall) appendResponse(b []byte, codec *awswire.Codec, _ string, output any) ([]byte, error) {
	return codec.AppendJSONResponse(b, output)
}
