package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// answerCommand is the hidden argument with which bench runs itself as the API's peer.
const answerCommand = "answer"

// canned is what the peer answers to everything.
type canned struct {
	Header http.Header
	Body   []byte
}

// answer serves the answer that it reads from in, prints its address, and ends when in does, so that it never outlives
// bench.
func answer(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(in)
	var c canned
	if err := decoder.Decode(&c); err != nil {
		return fmt.Errorf("cannot read what to answer: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: c}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	err = server.Close()
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// ServeHTTP reads the request, as the API has to, and answers.
func (c canned) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return // the client is gone
	}
	for name, values := range c.Header {
		w.Header()[name] = values
	}
	w.Write(c.Body)
}
