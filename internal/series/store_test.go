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

// model is a store and what it must contain, durable and since the last flush.
type model struct {
	config Config
	now    time.Time
	store  *Store
	cells  map[string]map[int64]Cell
	unsure []Sample
}

func (m *model) note(samples ...Sample) {
	for _, s := range samples {
		if !s.Fine {
			s.At = floor(s.At, minute)
		}
		if m.cells[s.Name] == nil {
			m.cells[s.Name] = map[int64]Cell{}
		}
		if c, ok := m.cells[s.Name][s.At]; ok {
			c.merge(s.Cell)
			s.Cell = c
		}
		m.cells[s.Name][s.At] = s.Cell
	}
}

// want returns the cells of a series in the model, within the retention. Days that are over have whole minutes.
func (m *model) want(name string) []Cell {
	oldest := m.now.Unix() - Retention
	var cells []Cell
	for _, at := range slices.Sorted(maps.Keys(m.cells[name])) {
		if at >= oldest {
			cells = append(cells, m.cells[name][at])
		}
	}
	return cells
}

// TestStoreIsAMap compares the store with a map through flushes, cuts, merges, restarts and crashes. A crash may lose
// only what was added after the last flush.
func TestStoreIsAMap(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		m := &model{now: start.Add(20 * time.Hour), cells: map[string]map[int64]Cell{}}
		m.config = Config{Dir: dir, Now: func() time.Time { return m.now }, CutEvery: time.Hour, MaxHeld: 400}
		m.store = opened(t, m.config)
		defer func() { m.store.Close() }()
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					age := rapid.SampledFrom([]int64{0, 0, 0, 61, 4000, 90_000, 16 * secondsOfDay}).Draw(t, "age")
					cells := cellsOfAnyKind(t, 1)
					sample := Sample{Key: key(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")),
						Cell: cells[0]}
					sample.At = m.now.Unix() - age
					if err := m.store.Add(sample); err != nil {
						t.Fatal(err)
					}
					m.unsure = append(m.unsure, sample)
				}
			},
			"flush":    func(t *rapid.T) { m.maintain(t, m.store.Flush) },
			"maintain": func(t *rapid.T) { m.maintain(t, m.store.Maintain) },
			"later": func(*rapid.T) {
				m.now = m.now.Add(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 5 * time.Hour,
					30 * time.Hour}).Draw(t, "later"))
			},
			"restart": func(t *rapid.T) {
				m.maintain(t, m.store.Close)
				m.store = opened(t, m.config)
			},
			"crash": func(t *rapid.T) {
				if err := m.store.closeFiles(); err != nil {
					t.Fatal(err)
				}
				m.unsure = nil
				m.store = opened(t, m.config)
			},
			"": func(t *rapid.T) { m.check(t) },
		})
	})
}

func (m *model) maintain(t *rapid.T, f func() error) {
	if err := f(); err != nil {
		t.Fatal(err)
	}
	m.note(m.unsure...)
	m.unsure = nil
}

func (m *model) check(t *rapid.T) {
	// Samples that are not durable yet are read too.
	kept := m.cells
	m.cells = map[string]map[int64]Cell{}
	for name, cells := range kept {
		m.cells[name] = maps.Clone(cells)
	}
	m.note(m.unsure...)
	defer func() { m.cells = kept }()
	for _, name := range []string{"a", "b", "c"} {
		got, err := m.store.Cells(key(name), 0, m.now.Unix()+1)
		// The order in which sums were added differs.
		if diff := cmp.Diff(m.want(name), got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(1e-9, 1e-9)); err != nil ||
			diff != "" {
			t.Fatalf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
}

// TestTornTail tests that half a record, left by a crash during a write, is cut off.
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

// TestDamage tests that a changed file is reported, and never read as something else.
func TestDamage(t *testing.T) {
	now := start
	var told error
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now }, Failed: func(err error) { told = err }}
	s := opened(t, config)
	if err := s.Add(Sample{Key: key("a"), Cell: Single(start.Unix(), 1)}); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Hour)
	if err := s.Maintain(); err != nil {
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

// TestBounds tests that seconds become minutes, that days and series expire, and that the number of series is limited.
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
	if err := errors.Join(s.Add(Sample{Key: key("other"), Cell: Single(now.Unix(), 1)}), s.Maintain()); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 2 {
		t.Errorf("%d cells after the day", got)
	}
	if err := s.Add(Sample{Key: key("third"), Cell: Single(now.Unix(), 1)}); !errors.Is(err, ErrTooMany) {
		t.Errorf("a third series: %v", err)
	}
	now = now.Add(15 * 24 * time.Hour)
	if err := errors.Join(s.Add(Sample{Key: key("other"), Cell: Single(now.Unix(), 1)}), s.Maintain()); err != nil {
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

// TestReservedSeries tests that other namespaces cannot use the reserved series, also after a restart, and that samples
// that do not all fit are not kept in part.
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
