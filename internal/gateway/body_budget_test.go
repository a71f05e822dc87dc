package gateway_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"larder/internal/gateway"
	"larder/internal/sigv4"
)

// TestUnverifiedBodiesGiveWay: bodies of wrongly signed requests that never end take no room from a request that is
// signed, nor does the claimed length of one count before it has come.
func TestUnverifiedBodiesGiveWay(t *testing.T) {
	g, err := gateway.New(gateway.Config{
		User: user, Grants: everything,
		Services: services(), Region: region, MaxBodies: 1 << 20, NewRequestID: func() string { return "r" },
		Verifier: &sigv4.Verifier{Secret: func(id string) (string, bool) { return secret, id == keyID }, Now: time.Now},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	address := strings.TrimPrefix(s.URL, "http://")
	now := time.Now().UTC()
	for i := range 12 {
		length, sent := "Content-Length: 261120\r\n", 250<<10
		if i%3 == 2 {
			length, sent = "Transfer-Encoding: chunked\r\n", 0
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if _, err := fmt.Fprintf(c,
			"POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nX-Amz-Date: %s\r\nAuthorization: AWS4-HMAC-SHA256 "+
				"Credential=%s/%s/%s/elasticache/aws4_request, "+
				"SignedHeaders=host;x-amz-date, Signature=%s\r\n%s\r\n%s", address, form, now.Format(
				"20060102T150405Z"),
			keyID, now.Format("20060102"), region,
			strings.Repeat("ab", 32), length, strings.Repeat("a", sent)); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		for _, size := range []int{0, 60 << 10, 250 << 10} {
			body := "Action=DescribeReplicationGroups&Version=2015-02-02&Marker=" + strings.Repeat("m", size)
			r := newRequest(t, http.MethodPost, s.URL, body, "Content-Type", form)
			sign(t, r, body, "elasticache")
			if a := do(t, r); a.status == http.StatusServiceUnavailable {
				t.Errorf("a signed body of %d bytes: %s", size, a.body)
			}
		}
	}
}

// TestHopelessRequestsAreRefusedBeforeTheirBody: what the signature itself says is wrong needs no body.
func TestHopelessRequestsAreRefusedBeforeTheirBody(t *testing.T) {
	s := serve(t)
	address := strings.TrimPrefix(s.URL, "http://")
	const stamp, day = "20060102T150405Z", "20060102"
	signature := strings.Repeat("ab", 32)
	for name, c := range map[string]struct {
		id, service, region, terminator, signed string
		at                                      time.Duration
		extra                                   string
		presigned                               bool
		status                                  int
	}{
		"old":                  {at: -time.Hour, status: 403},
		"in the future":        {at: time.Hour, status: 403},
		"unknown key":          {id: "AKIAUNKNOWN", status: 403},
		"host not signed":      {signed: "x-amz-date", status: 403},
		"header not signed":    {extra: "X-Amz-Extra: 1\r\n", status: 403},
		"headers not sorted":   {signed: "x-amz-date;host", status: 400},
		"wrong terminator":     {terminator: "aws5_request", status: 403},
		"expired presigned":    {at: -time.Hour, presigned: true, status: 400},
		"presigned of future":  {at: time.Hour, presigned: true, status: 403},
		"presigned of unknown": {id: "AKIAUNKNOWN", presigned: true, status: 403},
		"another region":       {region: "ap-south-2", status: 403},
		"another service":      {service: "dynamodb", status: 400},
		"another protocol":     {service: "secretsmanager", status: 400},
		"presigned elsewhere":  {region: "ap-south-2", presigned: true, status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := time.Now().UTC().Add(c.at)
			or := func(s, otherwise string) string {
				if s == "" {
					return otherwise
				}
				return s
			}
			scope := strings.Join([]string{
				or(c.id, keyID), at.Format(day), or(c.region, region),
				or(c.service, "elasticache"), or(c.terminator, "aws4_request"),
			}, "/")
			signed := or(c.signed, "host;x-amz-date")
			target, headers := "/", "X-Amz-Date: "+at.Format(stamp)+
				"\r\nAuthorization: AWS4-HMAC-SHA256 Credential="+scope+
				", SignedHeaders="+signed+", Signature="+signature+"\r\n"
			if c.presigned {
				target = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" +
					strings.ReplaceAll(scope, "/", "%2F") + "&X-Amz-Date=" + at.Format(stamp) +
					"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" + signature
				headers = ""
			}
			response := refusedEarly(t, address, target, headers+c.extra)
			if response.StatusCode != c.status || !response.Close {
				t.Errorf("%s, the connection ends: %t; want %d", response.Status, response.Close, c.status)
			}
		})
	}
}
