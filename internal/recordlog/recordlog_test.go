package recordlog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/recordlog"
)

var formats = map[string]recordlog.Format{
	"series":   {Order: binary.LittleEndian, Shortest: 1, MaxSearch: 1 << 30},
	"logstore": {Order: binary.BigEndian, Shortest: 28},
}

// sample is a log, its records, and where their frames begin.
type sample struct {
	format  recordlog.Format
	log     []byte
	records [][]byte
	begins  []int
}

func draw(t *rapid.T) (s sample) {
	s.format = formats[rapid.SampledFrom([]string{"series", "logstore"}).Draw(t, "format")]
	some := rapid.SliceOfN(rapid.Byte(), s.format.Shortest, s.format.Shortest+60)
	for i, record := range rapid.SliceOfN(some, 1, 8).Draw(t, "records") {
		record = append(record, 0x80|byte(i)) // no two are equal, and none ends as a length begins
		s.records, s.begins = append(s.records, record), append(s.begins, len(s.log))
		s.log = s.format.Append(s.log, record)
	}
	return s
}

// read returns the records of a log.
func read(t interface{ Fatal(...any) }, f recordlog.Format, log []byte) (w recordlog.Walk, records [][]byte) {
	w, err := f.Each(log, func([]byte) bool { return true }, func(record []byte) error {
		records = append(records, record)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, records
}

// TestAnyPrefix: of a log whose end is missing all records that are there as a whole are read, and no other. The rest
// is torn.
func TestAnyPrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		n := rapid.IntRange(0, len(s.log)).Draw(t, "prefix")
		ends := append(slices.Clone(s.begins[1:]), len(s.log))
		whole, end := 0, 0
		for whole < len(ends) && ends[whole] <= n {
			whole, end = whole+1, ends[whole]
		}
		w, got := read(t, s.format, s.log[:n])
		if !slices.EqualFunc(got, s.records[:whole], bytes.Equal) || w != (recordlog.Walk{End: end}) {
			t.Fatalf("%d of %d bytes: %x, %+v", n, len(s.log), got, w)
		}
		if rest := s.log[end:n]; !s.format.Torn(rest) || s.format.OnlyLengthDamaged(rest) {
			t.Fatalf("the rest %x is not torn", rest)
		}
	})
}

// TestAnyFlippedByte costs the record that has it and no other; nothing is read that was never written. Damage at the
// end is not taken for a torn frame where all bytes are there.
func TestAnyFlippedByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		at := rapid.IntRange(0, len(s.log)-1).Draw(t, "at")
		s.log[at] ^= rapid.ByteRange(1, 255).Draw(t, "flip")
		hit, exact := slices.BinarySearch(s.begins, at)
		if !exact {
			hit--
		}
		last := hit == len(s.records)-1
		want := recordlog.Walk{End: len(s.log), Lost: recordlog.Header + len(s.records[hit])}
		if last {
			want = recordlog.Walk{End: s.begins[hit]}
		}
		w, got := read(t, s.format, s.log)
		if !slices.EqualFunc(got, slices.Delete(slices.Clone(s.records), hit, hit+1), bytes.Equal) || w != want {
			t.Fatalf("byte %d of record %d: %x, %+v", at, hit, got, w)
		}
		inLength := at < s.begins[hit]+4
		if rest := s.log[w.End:]; last && (s.format.Torn(rest) || s.format.OnlyLengthDamaged(rest) != inLength) {
			t.Fatalf("the rest %x is torn, or its damage not found", rest)
		}
	})
}

// TestAnyDamage: bytes that are overwritten, cut out or put in cost no records but those that they touch, and make none
// that was never written.
func TestAnyDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t)
		from := rapid.IntRange(0, len(s.log)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(s.log)).Draw(t, "to")
		log := slices.Concat(s.log[:from], rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "with"), s.log[to:])
		_, got := read(t, s.format, log)
		for i, record := range s.records {
			touched := s.begins[i] < to && s.begins[i]+recordlog.Header+len(record) > from
			if len(got) > 0 && bytes.Equal(got[0], record) {
				got = got[1:]
			} else if !touched {
				t.Fatalf("record %d is missing; then come %x", i, got)
			}
		}
		if len(got) > 0 {
			t.Fatalf("the records %x were never written, or not there", got)
		}
	})
}

// TestARefusedRecordIsDamaged: it is passed over, its bytes are counted, and the next ones are used.
func TestARefusedRecordIsDamaged(t *testing.T) {
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			var log []byte
			var records [][]byte
			for i := range 4 {
				records = append(records, bytes.Repeat([]byte{byte(i)}, 40))
				log = f.Append(log, records[i])
			}
			var got [][]byte
			w, err := f.Each(log, func(record []byte) bool { return record[0]%2 == 0 }, func(record []byte) error {
				got = append(got, record)
				return nil
			})
			if want := (recordlog.Walk{End: 3 * 48, Lost: 48}); err != nil || w != want || len(got) != 2 {
				t.Errorf("%x, %+v, %v", got, w, err)
			}
			failure := errors.New("full")
			w, err = f.Each(log, func([]byte) bool { return true }, func(record []byte) error {
				if record[0] == 1 {
					return failure
				}
				return nil
			})
			if !errors.Is(err, failure) || w.End != 48 {
				t.Errorf("with a failure of use: %+v, %v", w, err)
			}
		})
	}
}

// TestALengthThatLeadsPastFrames: a damaged length that leads to an intact frame does not hide those before it.
func TestALengthThatLeadsPastFrames(t *testing.T) {
	for name, f := range formats {
		t.Run(name, func(t *testing.T) {
			var log []byte
			for i := range 3 {
				log = f.Append(log, bytes.Repeat([]byte{0x80 | byte(i)}, 40))
			}
			f.Order.PutUint32(log, 40+recordlog.Header+40)
			w, got := read(t, f, log)
			if want := (recordlog.Walk{End: len(log), Lost: 48}); w != want || len(got) != 2 || got[0][0] != 0x81 {
				t.Errorf("%x, %+v", got, w)
			}
		})
	}
}

// TestTheSearchIsBounded: a frame that only a search finds is given up after the bound, and one that a length leads to
// is not.
func TestTheSearchIsBounded(t *testing.T) {
	f := formats["series"]
	claims := bytes.Repeat(binary.LittleEndian.AppendUint32(nil, 0x0101), 64<<10)
	log := f.Append(f.Append(nil, claims), []byte("next"))
	for name, c := range map[string]struct {
		damaged int // a byte
		most    int
		found   bool
	}{
		"the length, bounded":   {0, 1 << 20, false},
		"the length, unbounded": {0, 0, true},
		"the record, bounded":   {recordlog.Header, 1 << 20, true},
	} {
		t.Run(name, func(t *testing.T) {
			damaged := slices.Clone(log)
			damaged[c.damaged] ^= 1
			f.MaxSearch = c.most
			if _, got := read(t, f, damaged); (len(got) == 1) != c.found {
				t.Errorf("%d records are found", len(got))
			}
		})
	}
}

// TestWrite: frames are at the offset, and a failure is told.
func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	f, size := formats["logstore"], 0
	var want []byte
	for i := range 3 {
		frame := f.Append(nil, []byte(fmt.Sprintf("record %d, which is as long as one has to be", i)))
		if err := recordlog.Write(file, int64(size), frame); err != nil {
			t.Fatal(err)
		}
		size, want = size+len(frame), append(want, frame...)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the file has %x, %v; want %x", got, err, want)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := recordlog.Write(file, int64(size), want); !errors.Is(err, os.ErrClosed) {
		t.Errorf("to a closed file it comes to %v", err)
	}
}
