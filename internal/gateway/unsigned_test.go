package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestUnsignedBodiesAreNotRead: who cannot be allowed to ask is told so before any of the body has come, and the
// connection ends.
func TestUnsignedBodiesAreNotRead(t *testing.T) {
	s := serve(t)
	address := strings.TrimPrefix(s.URL, "http://")
	const scope = "20260101/eu-central-1/elasticache/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for name, headers := range map[string]string{
		"no signature":   "",
		"something else": "Authorization: Bearer x\r\n",
		"an unknown key": "Authorization: AWS4-HMAC-SHA256 Credential=AKIAUNKNOWN000000000/" + scope +
			"\r\nX-Amz-Date: 20260101T000000Z\r\n",
		"waits to be told to go": "Expect: 100-continue\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, length := range []string{"Content-Length: 1000000\r\n", "Transfer-Encoding: chunked\r\n"} {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if _, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\n%s%s\r\n", address,
					form, headers, length); err != nil {
					t.Fatal(err)
				}
				answers := bufio.NewReader(conn)
				response, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatalf("%s: no answer before the body: %v", length, err)
				}
				if response.StatusCode != http.StatusForbidden || !response.Close {
					t.Errorf("%s: %s, the connection ends: %t", length, response.Status, response.Close)
				}
			}
		})
	}
}

// refusedEarly sends the headers of a request that expects to be told to go on, and none of its body. It fails where
// the first answer is that.
func refusedEarly(t *testing.T, address, target, headers string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn,
		"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n%s\r\n",
		target, address, form, headers); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer before the body: %v", err)
	}
	return response
}
