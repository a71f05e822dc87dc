package redisnode_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"larder/internal/redisnode"
	"larder/internal/testkit"
)

// TestAnExchangeThatAClientEndsIsMadeAgain: larder repeats an exchange on another connection, and continues a wait.
func TestAnExchangeThatAClientEndsIsMadeAgain(t *testing.T) {
	s := newField(t).serving(nil)
	c := s.client(s.config.Address, "", token)
	waits := func() string { // returns the id of the waiting client
		for client := range strings.Lines(c.ClientList(t.Context()).Val()) {
			if strings.Contains(client, " cmd=wait ") && strings.Contains(client, " flags=b") {
				id, _, _ := strings.Cut(strings.TrimPrefix(client, "id="), " ")
				return id
			}
		}
		return ""
	}
	for _, command := range []string{
		"CLIENT KILL USER larder", "CLIENT KILL TYPE normal", "CLIENT UNBLOCK ID", "CLIENT UNBLOCK ID ERROR",
	} {
		type outcome struct {
			streams bool
			err     error
			took    time.Duration
		}
		const most = 300 * time.Millisecond
		got := make(chan outcome, 1)
		go func() {
			begin := time.Now()
			streams, err := s.Streams(t.Context(), 1, most) // waits for a replica that does not exist
			got <- outcome{streams, err, time.Since(begin)}
		}()
		id := ""
		testkit.Within(t, patience, "larder waits for an answer", func() bool { id = waits(); return id != "" })
		var args []any
		for _, word := range strings.Fields(strings.Replace(command, "ID", id, 1)) {
			args = append(args, word)
		}
		if err := c.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
		if o := <-got; o.streams || o.err != nil || o.took < most {
			t.Errorf("after %s: %t, %v, within %s", command, o.streams, o.err, o.took)
		}
	}
}

// TestDisconnect: the runtime ends the connections to a port, and the server accepts new ones.
func TestDisconnect(t *testing.T) {
	s := newField(t).serving(nil)
	c := s.client(s.config.Address, "", token)
	id := connectionID(t, c)
	if ended, err := s.process.Disconnect(port + 1); ended != 0 || err != nil {
		t.Errorf("%d connections to another port were ended, %v", ended, err)
	}
	if ended, err := s.process.Disconnect(port); ended != 1 || err != nil {
		t.Errorf("%d connections were ended, %v", ended, err)
	}
	if now := connectionID(t, c); now == id {
		t.Error("the connection was not ended")
	}
}

// TestShield: clients cannot end connections until Unshield. Everything else works.
func TestShield(t *testing.T) {
	s := newField(t).serving(nil)
	c := s.client(s.config.Address, "", token)
	kill := func() error { return c.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err() }
	for range 2 {
		s.serve(s.config.Address, s.addr())
		s.serve(s.config.Address) // larder's own calls are not counted
		before, err := s.Kills(t.Context())
		if err != nil || kill() != nil {
			t.Fatal(err, kill())
		}
		if err := s.Shield(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := kill(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("CLIENT KILL answers %v", err)
		}
		if now, err := s.Kills(t.Context()); err != nil || now != before+2 {
			t.Errorf("%d kills are counted, and were %d, %v", now, before, err)
		}
		if err := errors.Join(c.ClientList(t.Context()).Err(), c.Set(t.Context(), "k", 1, 0).Err()); err != nil {
			t.Errorf("other commands are withheld: %v", err)
		}
		if err := s.Unshield(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range withheld {
		if cmd := s.commands()[name]; len(cmd.subcommands) == 0 && s.mayRun("default", cmd) {
			t.Errorf("%s is given", name)
		}
	}
}

// TestAFullNodeIsNotShielded: a full node ends every new connection; no client did that.
func TestAFullNodeIsNotShielded(t *testing.T) {
	s := newField(t).serving(nil)
	if err := s.SetMaxClients(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		conn, err := net.Dial("tcp", s.at().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Shield(ctx); !errors.Is(err, redisnode.ErrFull) {
		t.Errorf("a full node: %v", err)
	}
}
