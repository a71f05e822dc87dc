package connlimit_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"larder/internal/connlimit"
)

// serve serves with at most two connections. A request to /keep is kept, and answered when release is closed.
func serve(t *testing.T) (address string, arrived, release chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived, release = make(chan struct{}, 8), make(chan struct{})
	server := &http.Server{
		ConnState: connlimit.Track, ConnContext: connlimit.Context,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Proven", fmt.Sprint(connlimit.Proven(r.Context())))
			if r.URL.Path == "/keep" {
				connlimit.Keep(r.Context())
				arrived <- struct{}{}
				<-release
			}
			fmt.Fprint(w, "ok")
		}),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(connlimit.New(l, 2, time.Second)) }()
	t.Cleanup(func() { server.Close(); <-ended })
	return l.Addr().String(), arrived, release
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(5 * time.Second))
	return c
}

func ask(t *testing.T, c net.Conn, path string) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
}

func answered(c net.Conn) error {
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err == nil {
		err = response.Body.Close()
	}
	return err
}

// TestIdleConnectionsKeepNobodyOut: however many idle connections there are, a new one is answered, and the oldest
// goes.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	address, _, _ := serve(t)
	var idle []net.Conn
	for range 5 {
		idle = append(idle, dial(t, address))
	}
	c := dial(t, address)
	ask(t, c, "/")
	if err := answered(c); err != nil {
		t.Fatalf("a new connection beside idle ones: %v", err)
	}
	for i, gone := range idle[:4] {
		if _, err := gone.Read(make([]byte, 1)); err == nil || isTimeout(err) {
			t.Errorf("idle connection %d is held: %v", i, err)
		}
	}
}

// TestKeptRequestsStay: what Keep was called for is answered, and a connection beyond the bound is closed at once.
func TestKeptRequestsStay(t *testing.T) {
	address, arrived, release := serve(t)
	kept := []net.Conn{dial(t, address), dial(t, address)}
	for _, c := range kept {
		ask(t, c, "/keep")
		<-arrived
	}
	late := dial(t, address)
	if _, err := late.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Errorf("a connection beyond the bound is held: %v", err)
	}
	close(release)
	for _, c := range kept {
		if err := answered(c); err != nil {
			t.Errorf("a kept request is not answered: %v", err)
		}
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}
