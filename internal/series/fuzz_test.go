package series

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzJournal tests that a store opens with any content in its catalog, journal and file of cells, and that cells can
// then be read and added.
func FuzzJournal(f *testing.F) {
	config := Config{Dir: f.TempDir(), Now: func() time.Time { return start }}
	s := opened(f, config)
	for range 2 {
		if err := s.Add(Sample{Key: key("a"), Cell: Single(start.Unix(), 2.5)}); err != nil {
			f.Fatal(err)
		}
		if err := s.cut(); err != nil {
			f.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	names := []string{"catalog", journalName(3), blockName(dayOf(start.Unix()), 1, false)}
	var whole [3][]byte
	for i, name := range names {
		var err error
		if whole[i], err = os.ReadFile(filepath.Join(config.Dir, name)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(whole[0], whole[1], whole[2])
	f.Add(whole[1], whole[2], whole[0])
	f.Add([]byte(nil), []byte{1}, make([]byte, 64))
	f.Fuzz(func(t *testing.T, catalog, journal, block []byte) {
		config := Config{Dir: t.TempDir(), Now: config.Now}
		for i, content := range [][]byte{catalog, journal, block} {
			if err := os.WriteFile(filepath.Join(config.Dir, names[i]), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := opened(t, config)
		defer s.Close()
		if err := s.Add(Sample{Key: key("new"), Cell: Single(start.Unix(), 1)}); err != nil {
			t.Fatal(err)
		}
		if cells, err := s.Cells(key("new"), 0, always); err != nil || len(cells) == 0 {
			t.Fatalf("what was added is %v, %v", cells, err)
		}
	})
}
