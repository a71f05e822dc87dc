package app

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// shortLimits are the API's, made short for tests.
var shortLimits = apiLimits{header: 200 * time.Millisecond, body: 200 * time.Millisecond, write: 200 * time.Millisecond,
	idle: 300 * time.Millisecond, bytes: 64 << 10, conns: 16}

// TestSlowClientsAreEnded: headers, bodies and idle connections that take too long end, and so does an answer that
// nobody reads; an answer that goes on for longer than all limits, and is read, does not.
func TestSlowClientsAreEnded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port, err := shortLimits.bounded(l)
	if err != nil {
		t.Fatal(err)
	}
	unread := make(chan error, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/body", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for part := make([]byte, 1<<20); err == nil; {
			_, err = w.Write(part)
		}
		unread <- err
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, _ *http.Request) {
		for i := range 10 {
			fmt.Fprintf(w, "event %d\n", i)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(100 * time.Millisecond) // the stream's pace
		}
	})
	server := shortLimits.server(mux, slog.New(slog.DiscardHandler))
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(port) }()
	t.Cleanup(func() { server.Close(); <-ended })
	send := func(t *testing.T, text string) net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, text := range map[string]string{
		"no headers":       "",
		"half the headers": "POST /body HTTP/1.1\r\nHost: x\r\n",
		"half the body":    "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf",
		"half a chunk":     "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf",
		"idle afterwards":  "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
		"two, then idle":   strings.Repeat("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 2),
		"another protocol": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := io.ReadAll(send(t, text)); isTimeout(err) {
				t.Error("the connection is held")
			}
		})
	}
	t.Run("nobody reads", func(t *testing.T) {
		t.Parallel()
		send(t, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
		select {
		case <-unread:
		case <-time.After(30 * time.Second):
			t.Error("the answer is held")
		}
	})
	t.Run("a stream", func(t *testing.T) {
		t.Parallel()
		all, err := io.ReadAll(send(t, "GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
		if err != nil || !strings.Contains(string(all), "event 9") {
			t.Errorf("the stream ended early: %v: %s", err, all)
		}
	})
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}
