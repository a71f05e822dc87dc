package state_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// sharded makes a group with so many shards of three members.
func sharded(id string, shards int) cache.Topology {
	g := cache.ReplicationGroup{ID: id, Status: cache.Available, Port: 6379, NodeType: "cache.t3.micro",
		EngineVersion: "7.0.15", ParameterGroup: catalog.DefaultParameterGroup}
	rg := cache.Topology{ReplicationGroup: &g}
	for n := range shards {
		s := cache.Shard{GroupID: id, ID: fmt.Sprintf("%04d", n+1), Group: &g, Histories: []string{"stream"}}
		at := func(i int) netip.Addr {
			return netip.AddrFrom4([4]byte{127, byte(100 + n/100), byte(100 + n%100), byte(i)})
		}
		s.PrimaryAddress, s.ReaderAddress = at(1), at(2)
		for i := range 3 {
			s.Members = append(s.Members, cache.Member{ID: fmt.Sprintf("%s-%s-%03d", id, s.ID, i+1), Address: at(3 + i),
				Created: time.Unix(1, 0), Status: cache.MemberAvailable})
		}
		s.SetPrimary(s.Members[0].ID)
		rg.Shards = append(rg.Shards, s)
	}
	return rg
}

// inGroup is a store with a group of so many shards, and another group beside it.
func inGroup(t testing.TB, shards int) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, rg := range []cache.Topology{sharded("g", shards), sharded("g-h", 1)} {
		err := s.Update(func(tx *store.Tx) error { return state.PutGroup(tx, rg, operation.Origin{At: time.Now()}) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// step records an election in a group's last shard, as the engine does.
func step(t testing.TB, s *store.Store, shards, n int) {
	t.Helper()
	err := s.Update(func(tx *store.Tx) error {
		shard, err := state.Shard(tx, "g", fmt.Sprintf("%04d", shards))
		if err != nil {
			return err
		}
		shard.SetPrimary(shard.Members[n%3].ID)
		return state.PutShard(tx, shard, operation.Origin{At: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAStepOfAShardCostsTheSame with 1 and with 500 shards: it writes one record, of the same size, and works through
// no other.
func TestAStepOfAShardCostsTheSame(t *testing.T) {
	allocations := map[int]float64{}
	sizes := map[int]int{}
	for _, shards := range []int{1, 500} {
		s := inGroup(t, shards)
		var wrote []string
		for _, table := range []string{string(state.ReplicationGroups), string(state.Shards)} {
			defer s.Subscribe(table, func(key string) { wrote = append(wrote, key) })()
		}
		key := cache.ShardKey("g", fmt.Sprintf("%04d", shards))
		if step(t, s, shards, 1); !slices.Equal(wrote, []string{key}) {
			t.Errorf("with %d shards, a step of the last writes %v", shards, wrote)
		}
		n := 1
		allocations[shards] = testing.AllocsPerRun(100, func() { n++; step(t, s, shards, n) })
		err := s.View(func(tx *store.Tx) error {
			row, err := store.Table[raw](state.Shards).Get(tx, key)
			sizes[shards] = len(row)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if sizes[1] != sizes[500] || sizes[1] == 0 {
		t.Errorf("a step writes %d bytes with one shard, and %d with 500", sizes[1], sizes[500])
	}
	if allocations[500] > 1.5*allocations[1] {
		t.Errorf("a step allocates %.0f times with one shard, and %.0f times with 500", allocations[1], allocations[500])
	}
}

// raw is a row as it stands in the store.
type raw []byte

func (r *raw) UnmarshalJSON(b []byte) error { *r = slices.Clone(b); return nil }

func BenchmarkStepOfAShard(b *testing.B) {
	for _, shards := range []int{1, 500} {
		b.Run(fmt.Sprint(shards), func(b *testing.B) {
			s := inGroup(b, shards)
			n := 0
			for b.Loop() {
				n++
				step(b, s, shards, n)
			}
		})
	}
}

func TestGroupOf(t *testing.T) {
	t.Parallel()
	s := inGroup(t, 2)
	for member, want := range map[string]string{
		"g-0002-003": "g", "g-h-0001-001": "g-h", "g-0003-001": "", "g-001": "", "g": "", "": "",
	} {
		err := s.View(func(tx *store.Tx) error {
			rg, err := state.GroupOf(tx, member)
			if want == "" && err != store.ErrNotFound || want != "" && (err != nil || rg.ID != want) {
				t.Errorf("%s is of %+v, %v; want %q", member, rg.ReplicationGroup, err, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestOneRecordWithoutTheOther: a group whose shard's record is gone cannot be read, which is said until it is deleted;
// and the addresses that it may have are given to nobody.
func TestOneRecordWithoutTheOther(t *testing.T) {
	t.Parallel()
	s := inGroup(t, 1)
	do := func(f func(*store.Tx) error) {
		t.Helper()
		if err := s.Update(f); err != nil {
			t.Fatal(err)
		}
	}
	do(func(tx *store.Tx) error { return state.Shards.Delete(tx, "g/0001") })
	do(func(tx *store.Tx) error {
		for what, read := range map[string]func() error{
			"Group":     func() error { _, err := state.Group(tx, "g"); return err },
			"Shard":     func() error { _, err := state.Shard(tx, "g", "0001"); return err },
			"AllGroups": func() error { _, err := state.AllGroups(tx); return err },
			"Taken":     func() error { _, err := state.Taken(tx); return err },
		} {
			if err := read(); !store.IsUnreadable(err) && what != "Taken" || err == nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		groups, err := state.Groups(tx)
		if len(groups) != 1 || groups[0].ID != "g-h" {
			t.Errorf("the groups are %v", groups)
		}
		return err
	})
	if damaged, err := s.Unreadable(); err != nil || len(damaged) != 1 || damaged[0].Key != "g" {
		t.Errorf("damaged are %v, %v", damaged, err)
	}
	do(func(tx *store.Tx) error { return state.DeleteGroup(tx, "g", time.Now()) })
	if damaged, err := s.Unreadable(); err != nil || len(damaged) != 0 {
		t.Errorf("damaged are %v, %v", damaged, err)
	}
	do(func(tx *store.Tx) error {
		if err := state.ReplicationGroups.Delete(tx, "g-h"); err != nil {
			return err
		}
		removed, err := state.RemoveOrphans(tx, time.Now())
		if !slices.Equal(removed, []string{"g-h/0001"}) {
			t.Errorf("%v were removed", removed)
		}
		return err
	})
}
