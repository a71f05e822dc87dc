package sigv4_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"larder/internal/sigv4"
)

// drawn is a random request, signed by the SDK.
type drawn struct {
	method, target, body string
	header               http.Header
}

var (
	anyText    = rapid.StringN(0, 12, 40)
	headerText = rapid.StringMatching(`[!-~]{0,6}( {1,3}[!-~]{1,6}){0,3}`)
)

func drawRequest(t *rapid.T) drawn {
	query := url.Values{}
	for range rapid.IntRange(0, 3).Draw(t, "parameters") {
		query.Add(anyText.Draw(t, "name"), anyText.Draw(t, "value"))
	}
	segments := rapid.SliceOfN(rapid.StringMatching(`[a-zA-Z0-9 %?*+~:@!$&'()=,;é-]{1,8}`), 0, 3).Draw(t, "path")
	for i := range segments {
		segments[i] = url.PathEscape(segments[i])
	}
	header := http.Header{}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		name := http.CanonicalHeaderKey("X-" + rapid.StringMatching(`(amz-)?[a-z]{1,8}`).Draw(t, "header"))
		header.Add(name, headerText.Draw(t, "header value"))
	}
	header.Del("X-Amz-Date")
	return drawn{
		method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE"}).Draw(t, "method"),
		target: "/" + strings.Join(segments, "/") + "?" + query.Encode(),
		body:   anyText.Draw(t, "body"),
		header: header,
	}
}

func (d drawn) sign(t *rapid.T) *http.Request {
	return signed(t, newRequest(t, d.method, d.target, d.header, d.body), d.body, example(), now)
}

// TestAnySignedRequestVerifies: what the SDK signs, we accept.
func TestAnySignedRequestVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := drawRequest(t)
		if _, err := verify(t, d.sign(t)); err != nil {
			t.Fatalf("%s %s %v: %v", d.method, d.target, d.header, err)
		}
	})
}

// TestAnyAlteredRequestFails: one byte changed anywhere that is signed, and it is refused.
func TestAnyAlteredRequestFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRequest(t).sign(t)
		body := readAll(t, r)
		part := rapid.SampledFrom([]string{"method", "host", "path", "query", "body", "date", "authorization"}).Draw(t,
			"part")
		switch part {
		case "method":
			r.Method = flip(t, r.Method)
		case "host":
			r.Host = flip(t, r.Host)
		case "path":
			r.URL.RawPath = ""
			r.URL.Path = flip(t, r.URL.Path)
		case "query":
			r.URL.RawQuery += "&" + rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "added") + "="
		case "body":
			body = flip(t, body+"x")
		case "date":
			r.Header.Set("X-Amz-Date", flip(t, r.Header.Get("X-Amz-Date")))
		case "authorization":
			r.Header.Set("Authorization", flip(t, r.Header.Get("Authorization")))
		}
		if identity, err := verifier().Verify(r, []byte(body)); err == nil {
			t.Fatalf("accepted as %+v with another %s", identity, part)
		}
	})
}

func readAll(t *rapid.T, r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read the body: %v", err)
	}
	return string(body)
}

// flip changes one byte of s to another printable one.
func flip(t *rapid.T, s string) string {
	b := []byte(s)
	i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
	b[i] = rapid.ByteRange('!', '~').Filter(func(c byte) bool { return c != b[i] }).Draw(t, "byte")
	return string(b)
}

// FuzzVerify: no header, however odd, panics or is let in.
func FuzzVerify(f *testing.F) {
	r := signed(f, newRequest(f, http.MethodPost, "/", nil, form), form, example(), now)
	f.Add(r.Header.Get("Authorization"), r.Header.Get("X-Amz-Date"), "")
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=;, Signature=0", "", "X-Amz-Signature=0")
	f.Add("", "", presigned(f, "/?"+form, example(), now).URL.RawQuery)
	v := &sigv4.Verifier{
		Secret: func(string) (string, bool) { return "unknown to whoever signed", true },
		Now:    func() time.Time { return now },
	}
	f.Fuzz(func(t *testing.T, authorization, date, query string) {
		r := newRequest(t, http.MethodGet, "/", http.Header{"Authorization": {authorization}, "X-Amz-Date": {date}}, "")
		r.URL.RawQuery = query
		if identity, err := v.Verify(r, nil); err == nil {
			t.Errorf("let in as %+v", identity)
		}
	})
}
