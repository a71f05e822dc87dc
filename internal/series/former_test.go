package series

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestFormerFiles tests that a catalog, a journal and a file of cells that an earlier larder wrote can be read, and
// that the same samples are still written as the same bytes.
func TestFormerFiles(t *testing.T) {
	config := Config{Now: func() time.Time { return start.Add(20 * time.Hour) },
		Failed: func(err error) { t.Error(err) }}
	last := config.Now().Unix() + 60

	config.Dir = t.TempDir()
	filled(t, config)
	s := opened(t, config)
	if err := s.Add(Sample{Key: key("new"), Cell: Single(last, 3)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"catalog", journalName(2), blockName(dayOf(start.Unix()), 1, false)} {
		former, err := os.ReadFile(filepath.Join("testdata", "former", name))
		if err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(filepath.Join(config.Dir, name))
		if err != nil || !bytes.Equal(now, former) {
			t.Errorf("%s is %x, %v; it was %x", name, now, err, former)
		}
	}

	config.Dir = t.TempDir()
	if err := os.CopyFS(config.Dir, os.DirFS("testdata/former")); err != nil {
		t.Fatal(err)
	}
	s = opened(t, config)
	defer s.Close()
	for name, want := range map[string][]Cell{
		"old": {Single(last-60-3600, 1)},
		"new": {Single(last-60, 2), Single(last, 3)},
	} {
		cells, err := s.Cells(key(name), 0, always)
		if err != nil || len(cells) != len(want) {
			t.Fatalf("%s has the cells %v, %v; want %v", name, cells, err, want)
		}
		for i, c := range cells {
			if c.At != want[i].At || c.Sum != want[i].Sum {
				t.Errorf("cell %d of %s is %v, want %v", i, name, c, want[i])
			}
		}
	}
}
