package endpoint_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/cache"
	"larder/internal/endpoint"
)

// model is two servers and what clients of theirs see. It fails the call with the number fails.
type model struct {
	t      *testing.T
	calls  int
	fails  int // counted from 1; 0 for none
	writes bool
	serves map[string][]netip.Addr
	// clients are the addresses through which clients are connected, by server.
	clients map[string][]netip.Addr
}

var errModel = errors.New("the server is gone")

func (m *model) call() error {
	if m.calls++; m.calls == m.fails {
		return errModel
	}
	return nil
}

type server struct {
	*model
	id string
}

func (s server) Listen(_ context.Context, at []netip.Addr, _ cache.Ports) error {
	if err := s.call(); err != nil {
		return err
	}
	for id, others := range s.serves {
		for _, a := range at {
			if id != s.id && slices.Contains(others, a) {
				s.t.Errorf("%s is told to listen at %s, where %s listens", s.id, a, id)
			}
		}
	}
	s.serves[s.id] = at
	return nil
}

func (s server) Serve(ctx context.Context, at []netip.Addr, ports cache.Ports) error {
	gone := slices.DeleteFunc(slices.Clone(s.serves[s.id]), func(a netip.Addr) bool { return slices.Contains(at, a) })
	return errors.Join(s.Listen(ctx, at, ports), s.Cut(ctx, gone, ports))
}

func (s server) Cut(_ context.Context, at []netip.Addr, _ cache.Ports) error {
	if err := s.call(); err != nil {
		return err
	}
	s.clients[s.id] = slices.DeleteFunc(s.clients[s.id], func(a netip.Addr) bool { return slices.Contains(at, a) })
	return nil
}

func (m *model) resume(context.Context) error {
	if err := m.call(); err != nil {
		return err
	}
	if slices.Contains(m.clients["old"], addr(primaryEnd)) {
		m.t.Error("writes go on while clients are connected to the old primary")
	}
	m.writes = true
	return nil
}

func before(t *testing.T, fails int) *model {
	return &model{t: t, fails: fails,
		serves:  map[string][]netip.Addr{"old": addrs(11, primaryEnd), "new": addrs(12, readerEnd)},
		clients: map[string][]netip.Addr{"old": addrs(11, primaryEnd), "new": addrs(12, readerEnd)}}
}

var driver = endpoint.Driver{Primary: addr(primaryEnd), Reader: addr(readerEnd), Ports: cache.Ports{Group: 6379}}

// TestMovePrimary moves the endpoint, and once more for each call that fails. Then a sweep ends what is left over.
func TestMovePrimary(t *testing.T) {
	for fails := range 6 {
		m := before(t, fails)
		from := endpoint.Serving{Server: server{m, "old"}, Address: addr(11)}
		to := endpoint.Serving{Server: server{m, "new"}, Address: addr(12), Serves: m.serves["new"]}
		err := driver.MovePrimary(t.Context(), from, to, m.resume)
		if errors.Is(err, errModel) != (fails > 0) {
			t.Fatalf("call %d fails: %v", fails, err)
		}
		if err == nil {
			want := map[string][]netip.Addr{"old": addrs(11), "new": addrs(12, primaryEnd)}
			if diff := cmp.Diff(want, m.serves, cmp.Comparer(equal)); diff != "" || !m.writes {
				t.Errorf("writes %v, and the servers listen elsewhere:\n%s", m.writes, diff)
			}
		}
		for id, at := range m.serves {
			if err := driver.CutStale(t.Context(), server{m, id}, at); err != nil {
				t.Fatal(err)
			}
			for _, a := range m.clients[id] {
				if !slices.Contains(at, a) {
					t.Errorf("call %d fails: clients are left at %s of %s, which it has given up", fails, a, id)
				}
			}
		}
	}
}

// TestWhoIsInTheWayIsNamed: only another process is, and only at an address that was wanted.
func TestWhoIsInTheWayIsNamed(t *testing.T) {
	d := driver
	d.Ports.Plain = 6379
	d.Listener = func(at netip.AddrPort) (int, string) {
		switch at.Addr() {
		case addr(11):
			return 7, "the node itself"
		case addr(primaryEnd):
			return 8, "nginx (process 8)"
		}
		return 0, ""
	}
	m := before(t, 1)
	err := d.Serve(t.Context(), endpoint.Process{ID: "g-001", PID: 7}, server{m, "old"}, addrs(11, primaryEnd))
	if !errors.Is(err, errModel) || !strings.Contains(err.Error(), "nginx (process 8) listens on 127.1.0.1:6379") ||
		strings.Contains(err.Error(), "itself") {
		t.Error(err)
	}
	if err := d.Serve(t.Context(), endpoint.Process{}, server{before(t, 0), "old"}, addrs(11)); err != nil {
		t.Error(err)
	}
}
