package gateway

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"larder/internal/awswire"
)

const formMedia = "application/x-www-form-urlencoded"

// asksInQuery tells a query from restJson, which has operations on the path / too: a query is a form, or its action
// stands in the URL.
func asksInQuery(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == formMedia || r.URL.Query().Has("Action")
}

// queryProtocol is awsQuery: a form asks, XML answers.
type queryProtocol struct{}

func (queryProtocol) speaks(s *awswire.Shapes) bool { return s.Protocol == awswire.AWSQuery }

func (queryProtocol) head(h http.Header) { h.Set("Content-Type", "text/xml") }

func (queryProtocol) adapt(f fault) fault { return f }

func (queryProtocol) fault(_ http.Header, f fault, namespace, requestID string) []byte {
	return awswire.AppendQueryError(nil, namespace, f.code, f.message, requestID, f.sender)
}

func (queryProtocol) parse(r *http.Request, body []byte, presigned bool) (call, error) {
	return parseQuery(r, body, presigned)
}

func parseQuery(r *http.Request, body []byte, presigned bool) (queryCall, error) {
	if err := checkHTTP(r, formMedia, http.MethodPost, http.MethodGet); err != nil {
		return queryCall{}, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return queryCall{}, clientError("MalformedQueryString", "the body is not a form: %v", err)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return queryCall{}, clientError("MalformedQueryString", "the query string is not a form: %v", err)
	}
	for name, values := range query {
		if presigned && strings.HasPrefix(name, "X-Amz-") {
			continue // the signature, not the request
		}
		form[name] = append(form[name], values...)
	}
	return takeCall(form)
}

// takeCall takes out of a form what is not the operation's own input.
func takeCall(form url.Values) (queryCall, error) {
	for _, name := range []string{"Action", "Version"} {
		if len(form[name]) > 1 {
			return queryCall{}, clientError("InvalidQueryParameter", "the parameter %s is given more than once", name)
		}
	}
	c := queryCall{action: form.Get("Action"), version: form.Get("Version"), form: form}
	if c.action == "" {
		return queryCall{}, clientError("MissingAction",
			"the request has no Action: the parameter names the operation to run")
	}
	form.Del("Action")
	form.Del("Version")
	return c, nil
}

type queryCall struct {
	action, version string
	form            url.Values
}

func (c queryCall) operation(shapes *awswire.Shapes) (string, error) {
	if c.version != "" && c.version != shapes.Version {
		return "", unknownOperation(c.action, c.version)
	}
	return c.action, nil
}

func (c queryCall) decode(codec *awswire.Codec, input any) error {
	return codec.DecodeQuery(c.form, input)
}

func (c queryCall) appendResponse(b []byte, codec *awswire.Codec, requestID string, output any) ([]byte, error) {
	return codec.AppendQueryResponse(b, c.action, requestID, output)
}
