package redisnode_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"larder/internal/redisnode"
)

func (s *server) follow(primary *server) {
	s.Helper()
	if err := patiently(func() error { return s.Follow(s.Context(), primary.at(), s.config.TLS) }); err != nil {
		s.Fatal(err)
	}
}

// copyOf makes a server a replica and waits until it has all data and acknowledges the stream.
func (s *server) copyOf(primary *server) {
	s.Helper()
	s.follow(primary)
	s.await("in sync", linked)
	if err := s.Reattach(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.await("in sync again", linked)
}

// fullCopies returns how many full copies a primary has sent.
func (s *server) fullCopies() string {
	s.Helper()
	return redisnode.Fields(s.do("INFO", "stats").(string))["sync_full"]
}

func TestFollowAndPromote(t *testing.T) {
	f := newField(t)
	for name, change := range map[string]func(*redisnode.Config){"plain": nil, "TLS": withTLS} {
		t.Run(name, func(t *testing.T) {
			a, b := f.serving(change), f.serving(change)
			a.do("SET", "k", "v")
			b.follow(a)
			if st := b.state(); st.Primary || st.Follows != a.at() {
				t.Errorf("it says %+v", st)
			}
			b.await("in sync", linked)
			if got := b.do("GET", "k"); got != "v" {
				t.Errorf("the replica has %v", got)
			}
			if err := b.Promote(t.Context()); err != nil {
				t.Fatal(err)
			}
			if st := b.state(); !st.Primary || st.Follows.IsValid() || st.LinkUp {
				t.Errorf("promoted, it says %+v", st)
			}
			b.do("SET", "k", "w")
			a.follow(b)
			a.await("in sync", linked)
			if err := a.AwaitOffset(t.Context(), b.state().Offset); err != nil {
				t.Fatal(err)
			}
			if got := a.do("GET", "k"); got != "w" {
				t.Errorf("the old primary has %v", got)
			}
			if n := b.fullCopies(); n != "0" {
				t.Errorf("the old primary needed %s full copies to go on from where it was", n)
			}
		})
	}
}

// TestOffset: the offset is negative until there are data, and continues when roles change.
func TestOffset(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.start(nil)
	a.do("DEBUG", "POPULATE", "50")
	a.do("CONFIG", "SET", "rdb-key-save-delay",
		"60000") // microseconds: three seconds, in which the test sees it loading
	if got := a.state().Offset; got != 0 {
		t.Errorf("a primary without replicas has %d", got)
	}
	if err := b.Follow(t.Context(), netip.AddrPortFrom(f.addr(), port), false); err != nil {
		t.Fatal(err)
	}
	if st := b.state(); st.Offset >= 0 || st.LinkUp {
		t.Errorf("following nobody: %+v", st)
	}
	b.follow(a)
	st := b.await("loading, or done", func(st redisnode.State) bool {
		return redisnode.Fields(b.do("INFO", "replication").(string))["master_sync_in_progress"] == "1" || st.LinkUp
	})
	if st.LinkUp || st.Offset >= 0 {
		t.Errorf("while it loads: %+v", st)
	}
	b.copyOf(a)
	a.do("SET", "k", "v")
	st = b.await("ahead", func(st redisnode.State) bool { return st.LinkUp && st.Offset > 0 })
	if err := a.process.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	cut := b.await("cut", func(st redisnode.State) bool { return !st.LinkUp })
	if cut.Offset < st.Offset {
		t.Errorf("in sync %d, without its primary %d", st.Offset, cut.Offset)
	}
	if err := b.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.state().Offset; got < cut.Offset {
		t.Errorf("without its primary %d, promoted %d", cut.Offset, got)
	}
	if err := b.Follow(t.Context(), netip.AddrPortFrom(f.addr(), port), false); err != nil {
		t.Fatal(err)
	}
	if got := b.state().Offset; got < cut.Offset {
		t.Errorf("following again %d, had %d", got, cut.Offset)
	}
}

// TestAReplicaKeepsItsDataWhileItLoads: if the primary dies during a full copy, the replica keeps its old data.
func TestAReplicaKeepsItsDataWhileItLoads(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.serving(nil)
	b.do("SET", "k", "of b")
	a.do("DEBUG", "POPULATE", "100")
	a.do("CONFIG", "SET", "rdb-key-save-delay", "100000") // ten seconds, so that the copy does not finish
	b.follow(a)
	b.await("loading", func(redisnode.State) bool {
		return redisnode.Fields(b.do("INFO", "replication").(string))["master_sync_in_progress"] == "1"
	})
	if err := a.process.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	b.await("cut", func(redisnode.State) bool {
		return redisnode.Fields(b.do("INFO", "replication").(string))["master_sync_in_progress"] == "0"
	})
	if err := b.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.do("GET", "k"); got != "of b" {
		t.Errorf("it has %v", got)
	}
}

// TestReattach: the replica resumes the stream where it left it.
func TestReattach(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.start(nil)
	b.copyOf(a)
	if ok, err := a.Streams(t.Context(), 1, patience); !ok || err != nil {
		t.Errorf("it does not acknowledge: %v", err)
	}
	if n := a.fullCopies(); n != "1" {
		t.Errorf("there were %s full copies", n)
	}
	if err := a.Reattach(t.Context()); err != nil {
		t.Errorf("a primary: %v", err)
	}
}

func TestStreams(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.start(nil)
	b.copyOf(a)
	const short = 20 * time.Millisecond
	for replicas, want := range map[int]bool{0: true, 1: true, 2: false} {
		most := patience
		if !want {
			most = short
		}
		if got, err := a.Streams(t.Context(), replicas, most); got != want || err != nil {
			t.Errorf("%d replicas: %v, %v", replicas, got, err)
		}
	}
	if n := a.do("DBSIZE"); n != int64(0) {
		t.Errorf("the probe left %v keys", n)
	}
}

// TestAPlannedMoveLosesNothing: writes that were held back reach the new primary exactly once.
func TestAPlannedMoveLosesNothing(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.start(nil)
	b.copyOf(a)
	client := a.client(a.config.Address, "", token)
	if err := client.Set(t.Context(), "k", "before", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := a.PauseWrites(t.Context(), patience); err != nil {
		t.Fatal(err)
	}
	held := make(chan error, 1)
	go func() { held <- client.Set(t.Context(), "k", "held", 0).Err() }()
	if err := b.AwaitOffset(t.Context(), a.state().Offset); err != nil {
		t.Fatal(err)
	}
	if got := b.do("GET", "k"); got != "before" {
		t.Errorf("the replica has %v", got)
	}
	if err := a.Unpause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-held; err != nil {
		t.Errorf("a held write answers %v", err)
	}
	if err := b.AwaitOffset(t.Context(), a.state().Offset); err != nil {
		t.Fatal(err)
	}
	if got := b.do("GET", "k"); got != "held" {
		t.Errorf("the replica has %v", got)
	}
}

func TestAwaitOffsetGivesUp(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.start(nil)
	b.copyOf(a)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := b.AwaitOffset(ctx, 1<<40); err == nil || !strings.Contains(err.Error(), "of 1099511627776 bytes") &&
		!strings.Contains(err.Error(), "deadline") && !strings.Contains(err.Error(), "timeout") {
		t.Error(err)
	}
	if err := a.AwaitOffset(t.Context(), 1<<40); err == nil || !strings.Contains(err.Error(), "lost its link") {
		t.Errorf("one that follows nobody: %v", err)
	}
}

// TestHistory: Stream, StreamBefore and Fork tell which of two data sets continued the other, and where.
func TestHistory(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.serving(nil)
	if st := a.state(); st.Stream == "" || st.StreamBefore != "" || st.Fork != 0 || st.Stream == b.state().Stream {
		t.Errorf("fresh, it says %+v", st)
	}
	a.do("SET", "k", "v")
	b.copyOf(a)
	first := a.state().Stream
	if st := b.state(); st.Stream != first || st.StreamBefore != "" {
		t.Errorf("a copy of %s says %+v", first, st)
	}
	at := b.state().Offset
	if err := b.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := b.state()
	if st.Stream == first || st.StreamBefore != first || st.Fork < at || st.Fork > st.Offset {
		t.Errorf("promoted at %d, it says %+v", at, st)
	}
	if err := b.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := b.state(); again.Stream != st.Stream || again.Fork != st.Fork {
		t.Errorf("promoted again, it says %+v, said %+v", again, st)
	}
	a.follow(b)
	a.await("in sync", linked)
	if after := a.state(); after.Stream != st.Stream || after.StreamBefore != first {
		t.Errorf("the old primary went on as %+v", after)
	}
}

func TestRequireReplicas(t *testing.T) {
	s := newField(t).serving(nil)
	client := s.client(s.config.Address, "", token)
	if err := s.RequireReplicas(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOREPLICAS") {
		t.Errorf("without a replica, a write answers %v", err)
	}
	if got := s.state().MinReplicas; got != 1 {
		t.Errorf("it says %d", got)
	}
	if err := s.RequireReplicas(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Error(err)
	}
}
