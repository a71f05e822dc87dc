package series

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestRestoreLosesNoSample removes the directory with its journals and files of cells. Samples from before and after
// must be there when the store is opened again.
func TestRestoreLosesNoSample(t *testing.T) {
	now := start
	c := Config{Dir: filepath.Join(t.TempDir(), "metrics"), Now: func() time.Time { return now }}
	s := opened(t, c)
	add := func(name string) {
		t.Helper()
		if err := s.Add(Sample{Key: key(name),
			Cell: Cell{At: now.Unix(), Count: 1, Sum: 1, Min: 1, Max: 1}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	add("a")
	now = now.Add(2 * time.Hour)
	if err := s.Maintain(); err != nil { // makes a file of cells
		t.Fatal(err)
	}
	add("b")
	if intact, err := s.Intact(); !intact || err != nil {
		t.Errorf("intact: %t, %v", intact, err)
	}
	if err := os.RemoveAll(c.Dir); err != nil {
		t.Fatal(err)
	}
	if intact, err := s.Intact(); intact || err != nil {
		t.Errorf("without its directory it is intact: %t, %v", intact, err)
	}
	if err := os.Mkdir(c.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(); err != nil {
		t.Fatal(err)
	}
	if intact, err := s.Intact(); !intact || err != nil {
		t.Errorf("restored it is intact: %t, %v", intact, err)
	}
	add("c")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, c)
	defer s.Close()
	for _, name := range []string{"a", "b", "c"} {
		if cells, err := s.Cells(key(name), start.Unix(), now.Unix()+1); len(cells) != 1 || err != nil {
			t.Errorf("%s has %d cells: %v", name, len(cells), err)
		}
	}
}
