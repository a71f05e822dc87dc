package state_test

import (
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/event"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func messages(t *testing.T, tx *store.Tx, from time.Time) []string {
	t.Helper()
	notices, err := state.Notices(tx, from)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range notices {
		out = append(out, n.Message)
	}
	return out
}

// inTx runs f in a transaction of a fresh store.
func inTx(t *testing.T, f func(*store.Tx)) {
	t.Helper()
	err := newStore(t).Update(func(tx *store.Tx) error {
		f(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func add(t *testing.T, tx *store.Tx, at time.Time, message string) {
	t.Helper()
	if err := state.AddNotice(tx, event.Notice{Date: at, Source: "g", SourceType: event.SourceGroup,
		Message: message}); err != nil {
		t.Fatal(err)
	}
}

func TestNoticesAreOrderedByTime(t *testing.T) {
	inTx(t, func(tx *store.Tx) {
		add(t, tx, noon.Add(time.Hour), "later")
		add(t, tx, noon, "first")
		add(t, tx, noon, "second, at the same instant")
		add(t, tx, noon, "third")
		add(t, tx, noon.Add(-time.Hour), "the clock was set back")
		want := []string{"the clock was set back", "first", "second, at the same instant", "third", "later"}
		if diff := cmp.Diff(want, messages(t, tx, time.Time{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[1:], messages(t, tx, noon)); diff != "" {
			t.Errorf("from noon (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"later"}, messages(t, tx, noon.Add(time.Minute))); diff != "" {
			t.Errorf("from a minute past (-want +got):\n%s", diff)
		}
	})
}

func TestNoticesKeepWhatTheySay(t *testing.T) {
	inTx(t, func(tx *store.Tx) {
		want := event.Notice{Date: noon, Source: "g-001", SourceType: event.SourceCluster,
			Message: "Added cache node 0001"}
		if err := state.AddNotice(tx, want); err != nil {
			t.Fatal(err)
		}
		got, err := state.Notices(tx, noon)
		if diff := cmp.Diff([]event.Notice{want}, got); diff != "" || err != nil {
			t.Errorf("(-want +got):\n%s%v", diff, err)
		}
	})
}

func TestNoticesAreDroppedWhenTheyAreOld(t *testing.T) {
	inTx(t, func(tx *store.Tx) {
		add(t, tx, noon, "a")
		add(t, tx, noon, "b")
		add(t, tx, noon.Add(time.Second), "c")
		add(t, tx, noon.Add(event.NoticeLife), "d")
		if diff := cmp.Diff([]string{"a", "b", "c", "d"}, messages(t, tx, time.Time{})); diff != "" {
			t.Errorf("at the limit (-want +got):\n%s", diff)
		}
		add(t, tx, noon.Add(event.NoticeLife+time.Millisecond), "e")
		if diff := cmp.Diff([]string{"c", "d", "e"}, messages(t, tx, time.Time{})); diff != "" {
			t.Errorf("past it (-want +got):\n%s", diff)
		}
	})
}

// TestNoNoticeIsLost: however many fall on few instants, all are there, in the order of the instants and of their
// coming.
func TestNoNoticeIsLost(t *testing.T) {
	s := newStore(t)
	at := noon
	rapid.Check(t, func(rt *rapid.T) {
		at = at.Add(2 * event.NoticeLife) // what earlier runs left is too old
		begin := at
		var want []string
		err := s.Update(func(tx *store.Tx) error {
			for i := range rapid.IntRange(0, 20).Draw(rt, "notices") {
				at = at.Add(rapid.SampledFrom([]time.Duration{0, 0, 20, time.Second}).Draw(rt, "pause"))
				want = append(want, string(rune('a'+i)))
				add(t, tx, at, want[i])
			}
			if diff := cmp.Diff(want, messages(t, tx, begin)); diff != "" {
				rt.Fatalf("(-want +got):\n%s", diff)
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func TestTaken(t *testing.T) {
	addr := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{127, 64, 0, n}) }
	inTx(t, func(tx *store.Tx) {
		for i, name := range []string{"a", "b"} {
			n := byte(i * 10)
			shard := cache.Shard{GroupID: name, ID: cache.FirstShard, Group: &cache.ReplicationGroup{ID: name},
				PrimaryAddress: addr(n + 1), ReaderAddress: addr(n + 2), Members: []cache.Member{{Address: addr(n + 3)}}}
			if err := state.PutShard(tx, shard, operation.Origin{At: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := state.Taken(tx)
		if err != nil {
			t.Fatal(err)
		}
		want := map[netip.Addr]bool{addr(1): true, addr(2): true, addr(3): true, addr(11): true, addr(12): true,
			addr(13): true}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestAGroupIsStoredWhole: every field comes back, addresses, times and sealed passwords among them.
func TestAGroupIsStoredWhole(t *testing.T) {
	inTx(t, func(tx *store.Tx) {
		group := cache.ReplicationGroup{
			ID: "g", Status: cache.Available, Created: noon, Port: 6379, AuthTokenModified: noon,
			SecurityGroupIDs: []string{"sg-1"}, Tags: map[string]string{"a": "b"},
		}
		want := cache.Topology{ReplicationGroup: &group}
		for n, id := range []string{cache.FirstShard, "0002"} {
			want.Shards = append(want.Shards, cache.Shard{GroupID: "g", ID: id, Group: &group, Histories: []string{id},
				PrimaryAddress: netip.AddrFrom4([4]byte{127, 64, byte(n), 1}), Members: []cache.Member{{ID: "g-" + id + "-001",
					Role: cache.Primary, Address: netip.AddrFrom4([4]byte{127, 64, byte(n), 3})}}})
		}
		if err := state.PutGroup(tx, want, operation.Origin{At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		got, err := state.Group(tx, "g")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		sealed := state.Credential{Admin: []byte{0, 255}, Replication: []byte{}}
		if err := state.Credentials.Put(tx, "g", sealed); err != nil {
			t.Fatal(err)
		}
		if got, err := state.Credentials.Get(tx, "g"); err != nil || !cmp.Equal(sealed, got) {
			t.Errorf("%v, %v", got, err)
		}
	})
}
