package series

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestScrub tests that Scrub finds damage that nobody has read, and continues. A file that was set aside is named too.
func TestScrub(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	var told []error
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now },
		Failed: func(err error) { told = append(told, err) }}
	s := opened(t, config)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for hour := range 3 { // one file for each
		for _, name := range []string{"a", "b"} {
			if err := s.Add(Sample{Key: key(name), Cell: Single(now.Unix()-int64(hour)*3600, 1)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.cut(); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(config.Dir, "*.cells"))
	if err != nil || len(files) != 3 {
		t.Fatalf("there are %v, %v", files, err)
	}
	file, err := os.OpenFile(files[1], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 4)
	if _, err := file.ReadAt(first, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{first[0], first[1], first[2] ^ 1}, 0); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	if err := s.Scrub(func(int) error { return enough }); !errors.Is(err, enough) || len(s.DamagedFiles()) > 0 {
		t.Errorf("one that is to end: %v, %v", err, s.DamagedFiles())
	}
	read := 0
	for range 2 {
		if err := s.Scrub(func(n int) error { read += n; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if read == 0 || len(told) != 1 || !slices.Equal(s.DamagedFiles(), []string{filepath.Base(files[1])}) {
		t.Errorf("of %d bytes damaged are %v, told %v", read, s.DamagedFiles(), told)
	}
	s.lose(files[0])
	want := []string{filepath.Base(files[0]) + damaged, filepath.Base(files[1])}
	if !slices.Equal(s.DamagedFiles(), want) {
		t.Errorf("with one that is set aside, damaged are %v, want %v", s.DamagedFiles(), want)
	}
}
