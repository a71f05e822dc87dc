package logstore_test

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"larder/internal/logstore"
)

// TestScrub tests that Scrub finds damage in segments and journals of every group, reads each byte once, skips what a
// disabled key sealed, and ends when pace says so.
func TestScrub(t *testing.T) {
	t.Parallel()
	home, k := t.TempDir(), keys{map[string]bool{}}
	s := open(t, home, k)
	defer s.Close()
	text := func(n int) []logstore.Event { return []logstore.Event{event(1, int64(n), "text")} }
	for _, group := range []string{"good", "segment", "journal", "locked"} {
		for i, arn := range []string{"", "arn:1", ""} { // another key rotates the journal
			if err := s.Append(group, arn, logstore.Batch{Events: text(i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	flipped := func(path string, at func(data []byte) int) {
		t.Helper()
		file := must(os.OpenFile(filepath.Join(home, path), os.O_RDWR, 0))(t) // changes the open file in place
		data := must(io.ReadAll(file))(t)
		i := at(data)
		_, err := file.WriteAt([]byte{data[i] ^ 1}, int64(i))
		if err = errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	inBlock := func(data []byte) int { // after the header of the file and of the frame
		return 16 + int(binary.BigEndian.Uint32(data[8:])) + 8 + 5
	}
	flipped("segment/00000001.seg", inBlock)
	flipped("locked/00000002.seg", inBlock)
	flipped("journal/00000003.log", func(data []byte) int { return len(data) - 3 })
	k.off["arn:1"] = true

	if damaged := s.Damaged(); len(damaged) > 0 {
		t.Fatalf("before anybody looked: %v", damaged)
	}
	enough := errors.New("enough")
	if err := s.Scrub(func(int) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("one that is to end: %v", err)
	}
	var read int
	if err := s.Scrub(func(n int) error { read += n; return nil }); err != nil {
		t.Fatal(err)
	}
	if all := size(t, home); read < all/3 || read > all {
		t.Errorf("it reads %d bytes of %d", read, all)
	}
	damaged := s.Damaged()
	if len(damaged) != 2 || !slices.Equal(damaged["segment"], []string{"00000001.seg"}) ||
		!slices.Equal(damaged["journal"], []string{"00000003.log"}) {
		t.Errorf("damaged are %v", damaged)
	}
	k.off["arn:1"] = false
	if err := s.Scrub(func(int) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if damaged := s.Damaged(); !slices.Equal(damaged["locked"], []string{"00000002.seg"}) {
		t.Errorf("with the key back, damaged are %v", damaged)
	}
}

// size returns how many bytes the files below a directory take.
func size(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, path := range must(filepath.Glob(filepath.Join(dir, "*", "*")))(t) {
		n += int(must(os.Stat(path))(t).Size())
	}
	return n
}
