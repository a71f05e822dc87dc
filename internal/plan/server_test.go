package plan_test

import (
	"fmt"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/plan"
)

// server is a running redis-server.
type server struct {
	id       string
	role     cache.Role
	serves   []netip.Addr
	follows  netip.AddrPort
	source   *server // the replication link is up to it; nil when it is down
	loaded   bool    // the link has been up since the server began to follow
	synced   bool    // the link has ever been up
	data     []int
	history  plan.History
	hung     bool // it does not answer
	stuck    bool // and does nothing
	timedOut bool // and has not for long
	paused   bool // its clients' writes wait
	held     bool // for good
	required int  // min-replicas-to-write

	parameters, spec, access string // that it has

	// The engine that runs has started it with those that are recorded, or has set them.
	knowsTokens, knowsParameters bool
}

// relay is the running process behind the reader endpoint.
type relay struct{ backends []netip.Addr }

// debt is what a replica in sync held when its primary died. The next primary must have it, unless the replica is lost
// too.
type debt struct {
	holder string
	data   []int
}

func (d debt) heldBy(s *server) bool {
	return len(s.data) >= len(d.data) && slices.Equal(s.data[:len(d.data)], d.data)
}

func (s *server) state() plan.NodeState {
	if s.hung {
		return plan.NodeState{Running: true, Hung: s.stuck, TimedOut: s.timedOut}
	}
	offset := int64(len(s.data))
	if s.role == cache.Replica && !s.loaded && len(s.data) == 0 {
		offset = -1
	}
	return plan.NodeState{
		Running: true, Answers: true, Role: s.role, Serves: slices.Clone(s.serves), Follows: s.follows,
		InSync: s.source != nil, Offset: offset,
		History: s.history, MinReplicas: s.required, Unconfirmed: !s.knowsTokens || !s.knowsParameters,
	}
}

// replicate moves data: links come up, and carry as much as takes.
func (w *model) replicate(take func(most int) int) {
	for _, s := range w.sorted() {
		if s.role != cache.Replica || s.hung {
			continue
		}
		if s.source == nil {
			if src := w.servers[w.listener(s.follows.Addr())]; src != nil && src.lets(s) && take(1) == 1 {
				w.sync(s, src)
			}
			continue
		}
		if more := len(s.source.data) - len(s.data); more > 0 && !s.source.hung {
			s.data = slices.Clone(s.source.data[:len(s.data)+take(more)])
		}
	}
}

func all(most int) int { return most }

func (w *model) some(most int) int { return rapid.IntRange(0, most).Draw(w.T, "take") }

// lets tells whether a server accepts replicas: one that is a replica itself does so only while its own link is up.
func (s *server) lets(other *server) bool {
	return s != other && !s.hung && (s.role == cache.Primary || s.source != nil)
}

// sync replaces a server's data with its source's. A source that has nothing of the group's must never have any while
// another server does.
func (w *model) sync(s, src *server) {
	if len(src.data) == 0 && !src.synced {
		for _, other := range w.sorted() {
			if len(other.serves) > 0 && len(other.data) > 0 {
				w.Fatalf("%s gets the empty data set of %s while %s serves %v", s.id, src.id, other.id, other.data)
			}
		}
	}
	for _, r := range w.servers {
		if r.source == s {
			r.source = nil
		}
	}
	s.join(src)
	s.data, s.source, s.loaded, s.synced = slices.Clone(src.data), src, true, true
}

// join gives a server its source's replication stream, as redis-server does: after a full copy it knows of no stream
// before, and after a partial one it has gone on from its own.
func (s *server) join(src *server) {
	partial := s.history.ID == src.history.ID && len(s.data) <= len(src.data) ||
		s.history.ID == src.history.Before && int64(len(s.data)) <= src.history.Fork
	switch {
	case !partial:
		s.history = plan.History{ID: src.history.ID}
	case s.history.ID != src.history.ID:
		s.history = plan.History{ID: src.history.ID, Before: s.history.ID, Fork: int64(len(s.data))}
	}
}

// promote makes a replica a primary, with a stream of its own that goes on from the one it followed.
func (w *model) promote(n *server) {
	if n.role == cache.Primary {
		return
	}
	n.history = plan.History{ID: w.newStream(), Before: n.history.ID, Fork: int64(len(n.data))}
	n.role, n.follows, n.source, n.loaded = cache.Primary, netip.AddrPort{}, nil, false
}

func (w *model) newStream() string {
	w.streams++
	return fmt.Sprint("stream-", w.streams)
}

// write is a client's, through the primary endpoint.
func (w *model) write() {
	if s := w.servers[w.listener(w.g.PrimaryAddress)]; s != nil && !s.hung && !s.paused {
		w.writes++
		s.data = append(s.data, w.writes)
	}
}

// kill ends a server. When it was the primary, what its replicas in sync hold must not be lost any more.
func (w *model) kill(s *server) {
	delete(w.servers, s.id)
	w.forgive(s.id)
	for _, r := range w.sorted() {
		if r.source != s {
			continue
		}
		r.source = nil
		if s.id == w.g.Primary().ID && s.role == cache.Primary && !r.hung {
			w.owed = append(w.owed, debt{r.id, slices.Clone(r.data)})
		}
	}
}

// forgive drops the debts to a server that is lost or cannot be asked.
func (w *model) forgive(holder string) {
	w.owed = slices.DeleteFunc(w.owed, func(d debt) bool { return d.holder == holder })
}

// mishap is what may happen at any time.
func (w *model) mishap() {
	if w.calm {
		return
	}
	switch what := rapid.SampledFrom([]string{"", "", "replicate", "write", "kill", "hang", "stick", "resume",
		"kill relay"}).Draw(w.T, "mishap"); what {
	case "replicate":
		w.replicate(w.some)
	case "write":
		w.write()
	case "kill relay":
		w.relay = nil
	case "kill", "hang", "stick", "resume":
		s := w.servers[w.g.Members[rapid.IntRange(0, len(w.g.Members)-1).Draw(w.T, "member")].ID]
		if s == nil {
			return
		}
		switch what {
		case "kill":
			w.kill(s)
		case "hang", "stick":
			s.hung, s.stuck = true, what == "stick"
			w.forgive(s.id)
		case "resume":
			s.hung, s.stuck = false, false
			s.paused = s.paused && (w.moving || s.held) // a pause outlasts the move that it is for
		}
	}
}
