package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The peer answers what it was given, to everything, and ends with its input.
func TestAnswer(t *testing.T) {
	in, tell := io.Pipe()
	hear, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- answer(in, out) }()
	want := canned{http.Header{"Content-Type": {"text/xml"}, "X-Amzn-Requestid": {"1"}}, []byte("<a/>")}
	if err := json.NewEncoder(tell).Encode(want); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(hear).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, err := netip.ParseAddrPort(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	r := request{address, []byte("POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nhi")}
	got, err := r.once(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got.Header.Del("Date")
	want.Header.Set("Content-Length", "4")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	times, err := r.repeat(t.Context(), 2, 20*time.Millisecond)
	if err != nil || len(times) < 2 {
		t.Errorf("%d requests were answered, %v", len(times), err)
	}
	tell.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestOnlyOKCounts(t *testing.T) {
	in, tell := io.Pipe()
	hear, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- answer(in, out) }()
	if err := json.NewEncoder(tell).Encode(canned{}); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(hear).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	// A request that net/http refuses by itself, as it names no host.
	r := request{netip.MustParseAddrPort(strings.TrimSpace(line)), []byte("GET / HTTP/1.1\r\n\r\n")}
	if _, err := r.repeat(t.Context(), 1, time.Millisecond); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("a refused request counts: %v", err)
	}
	tell.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
