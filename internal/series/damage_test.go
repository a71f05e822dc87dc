package series

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// filled is a store with a file of cells, a cell in its journal, and everything closed.
func filled(t *testing.T, config Config) {
	s := opened(t, config)
	if err := s.Add(Sample{Key: key("old"), Cell: Single(config.Now().Unix()-3600, 1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.cut(); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(Sample{Key: key("new"), Cell: Single(config.Now().Unix(), 2)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDamageIsSetAside: a damaged file is told of and costs no more than what it held.
func TestDamageIsSetAside(t *testing.T) {
	only := func(pattern string, change func(path string) error) func(dir string) error {
		return func(dir string) error {
			names, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(names) != 1 {
				t.Fatalf("%s matches %v, %v", pattern, names, err)
			}
			return change(names[0])
		}
	}
	cut := func(path string) error { return os.Truncate(path, 5) }
	for name, c := range map[string]struct {
		damage   func(dir string) error
		old, new int
		quiet    bool
	}{
		"cells cut short": {damage: only("*.cells", cut), new: 1},
		"cells without a name": {damage: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "x.cells"), nil, 0o600)
		}, old: 1, new: 1},
		"a stray journal": {damage: func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "journal-copy"), nil, 0o600)
		}, old: 1, new: 1, quiet: true},
		"an empty catalog": {damage: only("catalog", func(path string) error { return os.Truncate(path, 0) })},
		"no catalog": {damage: only("catalog", func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		})},
		"no journal": {damage: only("journal-*", func(path string) error {
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		}), old: 1},
	} {
		t.Run(name, func(t *testing.T) {
			told := 0
			config := Config{Dir: t.TempDir(), Now: func() time.Time { return start.Add(20 * time.Hour) }, Failed: func(error) { told++ }}
			filled(t, config)
			if err := c.damage(config.Dir); err != nil {
				t.Fatal(err)
			}
			for round := range 2 {
				s := opened(t, config)
				for metric, want := range map[string]int{"old": c.old, "new": c.new} {
					if round == 1 {
						want++
					}
					if cells, err := s.Cells(key(metric), 0, always); err != nil || len(cells) != want {
						t.Errorf("round %d: %s has the cells %v, %v; want %d", round, metric, cells, err, want)
					}
					if err := s.Add(Sample{Key: key(metric), Cell: Single(config.Now().Unix()-7200, 3)}); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if (told == 0) != c.quiet {
				t.Errorf("it is told %d times", told)
			}
		})
	}
}

// TestKeysOutliveAFailedRewrite: series that came while the catalog could not be rewritten are known after a restart.
func TestKeysOutliveAFailedRewrite(t *testing.T) {
	now := start
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now }}
	s := opened(t, config)
	add := func(name string) {
		if err := s.Add(Sample{Key: key(name), Cell: Single(now.Unix(), 1)}); err != nil {
			t.Fatal(err)
		}
	}
	add("gone")
	if err := s.cut(); err != nil {
		t.Fatal(err)
	}
	now = now.Add((Retention + 2*secondsOfDay) * time.Second)
	add("new")
	blocked := filepath.Join(config.Dir, "catalog.tmp", "x")
	if err := os.MkdirAll(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.forget(0); err == nil {
		t.Fatal("the catalog was rewritten")
	}
	add("gone") // under another number
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, config)
	defer s.Close()
	for _, name := range []string{"new", "gone"} {
		if cells, err := s.Cells(key(name), 0, always); err != nil || len(cells) != 1 {
			t.Errorf("%s has the cells %v, %v", name, cells, err)
		}
	}
}

// TestDamageInTheMiddle: of a journal or a catalog with a damaged record the others are there, before it and behind it, and what is added
// later too; a torn record at the end is cut off, and nothing is told of it.
func TestDamageInTheMiddle(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	for what, c := range map[string]struct {
		file   string
		damage func(all []byte, second, third int) []byte // of what begins where
		lost   string
		quiet  bool
	}{
		"a byte of the journal":     {file: journalName(1), damage: func(all []byte, second, _ int) []byte { all[second+frame+1] ^= 0xff; return all }, lost: "b"},
		"a length in the journal":   {file: journalName(1), damage: func(all []byte, second, _ int) []byte { all[second+1] ^= 1; return all }, lost: "b"},
		"a huge length":             {file: journalName(1), damage: func(all []byte, second, _ int) []byte { all[second+3] ^= 0xff; return all }, lost: "b"},
		"zeros":                     {file: journalName(1), damage: func(all []byte, second, third int) []byte { clear(all[second:third]); return all }, lost: "b"},
		"a byte of the catalog":     {file: "catalog", damage: func(all []byte, second, _ int) []byte { all[second+frame+3] ^= 0xff; return all }, lost: "b"},
		"the journal's torn end":    {file: journalName(1), damage: func(all []byte, _, _ int) []byte { return all[:len(all)-2] }, lost: "d", quiet: true},
		"nothing, and more to come": {file: journalName(1), damage: func(all []byte, _, _ int) []byte { return all }, quiet: true},
	} {
		t.Run(what, func(t *testing.T) {
			told := 0
			config := Config{Dir: t.TempDir(), Now: func() time.Time { return start.Add(20 * time.Hour) }, Failed: func(error) { told++ }}
			s := opened(t, config)
			var begins []int
			path := filepath.Join(config.Dir, c.file)
			for _, name := range names {
				stat, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				begins = append(begins, int(stat.Size()))
				if err := errors.Join(s.Add(Sample{Key: key(name), Cell: Single(config.Now().Unix(), 3.25)}), s.Flush()); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			all, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(all, begins[1], begins[2]), 0o600); err != nil {
				t.Fatal(err)
			}
			for round := range 3 {
				s := opened(t, config)
				for _, name := range names {
					want := 1
					if name == c.lost {
						want = 0
					}
					if cells, err := s.Cells(key(name), 0, always); err != nil || len(cells) != want {
						t.Errorf("round %d: %s has the cells %v, %v; want %d", round, name, cells, err, want)
					}
				}
				late := key("late")
				if cells, err := s.Cells(late, 0, always); err != nil || len(cells) != round {
					t.Errorf("round %d: what was added later has the cells %v, %v", round, cells, err)
				}
				if err := s.Add(Sample{Key: late, Cell: Single(config.Now().Unix()-int64(round+1)*minute, 1)}); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if (told == 0) != c.quiet {
				t.Errorf("it is told %d times", told)
			}
		})
	}
}
