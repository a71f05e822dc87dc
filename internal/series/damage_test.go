package series

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/recordlog"
)

// filled creates a store with a file of cells and a cell in its journal, and closes it.
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

// TestDamageIsSetAside tests that a damaged file is reported and that only its own content is lost.
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
			config := Config{Dir: t.TempDir(), Now: func() time.Time { return start.Add(20 * time.Hour) },
				Failed: func(error) { told++ }}
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
				t.Errorf("it is reported %d times", told)
			}
		})
	}
}

// TestDamageInTheMiddle damages one record of a journal or a catalog. The records before and after it, and those added
// later, must be readable. A torn record at the end is cut off without a report.
func TestDamageInTheMiddle(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	for what, c := range map[string]struct {
		file   string
		damage func(all []byte, second, third int) []byte // second and third are where these records begin
		lost   string
		quiet  bool
	}{
		"a byte of the journal": {file: journalName(1),
			damage: func(all []byte, second, _ int) []byte { all[second+recordlog.Header+1] ^= 0xff; return all }, lost: "b"},
		"a length in the journal": {file: journalName(1),
			damage: func(all []byte, second, _ int) []byte { all[second+1] ^= 1; return all }, lost: "b"},
		"a huge length": {file: journalName(1),
			damage: func(all []byte, second, _ int) []byte { all[second+3] ^= 0xff; return all }, lost: "b"},
		"zeros": {file: journalName(1),
			damage: func(all []byte, second, third int) []byte { clear(all[second:third]); return all }, lost: "b"},
		"a byte of the catalog": {file: "catalog",
			damage: func(all []byte, second, _ int) []byte { all[second+recordlog.Header+3] ^= 0xff; return all }, lost: "b"},
		"the journal's torn end": {file: journalName(1),
			damage: func(all []byte, _, _ int) []byte { return all[:len(all)-2] }, lost: "d", quiet: true},
		"nothing, and more to come": {file: journalName(1), damage: func(all []byte, _, _ int) []byte { return all },
			quiet: true},
	} {
		t.Run(what, func(t *testing.T) {
			told := 0
			config := Config{Dir: t.TempDir(), Now: func() time.Time { return start.Add(20 * time.Hour) },
				Failed: func(error) { told++ }}
			s := opened(t, config)
			var begins []int
			path := filepath.Join(config.Dir, c.file)
			for _, name := range names {
				stat, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				begins = append(begins, int(stat.Size()))
				if err := errors.Join(s.Add(Sample{Key: key(name), Cell: Single(config.Now().Unix(), 3.25)}),
					s.Flush()); err != nil {
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
				if err := s.Add(Sample{Key: late,
					Cell: Single(config.Now().Unix()-int64(round+1)*minute, 1)}); err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if (told == 0) != c.quiet {
				t.Errorf("it is reported %d times", told)
			}
		})
	}
}

// damagedStore creates a store with samples of three series in a file of cells and in the journal. A fourth series has
// its samples in another record of the journal.
func damagedStore(t *testing.T, config Config) map[string]int {
	s := opened(t, config)
	add := func(name string, at int64) {
		if err := errors.Join(s.Add(Sample{Key: key(name), Cell: Single(config.Now().Unix()-at, 2.5)}),
			s.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		add(name, 7200)
		add(name, 3600)
	}
	if err := s.cut(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		add(name, 0)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string]int{"a": 3, "b": 3, "c": 3, "d": 1}
}

// eachDamage calls try with each damaged form of a file: one bit of each byte flipped, every 16 bytes zeroed, and the
// file cut off at every 7th byte.
func eachDamage(whole []byte, try func(what string, damaged []byte)) {
	for i := range whole {
		bad := slices.Clone(whole)
		bad[i] ^= 1 << (i % 8)
		try(fmt.Sprintf("bit %d of byte %d flipped", i%8, i), bad)
	}
	for i := 0; i+16 <= len(whole); i += 16 {
		bad := slices.Clone(whole)
		clear(bad[i : i+16])
		if !slices.Equal(bad, whole) {
			try(fmt.Sprintf("zeros from %d", i), bad)
		}
	}
	for i := 0; i < len(whole); i += 7 {
		try(fmt.Sprintf("cut off at %d", i), whole[:i])
	}
}

// TestAnyDamageCostsItsOwnSamples damages one file in any way. The store must open, return everything that is intact,
// return nothing that was not written, and report what is lost.
func TestAnyDamageCostsItsOwnSamples(t *testing.T) {
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return start.Add(20 * time.Hour) }}
	want := damagedStore(t, config)
	files, err := os.ReadDir(config.Dir)
	if err != nil {
		t.Fatal(err)
	}
	whole := map[string][]byte{}
	for _, f := range files {
		if whole[f.Name()], err = os.ReadFile(filepath.Join(config.Dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	// How many cells one damage can cost: a series lost from the catalog, one chunk of two cells, or one record of one
	// cell.
	most := map[string]int{"catalog": 3, journalName(2): 1, blockName(dayOf(config.Now().Unix()), 1, false): 2}
	if len(whole) != len(most) {
		t.Fatalf("there are %v", files)
	}
	for name, content := range whole {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			eachDamage(content, func(what string, damaged []byte) {
				for n, c := range whole {
					if n == name {
						c = damaged
					}
					if err := os.WriteFile(filepath.Join(dir, n), c, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				var told []string
				config := Config{Dir: dir, Now: config.Now,
					Failed: func(err error) { told = append(told, err.Error()) }}
				s, err := Open(config)
				if err != nil {
					t.Errorf("%s: %v", what, err)
					return
				}
				lost := 0
				for range 2 {
					lost = 0
					for metric, n := range want {
						cells, err := s.Cells(key(metric), 0, always)
						if _, failure := Damaged(err); failure != nil {
							t.Errorf("%s: %v", what, failure)
						}
						for _, c := range cells {
							if c.Count != 1 || c.Sum != 2.5 {
								t.Errorf("%s: %v was never written", what, c)
							}
						}
						lost += n - len(cells)
					}
				}
				if strings.HasPrefix(what, "bit") && lost > most[name] {
					t.Errorf("%s: %d cells are lost: %q", what, lost, told)
				}
				if lost > 0 && len(told) != 1 && !strings.HasPrefix(what, "cut off") && name != "catalog" {
					t.Errorf("%s: %d cells are lost, and it is reported as %q", what, lost, told)
				}
				if err := s.Close(); err != nil {
					t.Errorf("%s: %v", what, err)
				}
				if entries, err := filepath.Glob(filepath.Join(dir, "*")); err != nil ||
					errors.Join(removeAll(entries)...) != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

func removeAll(paths []string) (errs []error) {
	for _, path := range paths {
		errs = append(errs, os.RemoveAll(path))
	}
	return errs
}

// TestADamagedChunkDoesNotStopMerging tests that the readable cells of a day are merged into one file, and that the
// damaged file is set aside until its day is past the retention. Until then Lost reports it.
func TestADamagedChunkDoesNotStopMerging(t *testing.T) {
	now := start.Add(time.Hour)
	var told []string
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now },
		Failed: func(err error) { told = append(told, err.Error()) }}
	s := opened(t, config)
	defer func() { s.Close() }()
	first := now.Unix()
	for range 3 {
		for _, name := range []string{"a", "b"} {
			if err := s.Add(Sample{Key: key(name), Cell: Single(now.Unix(), 2.5)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.cut(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	bad := s.blocks[1].path
	content, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	content[0] ^= 1 // of a's chunk
	if err := os.WriteFile(bad, content, 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(30 * time.Hour)
	if err := s.mergeDays(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if len(s.blocks) != 1 || !s.Lost(first, first+1) || s.Lost(first+secondsOfDay, always) {
			t.Errorf("there are %d files, and lost are %v", len(s.blocks), s.lost.days)
		}
		for name, want := range map[string]int{"a": 2, "b": 3} {
			if cells, err := s.Cells(key(name), 0, always); err != nil || len(cells) != want {
				t.Errorf("%s has the cells %v, %v; want %d", name, cells, err, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = opened(t, config)
	}
	if len(told) != 2 { // that a part cannot be read, and that the file is set aside
		t.Errorf("it is reported as %q", told)
	}
	now = now.Add((Retention + secondsOfDay) * time.Second)
	if err := s.expire(); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(config.Dir, "*"+damaged)); len(left) > 0 || err != nil ||
		s.Lost(0, always) {
		t.Errorf("left is %v, %v", left, err)
	}
}

// TestOddFiles puts a pipe, a directory or a huge file in place of one of larder's. Opening must neither hang nor
// allocate much memory. A file that was set aside before must not keep the next one from being set aside.
func TestOddFiles(t *testing.T) {
	pipe := func(path string) error { return unix.Mkfifo(path, 0o600) }
	folder := func(path string) error { return os.MkdirAll(filepath.Join(path, "x"), 0o700) }
	huge := func(path string) error { return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40)) }
	for what, make := range map[string]func(path string) error{"pipe": pipe, "folder": folder, "huge": huge} {
		for _, name := range []string{"catalog", journalName(1), journalName(2),
			blockName(dayOf(start.Unix()), 1, false)} {
			t.Run(what+" "+name, func(t *testing.T) {
				t.Parallel()
				told := openedTwice(t, name, make)
				if told == 0 {
					t.Error("nothing is reported")
				}
			})
		}
	}
}

// openedTwice replaces a file by what make creates and opens the store, twice. It returns how often Failed was called.
func openedTwice(t *testing.T, name string, make func(path string) error) (told int) {
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return start.Add(20 * time.Hour) },
		Failed: func(error) { told++ }}
	for range 2 {
		filled(t, config)
		path := filepath.Join(config.Dir, name)
		if err := errors.Join(os.RemoveAll(path), make(path)); err != nil {
			t.Fatal(err)
		}
		s := opened(t, config)
		if _, err := s.Cells(key("new"), 0, always); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	return told
}
