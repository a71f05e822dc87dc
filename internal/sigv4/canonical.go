package sigv4

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// canonicalRequest is the text that both sides hash.
func canonicalRequest(r *http.Request, sig *signature, bodyHash string) []byte {
	b := make([]byte, 0, 1024)
	b = append(append(b, r.Method...), '\n')
	b = append(appendPath(b, r), '\n')
	b = append(appendQuery(b, sig), '\n')
	for _, name := range sig.signedHeaders {
		b = append(append(b, name...), ':')
		b = append(appendHeader(b, r, name), '\n')
	}
	b = append(b, '\n')
	for i, name := range sig.signedHeaders {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	b = append(b, '\n')
	return append(b, bodyHash...)
}

// appendPath escapes the path once more than it is on the wire, as every
// service but S3 wants it.
func appendPath(b []byte, r *http.Request) []byte {
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return appendEscaped(b, path, true)
}

// appendQuery writes the parameters decoded, escaped AWS's way, and sorted in
// that form. The signature itself is left out of what it signs.
func appendQuery(b []byte, sig *signature) []byte {
	type pair struct{ name, value string }
	var pairs []pair
	for name, values := range sig.query {
		if sig.presigned && name == "X-Amz-Signature" {
			continue
		}
		escaped := escape(name)
		for _, value := range values {
			pairs = append(pairs, pair{escaped, escape(value)})
		}
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	return b
}

// appendHeader writes a header's values with spaces trimmed and collapsed.
// net/http keeps two headers apart from the others.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	values := r.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0 && r.ContentLength >= 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCollapsed(b, value)
	}
	return b
}

func appendCollapsed(b []byte, value string) []byte {
	start := len(b)
	for word := range strings.SplitSeq(strings.TrimSpace(value), " ") {
		if word == "" {
			continue
		}
		if len(b) > start {
			b = append(b, ' ')
		}
		b = append(b, word...)
	}
	return b
}

func escape(s string) string { return string(appendEscaped(nil, s, false)) }

// appendEscaped percent-encodes all but RFC 3986's unreserved characters, and
// slashes where they separate path segments.
func appendEscaped(b []byte, s string, keepSlash bool) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', keepSlash && c == '/':
			b = append(b, c)
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}
