package series

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestKeysOutliveAFailedRewrite tests that series that were added while the catalog could not be rewritten are known
// after a restart.
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
	add("gone") // gets another number
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

// TestTheCatalogHasARecordPerSeries also covers a rewritten catalog, and one of an earlier version, which put many
// series into one record. With one record per series, a damaged bit costs one series and not all.
func TestTheCatalogHasARecordPerSeries(t *testing.T) {
	now := start
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now }}
	s := opened(t, config)
	path := s.path("catalog")
	records := func() (n int) {
		if _, err := openJournal(path, func([]byte) error { n++; return nil },
			func(err error) { t.Error(err) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, name := range []string{"a", "b", "c"} {
		if err := s.Add(Sample{Key: key(name), Cell: Single(now.Unix(), 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.cut(); err != nil {
		t.Fatal(err)
	}
	if n := records(); n != 3 {
		t.Errorf("three new series are in %d records", n)
	}
	now = now.Add((Retention + 2*secondsOfDay) * time.Second)
	for _, name := range []string{"d", "e"} {
		if err := s.Add(Sample{Key: key(name), Cell: Single(now.Unix(), 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.forget(0), s.Close()); err != nil {
		t.Fatal(err)
	}
	if n := records(); n != 2 {
		t.Errorf("two series that are left are in %d records", n)
	}
	var all []byte
	for id, name := range []string{"f", "g"} {
		all = append(all, catalogRecord(uint32(id), key(name).encode())...)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	old, err := openJournal(path, nil, nil)
	if err == nil {
		err = errors.Join(old.append(all), old.close())
	}
	if err != nil {
		t.Fatal(err)
	}
	s = opened(t, config)
	if s.known(key("f")) == nil || s.known(key("g")) == nil {
		t.Error("series of a catalog of an earlier version are missing")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := records(); n != 2 {
		t.Errorf("two series of one record are in %d", n)
	}
}
