package app

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"larder/internal/awsregion"
	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/sigv4"
)

// The credential of the API under test.
const testKeyID, testSecret = "AKIDEXAMPLE", "secret"

// serveAPI serves a small API with a real gateway behind short limits: a call that answers, and one whose answer goes
// on.
func serveAPI(t *testing.T, updates int, pace time.Duration) (address string) {
	t.Helper()
	tail := func(context.Context, *cloudwatchlogs.StartLiveTailInput) (gateway.Stream, error) {
		return func(ctx context.Context, send func(string, any) error) error {
			for range updates {
				select {
				case <-time.After(pace):
				case <-ctx.Done():
					return ctx.Err()
				}
				if err := send("sessionUpdate", &types.LiveTailSessionUpdate{}); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
	who := func(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
		return &sts.GetCallerIdentityOutput{Account: new(Account)}, nil
	}
	g, err := gateway.New(gateway.Config{
		User: owner, Grants: everything,
		Services: []gateway.Service{
			{Shapes: awswire.CloudWatchLogs(), Actions: []gateway.Action{
				gateway.HandleStream("StartLiveTail", gateway.Read, tail),
			}},
			{Shapes: awswire.STS(), Actions: []gateway.Action{gateway.Handle("GetCallerIdentity", gateway.Read, who)}},
		},
		Region: awsregion.Home, NewRequestID: func() string { return "r" }, Admitted: admitted,
		Verifier: &sigv4.Verifier{
			Secret: func(id string) (string, bool) { return testSecret, id == testKeyID }, Now: time.Now,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port, err := shortLimits.bounded(l)
	if err != nil {
		t.Fatal(err)
	}
	server, ended := shortLimits.server(g, slog.New(slog.DiscardHandler)), make(chan error, 1)
	go func() { ended <- server.Serve(port) }()
	t.Cleanup(func() { server.Close(); <-ended })
	return l.Addr().String()
}

// TestALiveTailGoesOn for longer than every limit on headers, bodies, answers and idle connections.
func TestALiveTailGoesOn(t *testing.T) {
	t.Parallel()
	const updates = 8
	address := serveAPI(t, updates, shortLimits.idle/2)
	response, err := http.DefaultClient.Do(signed(t, address, "logs", `{"logGroupIdentifiers":["g"]}`, http.Header{
		"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"Logs_20140328.StartLiveTail"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if got := strings.Count(string(all), "sessionUpdate"); err != nil || got != updates {
		t.Errorf("%s, %d of %d updates, then %v", response.Status, got, updates, err)
	}
}

// signed is a request that is signed for a service.
func signed(t *testing.T, address, service, body string, header http.Header) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: testKeyID, SecretAccessKey: testSecret}
	err = v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), service, awsregion.Home,
		time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// signedCall is a signed GetCallerIdentity as it is on the wire.
func signedCall(t *testing.T, address string) string {
	t.Helper()
	r := signed(t, address, "sts", "Action=GetCallerIdentity&Version=2011-06-15", http.Header{
		"Content-Type": {"application/x-www-form-urlencoded"},
	})
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatal(err)
	}
	return wire.String()
}

// say sends the parts of a text, half closes the connection if told so, and returns the status codes of all answers.
func say(t *testing.T, address string, halfClose bool, parts ...string) (statuses string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	for _, part := range parts {
		if _, err := io.WriteString(conn, part); err != nil {
			break // the server has answered, and reads no further
		}
	}
	if halfClose {
		conn.(*net.TCPConn).CloseWrite()
	}
	answers := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(answers, nil)
		if isTimeout(err) {
			t.Fatal("the connection is held")
		}
		if err != nil {
			return strings.TrimSpace(statuses)
		}
		if _, err := io.Copy(io.Discard, response.Body); isTimeout(err) {
			t.Fatal("the answer does not end")
		}
		statuses += fmt.Sprint(response.StatusCode, " ")
	}
}

// TestOddRequests: what is not one request in one plain form is answered with an error, and once; the bytes behind it
// are no other request.
func TestOddRequests(t *testing.T) {
	t.Parallel()
	address := serveAPI(t, 0, 0)
	const host = "Host: x\r\n"
	const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
	const post = "POST / HTTP/1.1\r\n" + host
	inner := post + "Content-Length: 0\r\n\r\n"
	body := fmt.Sprintf("Content-Length: %d\r\n", len(inner))
	for name, c := range map[string]struct{ text, want string }{
		"h2c":                            {post + upgrade + "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n", "403"},
		"a web socket":                   {post + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "403"},
		"a tunnel":                       {"CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + host + "\r\n", "403"},
		"another host's URL":             {"GET http://example.com/ HTTP/1.1\r\n" + host + "\r\n", "403"},
		"a request in a refused body":    {post + body + "\r\n" + inner, "403"},
		"a request in a refused chunk":   {post + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner, "403"},
		"a length and chunks":            {post + body + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner, "403"},
		"two lengths":                    {post + body + "Content-Length: 0\r\n\r\n" + inner, "400"},
		"a list of lengths":              {post + "Content-Length: 5, 5\r\n\r\nhello", "400"},
		"a length with a sign":           {post + "Content-Length: +5\r\n\r\nhello", "400"},
		"a negative length":              {post + "Content-Length: -1\r\n\r\n", "400"},
		"a length beyond all":            {post + "Content-Length: 99999999999999999999\r\n\r\n", "400"},
		"another transfer coding":        {post + "Transfer-Encoding: gzip, chunked\r\n\r\n" + inner, "501"},
		"a coding that is almost chunks": {post + "Transfer-Encoding: xchunked\r\n\r\n" + inner, "501"},
		"two transfer codings":           {post + strings.Repeat("Transfer-Encoding: chunked\r\n", 2) + "\r\n", "501"},
		"a blank before a colon":         {post + "Content-Length : 0\r\n\r\n", "400"},
		"two hosts":                      {post + host + "\r\n", "400"},
		"no host":                        {"POST / HTTP/1.1\r\n\r\n", "400"},
		"a zero byte":                    {post + "X: a\x00b\r\n\r\n", "400"},
		"too many headers":               {post + strings.Repeat("X: y\r\n", 20<<10) + "\r\n", "431"},
		"a header without an end":        {post + "X: " + strings.Repeat("y", 1<<20), "431"},
		"another expectation":            {post + "Expect: wonders\r\n\r\n", "417"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := say(t, address, false, c.text); got != c.want {
				t.Errorf("answered %s, want %s", got, c.want)
			}
		})
	}
}

// TestSlowAndQuickRequests: a signed request is answered however its bytes come, as long as they do.
func TestSlowAndQuickRequests(t *testing.T) {
	t.Parallel()
	address := serveAPI(t, 0, 0)
	call := signedCall(t, address)
	for name, c := range map[string]struct {
		parts     []string
		halfClose bool
		want      string
	}{
		"byte by byte":             {parts: strings.Split(call, ""), want: "200"},
		"five at once":             {parts: []string{strings.Repeat(call, 5)}, want: "200 200 200 200 200"},
		"the client sends no more": {parts: []string{call}, halfClose: true, want: "200"},
		"a body that ends early":   {parts: []string{call[:len(call)-1]}, halfClose: true, want: "400"},
		"headers that end early":   {parts: []string{call[:100]}, halfClose: true, want: "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := say(t, address, c.halfClose, c.parts...); got != c.want {
				t.Errorf("answered %s, want %s", got, c.want)
			}
		})
	}
}
