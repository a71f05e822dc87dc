package app

import "net/http"

// front sends each request to the handler that serves it. It is not a http.ServeMux, which answers a path that is not
// clean with a redirect: a signed request cannot follow one.
type front struct {
	// unsigned are asked in their order for who serves a request without a signature. They return nil for a request
	// that is not theirs.
	unsigned []func(*http.Request) http.Handler
	// api serves everything else, and verifies the signature.
	api http.Handler
}

// ServeHTTP implements http.Handler.
func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.handler(r).ServeHTTP(w, r)
}

func (f front) handler(r *http.Request) http.Handler {
	for _, unsigned := range f.unsigned {
		if h := unsigned(r); h != nil {
			return h
		}
	}
	return f.api
}
