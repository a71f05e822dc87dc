package engine

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestAnEndpointThatAnswersLate answers: on a busy machine a node may not get to run for a second.
func TestAnEndpointThatAnswersLate(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for words := bufio.NewScanner(conn); words.Scan(); {
			switch strings.ToLower(words.Text()) {
			case "hello": // which a server of RESP 2 does not know
				io.WriteString(conn, "-ERR unknown command\r\n")
			case "ping":
				time.Sleep(1500 * time.Millisecond)
				io.WriteString(conn, "+PONG\r\n")
			}
		}
	}()
	if err := ping(t.Context(), netip.MustParseAddrPort(l.Addr().String()), nil, ""); err != nil {
		t.Error(err)
	}
	l.Close()
	<-served
}
