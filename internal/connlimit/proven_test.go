package connlimit_test

import (
	"bufio"
	"io"
	"net/http"
	"testing"

	"larder/internal/connlimit"
)

// TestProvenConnectionsStay: a connection whose request was kept stays when connections come of which nothing is known.
func TestProvenConnectionsStay(t *testing.T) {
	address, arrived, release := serve(t)
	close(release)
	proven := dial(t, address)
	ask(t, proven, "/keep")
	<-arrived
	if err := answered(proven); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		c := dial(t, address)
		ask(t, c, "/")
		if err := answered(c); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, proven, "/")
	if err := answered(proven); err != nil {
		t.Errorf("a connection that was proven is gone: %v", err)
	}
}

// TestProven: a connection is proven from its first kept request on.
func TestProven(t *testing.T) {
	address, _, release := serve(t)
	close(release)
	c := dial(t, address)
	answers := bufio.NewReader(c)
	for _, request := range []struct{ path, proven string }{{"/", "false"}, {"/keep", "false"}, {"/", "true"}} {
		ask(t, c, request.path)
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			t.Fatal(err)
		}
		if got := response.Header.Get("Proven"); got != request.proven {
			t.Errorf("%s: proven is %s, want %s", request.path, got, request.proven)
		}
	}
	if connlimit.Proven(t.Context()) {
		t.Error("what is no connection's request is proven")
	}
}
