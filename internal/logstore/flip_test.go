package logstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/logstore"
)

// damagedFile is a group with one file, and another that holds the last event.
type damagedFile struct {
	suffix string // of the first
	texts  []string
	bytes  []byte
}

// newDamagedFile creates a file with one event in each of its blocks or frames. Blocks are small, however long the
// events are.
func newDamagedFile(t *testing.T, suffix string) damagedFile {
	home := t.TempDir()
	s := open(t, home, keys{})
	f := damagedFile{suffix: suffix}
	long := 1
	if suffix == ".seg" {
		long = 66 << 10
	}
	for i := range 3 {
		f.texts = append(f.texts, strings.Repeat(fmt.Sprint(i), long))
		appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, int64(i), f.texts[i])}})
	}
	if suffix == ".seg" { // another key rotates the journal
		if err := s.Append("g", "arn:1", logstore.Batch{Events: []logstore.Event{event(1, 9, "last")}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f.bytes = must(os.ReadFile(filepath.Join(home, "g", "00000001"+suffix)))(t)
	return f
}

// lost replaces the file by damaged. It returns which events are missing, and whether a reader was told. Both must be
// the same after the given number of restarts, and after an append.
func (f damagedFile) lost(t fataler, home string, damaged []byte, starts int) (missing []string, told bool) {
	t.Helper()
	dir := filepath.Join(home, "g")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00000001"+f.suffix), damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	for round := range starts {
		s := open(t, home, keys{})
		if round > 0 {
			appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(2, 10, "next")}})
		}
		q := logstore.Query{Streams: streams, From: logstore.First, To: logstore.Last}
		page := must(s.Query("g", q))(t)
		q.Backward = true
		backward := must(s.Query("g", q))(t)
		if !slices.Equal(page.Events, backward.Events) || page.Damaged != backward.Damaged {
			t.Fatal("backward it is another page")
		}
		now := f.missing(t, page.Events, round)
		if round > 0 && !slices.Equal(now, missing) {
			t.Fatal(fmt.Sprintf("%d events are missing, and after another start %d", len(missing), len(now)))
		}
		missing, told = now, page.Damaged
		if damaged := s.Damaged()["g"]; page.Damaged != (len(damaged) > 0) {
			t.Fatal(fmt.Sprintf("the page is damaged: %t; the files that are: %v", page.Damaged, damaged))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return missing, told
}

func (f damagedFile) missing(t fataler, events []logstore.Event, next int) (missing []string) {
	t.Helper()
	for _, text := range f.texts {
		n := len(slices.DeleteFunc(slices.Clone(events), func(e logstore.Event) bool { return e.Message != text }))
		if n > 1 {
			t.Fatal("an event is there twice")
		}
		if n == 0 {
			missing = append(missing, text[:1])
		}
	}
	if n := len(f.texts) - len(missing) + next; n != len(events) {
		t.Fatal(fmt.Sprintf("there are %d events, want %d", len(events), n))
	}
	return missing
}

// TestEachFlippedBitCostsOneBlock flips each bit of a file: in its header, in a frame's length and checksum, in a
// block, in the index and in the footer. The events of all other blocks must be readable, and a reader must be told
// when one is missing.
func TestEachFlippedBitCostsOneBlock(t *testing.T) {
	for _, suffix := range []string{".log", ".seg"} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			f := newDamagedFile(t, suffix)
			dir, costly := t.TempDir(), map[string]int{}
			for i, b := range f.bytes {
				if b == 0 && i%97 > 0 { // the zeros before a header's second copy
					continue
				}
				damaged := slices.Clone(f.bytes)
				damaged[i] ^= 1 << (i % 8)
				missing, told := f.lost(t, filepath.Join(dir, fmt.Sprint(i)), damaged, 1+i%5/4)
				if len(missing) > 1 || len(missing) > 0 && !told {
					t.Errorf("bit %d of byte %d of %d: the events %v are missing, told %t",
						i%8, i, len(f.bytes), missing, told)
				}
				if len(missing) > 0 {
					costly[missing[0]]++
				}
			}
			if len(costly) != len(f.texts) {
				t.Errorf("bytes cost an event each: %v", costly)
			}
		})
	}
}

// TestAnyDamageOfAFile overwrites a part of a file with anything. Only the events in that part may be missing, and a
// reader must be told. Nothing may be read that was never written, and the store must accept events.
func TestAnyDamageOfAFile(t *testing.T) {
	files := []damagedFile{newDamagedFile(t, ".log"), newDamagedFile(t, ".seg")}
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		f := rapid.SampledFrom(files).Draw(t, "file")
		from := rapid.IntRange(0, len(f.bytes)-1).Filter(func(i int) bool { return f.bytes[i] != 0 }).Draw(t, "from")
		with := rapid.SliceOfN(rapid.Byte(), 1, min(60, len(f.bytes)-from)).Draw(t, "with") // a block is longer
		damaged := slices.Clone(f.bytes)
		copy(damaged[from:], with)
		home := filepath.Join(dir, fmt.Sprint(run))
		missing, told := f.lost(t, home, damaged, 2)
		if len(missing) > 2 || f.suffix == ".seg" && len(missing) > 0 && !told {
			t.Fatalf("%d bytes from %d of %d: the events %v are missing, told %t",
				len(with), from, len(f.bytes), missing, told)
		}
	})
}

// TestFormerFiles tests that a segment and a journal of an earlier larder, in either format, can be read and appended
// to.
func TestFormerFiles(t *testing.T) {
	for _, format := range []string{"larderL2", "larderL3"} {
		t.Run(format, func(t *testing.T) {
			home := t.TempDir()
			if err := os.CopyFS(filepath.Join(home, "g"), os.DirFS(filepath.Join("testdata", format))); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s := open(t, home, keys{})
				got := all(t, s, "g", logstore.Query{})
				if len(got) != 5 || got[0].Message != "0" || got[4].Message != "last" || got[4].Seq != 5 {
					t.Errorf("there are the events %v", got)
				}
				if mark := must(s.Mark("g", "", "a"))(t); mark != 4 {
					t.Errorf("the mark is %d", mark)
				}
				if damaged := s.Damaged()["g"]; len(damaged) > 0 {
					t.Errorf("the files %v are damaged", damaged)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestASegmentWithoutItsHeaderAndIndex tests that the second copy of the header opens the blocks, that the blocks are
// found without the index, and that a damaged block costs only its own events.
func TestASegmentWithoutItsHeaderAndIndex(t *testing.T) {
	t.Parallel()
	f := newDamagedFile(t, ".seg")
	second := strings.LastIndex(string(f.bytes[:len(f.bytes)-8]), "larderL3")
	for name, c := range map[string]struct {
		damage  func(b []byte)
		missing []string
		told    bool
	}{
		"header and footer":        {func(b []byte) { clear(b[:40]); clear(b[len(b)-16:]) }, nil, false},
		"header and index":         {func(b []byte) { b[3] ^= 1; b[len(b)-20] ^= 1 }, nil, false},
		"all of the first page":    {func(b []byte) { clear(b[:100]); b[len(b)-9] ^= 4 }, []string{"0"}, true},
		"second header and footer": {func(b []byte) { b[second] ^= 1; b[len(b)-1] ^= 1 }, nil, false},
		"both headers":             {func(b []byte) { b[9] ^= 1; b[second+9] ^= 1 }, []string{"0", "1", "2"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := slices.Clone(f.bytes)
			c.damage(damaged)
			missing, told := f.lost(t, t.TempDir(), damaged, 2)
			if !slices.Equal(missing, c.missing) || told != c.told {
				t.Errorf("the events %v are missing, told %t; want %v, %t", missing, told, c.missing, c.told)
			}
		})
	}
}
