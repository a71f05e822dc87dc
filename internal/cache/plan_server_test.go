package cache_test

import (
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"larder/internal/cache"
)

// server is a running redis-server.
type server struct {
	id      string
	role    cache.Role
	serves  []netip.Addr
	follows netip.AddrPort
	source  *server // the replication link is up to it; nil when it is down
	loaded  bool    // the link has been up since the server began to follow
	synced  bool    // the link has ever been up
	data    []int
	hung    bool
	paused  bool // its clients' writes wait
	behind  bool // it hung while another became primary, and has followed nobody since
}

// relay is the running process behind the reader endpoint.
type relay struct{ backends []netip.Addr }

// debt is what a replica in sync held when its primary died. The next primary must have it, unless the replica is lost too.
type debt struct {
	holder string
	data   []int
}

func (s *server) state() cache.NodeState {
	if s.hung {
		return cache.NodeState{Running: true}
	}
	offset := int64(len(s.data))
	if s.role == cache.Replica && !s.loaded && len(s.data) == 0 {
		offset = -1
	}
	return cache.NodeState{
		Running: true, Answers: true, Role: s.role, Serves: slices.Clone(s.serves), Follows: s.follows, InSync: s.source != nil, Offset: offset,
	}
}

// replicate moves data: links come up, and carry as much as takes.
func (w *world) replicate(take func(most int) int) {
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

func (w *world) some(most int) int { return rapid.IntRange(0, most).Draw(w.T, "take") }

// lets tells whether a server accepts replicas: one that is a replica itself does so only while its own link is up.
func (s *server) lets(other *server) bool {
	return s != other && !s.hung && (s.role == cache.Primary || s.source != nil)
}

// sync replaces a server's data with its source's. A source that has nothing of the group's must never have any while
// another server does.
func (w *world) sync(s, src *server) {
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
	s.data, s.source, s.loaded, s.synced, s.behind = slices.Clone(src.data), src, true, true, src.behind
}

// write is a client's, through the primary endpoint.
func (w *world) write() {
	if s := w.servers[w.listener(w.g.PrimaryAddress)]; s != nil && !s.hung && !s.paused {
		w.writes++
		s.data = append(s.data, w.writes)
	}
}

// kill ends a server. When it was the primary, what its replicas in sync hold must not be lost any more.
func (w *world) kill(s *server) {
	delete(w.servers, s.id)
	w.forgive(s.id)
	for _, r := range w.sorted() {
		if r.source != s {
			continue
		}
		r.source = nil
		if m := w.g.Member(r.id); s.id == w.g.Primary().ID && s.role == cache.Primary && !r.hung && !m.Leaving {
			w.owed = append(w.owed, debt{r.id, slices.Clone(r.data)})
		}
	}
}

// forgive drops the debts to a server that is lost or cannot be asked.
func (w *world) forgive(holder string) {
	w.owed = slices.DeleteFunc(w.owed, func(d debt) bool { return d.holder == holder })
}

// mishap is what may happen at any time.
func (w *world) mishap() {
	if w.calm {
		return
	}
	switch what := rapid.SampledFrom([]string{"", "", "replicate", "write", "kill", "hang", "resume", "kill relay"}).Draw(w.T, "mishap"); what {
	case "replicate":
		w.replicate(w.some)
	case "write":
		w.write()
	case "kill relay":
		w.relay = nil
	case "kill", "hang", "resume":
		s := w.servers[w.g.Members[rapid.IntRange(0, len(w.g.Members)-1).Draw(w.T, "member")].ID]
		if s == nil {
			return
		}
		switch what {
		case "kill":
			w.kill(s)
		case "hang":
			s.hung = true
			w.forgive(s.id)
		case "resume":
			s.hung = false
			s.paused = s.paused && w.moving // a pause outlasts the move that it is for
		}
	}
}
