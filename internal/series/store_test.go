package series

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var start = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)

func key(name string) Key {
	return Key{Namespace: "N", Name: name, Dimensions: []Dimension{{"CacheClusterId", "a-001"}}, Unit: "Count"}
}

func opened(t interface{ Fatal(...any) }, c Config) *Store {
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// world is a store and what it should hold: durable, and since the last flush.
type world struct {
	config Config
	now    time.Time
	store  *Store
	model  map[string]map[int64]Cell
	unsure []Sample
}

func (w *world) note(samples ...Sample) {
	for _, s := range samples {
		if !s.Fine {
			s.At = floor(s.At, minute)
		}
		if w.model[s.Name] == nil {
			w.model[s.Name] = map[int64]Cell{}
		}
		if c, ok := w.model[s.Name][s.At]; ok {
			c.merge(s.Cell)
			s.Cell = c
		}
		w.model[s.Name][s.At] = s.Cell
	}
}

// want is what the model has of a series within the retention; days that are over have whole minutes.
func (w *world) want(name string) []Cell {
	oldest := w.now.Unix() - Retention
	var cells []Cell
	for _, at := range slices.Sorted(maps.Keys(w.model[name])) {
		if at >= oldest {
			cells = append(cells, w.model[name][at])
		}
	}
	return cells
}

// TestStoreIsAMap: through flushes, cuts, merges, restarts and crashes the store holds what a map would. After a crash,
// what came after the last flush is gone, and nothing else.
func TestStoreIsAMap(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		w := &world{now: start.Add(20 * time.Hour), model: map[string]map[int64]Cell{}}
		w.config = Config{Dir: dir, Now: func() time.Time { return w.now }, CutEvery: time.Hour, MaxHeld: 400}
		w.store = opened(t, w.config)
		defer func() { w.store.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					age := rapid.SampledFrom([]int64{0, 0, 0, 61, 4000, 90_000, 16 * secondsOfDay}).Draw(t, "age")
					cells := cellsOfAnyKind(t, 1)
					sample := Sample{Key: key(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")),
						Cell: cells[0]}
					sample.At = w.now.Unix() - age
					if err := w.store.Add(sample); err != nil {
						t.Fatal(err)
					}
					w.unsure = append(w.unsure, sample)
				}
			},
			"flush": func(t *rapid.T) { w.tend(t, w.store.Flush) },
			"tend":  func(t *rapid.T) { w.tend(t, w.store.Tend) },
			"later": func(*rapid.T) {
				w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 5 * time.Hour,
					30 * time.Hour}).Draw(t, "later"))
			},
			"restart": func(t *rapid.T) {
				w.tend(t, w.store.Close)
				w.store = opened(t, w.config)
			},
			"crash": func(t *rapid.T) {
				if err := w.store.closeFiles(); err != nil {
					t.Fatal(err)
				}
				w.unsure = nil
				w.store = opened(t, w.config)
			},
			"": func(t *rapid.T) { w.check(t) },
		})
	})
}

func (w *world) tend(t *rapid.T, f func() error) {
	if err := f(); err != nil {
		t.Fatal(err)
	}
	w.note(w.unsure...)
	w.unsure = nil
}

func (w *world) check(t *rapid.T) {
	// What is not yet durable is read all the same.
	kept := w.model
	w.model = map[string]map[int64]Cell{}
	for name, cells := range kept {
		w.model[name] = maps.Clone(cells)
	}
	w.note(w.unsure...)
	defer func() { w.model = kept }()
	for _, name := range []string{"a", "b", "c"} {
		got, err := w.store.Cells(key(name), 0, w.now.Unix()+1)
		// The order in which sums were added differs.
		if diff := cmp.Diff(w.want(name), got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-9, 1e-9)); err != nil ||
			diff != "" {
			t.Fatalf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
}

// TestTornTail: a crash in the middle of a write leaves half a record, which is cut off.
func TestTornTail(t *testing.T) {
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return start }}
	s := opened(t, config)
	for i := range 3 {
		if err := errors.Join(s.Add(Sample{Key: key(fmt.Sprint(i)), Cell: Single(start.Unix(), float64(i))}),
			s.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"catalog", "journal-0000000001"} {
		path := filepath.Join(config.Dir, name)
		stat, err := os.Stat(path)
		if err == nil {
			err = os.Truncate(path, stat.Size()-1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s = opened(t, config)
	defer s.Close()
	for i := range 3 {
		cells, err := s.Cells(key(fmt.Sprint(i)), 0, start.Unix()+1)
		if err != nil || (len(cells) == 1) != (i < 2) {
			t.Errorf("series %d: %v %v", i, cells, err)
		}
	}
}

// TestDamage: a file that is not what was written is named, never read as something else.
func TestDamage(t *testing.T) {
	now := start
	var told error
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now }, Failed: func(err error) { told = err }}
	s := opened(t, config)
	if err := s.Add(Sample{Key: key("a"), Cell: Single(start.Unix(), 1)}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	if err := s.Tend(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(config.Dir, "*.cells"))
	if len(files) != 1 {
		t.Fatalf("files: %v", files)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	content[2] ^= 1
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Cells(key("a"), 0, now.Unix()); !errors.Is(err, errChunk) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content[len(content)-1] ^= 1
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := opened(t, config).Close(); err != nil || !errors.Is(told, errBlock) {
		t.Errorf("got %v, %v", err, told)
	}
}

// TestBounds: seconds become minutes, days and series end, and there is a limit to the number of series.
func TestBounds(t *testing.T) {
	now := start.Add(12 * time.Hour)
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now }, MaxSeries: 2}
	s := opened(t, config)
	defer func() { s.Close() }()
	for i := range int64(120) {
		if err := s.Add(Sample{Key: key("fine"), Cell: Single(now.Unix()+i, float64(i)), Fine: true}); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int {
		cells, err := s.Cells(key("fine"), 0, now.Unix()+120)
		if err != nil {
			t.Fatal(err)
		}
		return len(cells)
	}
	if got := count(); got != 120 {
		t.Errorf("%d cells at once", got)
	}
	now = now.Add(20 * time.Hour)
	if err := errors.Join(s.Add(Sample{Key: key("other"), Cell: Single(now.Unix(), 1)}), s.Tend()); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 2 {
		t.Errorf("%d cells after the day", got)
	}
	if err := s.Add(Sample{Key: key("third"), Cell: Single(now.Unix(), 1)}); !errors.Is(err, ErrTooMany) {
		t.Errorf("a third series: %v", err)
	}
	now = now.Add(15 * 24 * time.Hour)
	if err := errors.Join(s.Add(Sample{Key: key("other"), Cell: Single(now.Unix(), 1)}), s.Tend()); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, config)
	list, err := s.List(func(Key) bool { return true })
	if err != nil || len(list) != 1 || list[0].Name != "other" {
		t.Errorf("left: %v %v", list, err)
	}
	files, _ := filepath.Glob(filepath.Join(config.Dir, "*.cells"))
	if len(files) != 1 && len(files) != 2 {
		t.Errorf("files: %v", files)
	}
}

// TestReservedSeries: other namespaces leave the series that one has reserved, also after a restart, and what does not
// fit as a whole is not kept in part.
func TestReservedSeries(t *testing.T) {
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return start }, MaxSeries: 5, Reserved: 2,
		ReservedFor: "own"}
	add := func(s *Store, namespace string, names ...string) error {
		var samples []Sample
		for _, name := range names {
			k := key(name)
			k.Namespace = namespace
			samples = append(samples, Sample{Key: k, Cell: Single(start.Unix(), 1)})
		}
		return s.Add(samples...)
	}
	s := opened(t, config)
	if err := add(s, "N", "a", "b", "c", "d"); !errors.Is(err, ErrTooMany) {
		t.Errorf("four of three: %v", err)
	}
	if list, err := s.List(func(Key) bool { return true }); err != nil || len(list) != 0 {
		t.Errorf("of what did not fit %v is kept, %v", list, err)
	}
	if err := add(s, "N", "a", "b", "c", "c"); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, config)
	defer s.Close()
	if err := add(s, "N", "d"); !errors.Is(err, ErrTooMany) {
		t.Errorf("a fourth: %v", err)
	}
	if err := errors.Join(add(s, "own", "a", "b"), add(s, "N", "a")); err != nil {
		t.Error(err)
	}
	if err := add(s, "own", "c"); !errors.Is(err, ErrTooMany) {
		t.Errorf("a sixth: %v", err)
	}
}
