package logstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"larder/internal/logstore"
)

// keys wraps data keys by inverting their bits. A key in off cannot be used.
type keys struct{ off map[string]bool }

var errOff = errors.New("the key is disabled")

func (k keys) Wrap(arn, group string, key []byte) ([]byte, error) {
	if k.off[arn] {
		return nil, errOff
	}
	return append([]byte(arn+"|"+group+"|"), flip(key)...), nil
}

func (k keys) Unwrap(group string, wrapped []byte) ([]byte, error) {
	parts := bytes.SplitN(wrapped, []byte("|"), 3)
	if k.off[string(parts[0])] || string(parts[1]) != group {
		return nil, errOff
	}
	return flip(parts[2]), nil
}

func flip(b []byte) []byte {
	out := slices.Clone(b)
	for i := range out {
		out[i] = ^out[i]
	}
	return out
}

type fataler interface {
	Helper()
	Fatal(...any)
}

func open(t fataler, dir string, k logstore.Keys) *logstore.Store {
	t.Helper()
	s, err := logstore.Open(logstore.Config{Dir: dir, Keys: k, MaxBytes: 1 << 40,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func appendAll(t fataler, s *logstore.Store, group string, batches ...logstore.Batch) {
	t.Helper()
	if err := s.Append(group, "", batches...); err != nil {
		t.Fatal(err)
	}
}

var streams = map[uint32]bool{1: true, 2: true, 3: true}

// all reads a group's events page by page.
func all(t fataler, s *logstore.Store, group string, q logstore.Query) []logstore.Event {
	t.Helper()
	var out []logstore.Event
	if q.To == (logstore.Position{}) {
		q.From, q.To = logstore.First, logstore.Last
	}
	if q.Streams == nil {
		q.Streams = streams
	}
	for {
		page, err := s.Query(group, q)
		if err != nil {
			t.Fatal(err)
		}
		if q.Backward {
			out = append(slices.Clone(page.Events), out...)
			q.To = page.Next
		} else {
			out = append(out, page.Events...)
			q.From = page.Next
		}
		if !page.More {
			return out
		}
	}
}

func event(stream uint32, at int64, message string) logstore.Event {
	return logstore.Event{Stream: stream, Time: at, Ingested: at + 5, Message: message}
}

// TestStoreAgainstAList tests that events come back once and in order, in pages of every size, from either end. They
// are appended with times in any order, and the store is opened again at times.
func TestStoreAgainstAList(t *testing.T) {
	dir := t.TempDir()
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		home := filepath.Join(dir, fmt.Sprint(run))
		s := open(t, home, keys{})
		defer func() { s.Close() }()
		var want []logstore.Event
		marks := map[string]uint64{}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open(t, home, keys{})
			case 1: // another key: the journal becomes a segment
				appendMarked(t, s, "arn:2", &want, marks)
			default:
				appendMarked(t, s, "", &want, marks)
			}
		}
		for source, mark := range marks {
			if got, err := s.Mark("g", "", source); err != nil || got != mark {
				t.Fatalf("the mark of %s is %d, want %d (%v)", source, got, mark, err)
			}
		}
		q := logstore.Query{
			Streams: map[uint32]bool{1: true, 3: true}, Limit: rapid.IntRange(1, 7).Draw(t, "limit"),
			Backward: rapid.Bool().Draw(t, "backward"),
			From:     logstore.Position{Time: rapid.Int64Range(0, 50).Draw(t, "from")},
			To:       logstore.Position{Time: rapid.Int64Range(20, 100).Draw(t, "to"), Seq: 1 << 60},
		}
		wanted := slices.DeleteFunc(slices.Clone(want), func(e logstore.Event) bool {
			return e.Stream == 2 || e.Position().Compare(q.From) < 0 || e.Position().Compare(q.To) > 0
		})
		slices.SortFunc(wanted, func(a, b logstore.Event) int { return a.Position().Compare(b.Position()) })
		if diff := cmp.Diff(wanted, all(t, s, "g", q), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// appendMarked appends a batch of a source, sometimes twice.
func appendMarked(t *rapid.T, s *logstore.Store, arn string, want *[]logstore.Event, marks map[string]uint64) {
	b := logstore.Batch{}
	for range rapid.IntRange(1, 9).Draw(t, "events") {
		b.Events = append(b.Events, event(rapid.Uint32Range(1, 3).Draw(t, "stream"),
			rapid.Int64Range(0, 100).Draw(t, "time"),
			rapid.StringN(0, 40, -1).Draw(t, "message")))
	}
	if rapid.Bool().Draw(t, "marked") {
		b.Source = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source")
		marks[b.Source]++
		b.Mark = marks[b.Source]
	}
	if err := s.Append("g", arn, b); err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Events {
		e.Seq = uint64(len(*want) + 1)
		*want = append(*want, e)
	}
	if b.Mark == 0 || rapid.Bool().Draw(t, "once") {
		return
	}
	if err := s.Append("g", arn, b); err != nil { // the second time the batch is known
		t.Fatal(err)
	}
}

// TestTornJournal cuts a journal at any point, or appends garbage. Only the unfinished frame may be lost, and the store
// must accept events.
func TestTornJournal(t *testing.T) {
	home := t.TempDir()
	s := open(t, home, keys{})
	const n = 5
	var ends []int64
	path := filepath.Join(home, "g", "00000001.log")
	for i := range n {
		appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, int64(i), fmt.Sprint("event ", i))},
			Source: "a", Mark: uint64(i + 1)})
		ends = append(ends, must(os.Stat(path))(t).Size())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole := must(os.ReadFile(path))(t)
	for cut := ends[0]; cut <= int64(len(whole)); cut++ {
		for _, rubbish := range []string{"", "\x00\x00\x00\x40rubbish that is no frame"} {
			left := append(slices.Clone(whole[:cut]), rubbish...)
			kept := 0
			for kept < n && bytes.HasPrefix(left, whole[:ends[kept]]) { // the garbage may equal the byte that was cut off
				kept++
			}
			again := t.TempDir()
			if err := errors.Join(os.Mkdir(filepath.Join(again, "g"), 0o700),
				os.WriteFile(filepath.Join(again, "g", "00000001.log"), left, 0o600)); err != nil {
				t.Fatal(err)
			}
			s := open(t, again, keys{})
			if got := all(t, s, "g", logstore.Query{}); len(got) != kept {
				t.Fatalf("cut at %d of %d: %d events, want %d", cut, len(whole), len(got), kept)
			}
			if mark := must(s.Mark("g", "", "a"))(t); mark != uint64(kept) {
				t.Fatalf("cut at %d: the mark is %d, want %d", cut, mark, kept)
			}
			appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, 99, "after")}})
			got := all(t, s, "g", logstore.Query{})
			if len(got) != kept+1 || got[kept].Seq != uint64(kept+1) || got[kept].Message != "after" {
				t.Fatalf("cut at %d: afterwards %v", cut, got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestInterruptedRotation tests that events are there once after a process dies while a journal becomes a segment. The
// crash can leave the journal, the segment, both, or both and the next journal.
func TestInterruptedRotation(t *testing.T) {
	for _, left := range []string{"journal and segment", "journal and temporary file", "two journals",
		"a journal without a beginning"} {
		t.Run(left, func(t *testing.T) {
			home := t.TempDir()
			s := open(t, home, keys{})
			appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, 1, "one")}, Source: "a", Mark: 7})
			first := filepath.Join(home, "g", "00000001.log")
			journal := must(os.ReadFile(first))(t)
			if err := s.Append("g", "arn:2", logstore.Batch{Events: []logstore.Event{event(1, 2, "two")}}); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			segment := filepath.Join(home, "g", "00000001.seg")
			var err error
			switch left {
			case "journal and segment":
				err = os.WriteFile(first, journal, 0o600)
			case "journal and temporary file":
				err = errors.Join(os.WriteFile(first, journal, 0o600), os.Rename(segment, segment+".tmp"))
			case "two journals":
				err = errors.Join(os.WriteFile(first, journal, 0o600), os.Remove(segment))
			case "a journal without a beginning":
				err = os.WriteFile(filepath.Join(home, "g", "00000003.log"), journal[:11], 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s = open(t, home, keys{})
				var got []string
				for _, e := range all(t, s, "g", logstore.Query{}) {
					got = append(got, fmt.Sprint(e.Seq, e.Message))
				}
				if diff := cmp.Diff([]string{"1one", "2two"}, got); diff != "" {
					t.Error(diff)
				}
				if mark := must(s.Mark("g", "", "a"))(t); mark != 7 {
					t.Errorf("the mark is %d", mark)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestSealed tests that no message is readable in the files, before and after they are rewritten, and that changes to
// the files are noticed.
func TestSealed(t *testing.T) {
	home := t.TempDir()
	s := open(t, home, keys{})
	const secret = "the-secret-of-the-house"
	fill(t, s, "g", 80_000, secret+" and much more, to fill a journal, "+secret+" %d")
	appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, 1, secret)}})
	var files int
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data := must(os.ReadFile(path))(t)
		if bytes.Contains(data, []byte("secret")) {
			t.Errorf("%s has the message as it is", path)
		}
		data[len(data)/2] ^= 1
		return os.WriteFile(path, data, 0o600)
	})
	if err != nil || files < 2 {
		t.Fatal(files, err)
	}
	page, err := s.Query("g", logstore.Query{Streams: streams, From: logstore.First, To: logstore.Last})
	if err != nil || !page.Damaged || len(page.Events) == 0 || len(page.Events) > 80_000 {
		t.Errorf("with changed blocks: %d events, damaged %t, %v", len(page.Events), page.Damaged, err)
	}
	s.Close()
}

// TestDisabledKey tests that events can be neither read nor appended while their key is disabled, and are there again
// with the key.
func TestDisabledKey(t *testing.T) {
	home, k := t.TempDir(), keys{map[string]bool{}}
	s := open(t, home, k)
	if err := s.Append("g", "arn:1", logstore.Batch{Events: []logstore.Event{event(1, 1, "one")}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	k.off["arn:1"] = true
	s = open(t, home, k)
	defer s.Close()
	var locked *logstore.KeyError
	if _, err := s.Query("g", logstore.Query{Streams: streams, To: logstore.Last}); !errors.As(err, &locked) ||
		!errors.Is(err, errOff) {
		t.Errorf("reading without the key: %v", err)
	}
	if err := s.Append("g", "arn:1", logstore.Batch{Events: []logstore.Event{event(1, 1, "two")}}); !errors.As(err,
		&locked) {
		t.Errorf("appending without the key: %v", err)
	}
	if err := s.Sweep(time.UnixMilli(1<<40),
		func(string) (time.Duration, bool) { return time.Hour, true }); err != nil {
		t.Errorf("sweeping without the key: %v", err)
	}
	delete(k.off, "arn:1")
	if got := all(t, s, "g", logstore.Query{}); len(got) != 1 {
		t.Errorf("with the key there are %v", got)
	}
	k.off["arn:1"] = true // with the journal open
	if _, err := s.Query("g", logstore.Query{Streams: streams, To: logstore.Last}); !errors.As(err, &locked) {
		t.Errorf("reading the open journal without the key: %v", err)
	}
	if err := s.Append("g", "arn:1", logstore.Batch{Events: []logstore.Event{event(1, 1, "two")}}); !errors.As(err,
		&locked) {
		t.Errorf("appending to the open journal without the key: %v", err)
	}
	if err := s.Append("g", "", logstore.Batch{Events: []logstore.Event{event(1, 2, "two")}}); err != nil {
		t.Errorf("appending after the group's key was taken away: %v", err)
	}
	delete(k.off, "arn:1")
	if got := all(t, s, "g", logstore.Query{}); len(got) != 2 {
		t.Errorf("with the key there are %v", got)
	}
}

// must fails the test on an error.
func must[T any](v T, err error) func(fataler) T {
	return func(t fataler) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// fill appends n events, a millisecond apart, a thousand at a time.
func fill(t fataler, s *logstore.Store, group string, n int, format string) {
	t.Helper()
	for i := 0; i < n; i += 1000 {
		var b logstore.Batch
		for k := i; k < min(i+1000, n); k++ {
			b.Events = append(b.Events, event(uint32(k%3+1), int64(k), fmt.Sprintf(format, k)))
		}
		appendAll(t, s, group, b)
	}
}

// TestRetention tests that segments are deleted when all their events are too old, and that marks outlive them.
func TestRetention(t *testing.T) {
	home := t.TempDir()
	s := open(t, home, keys{})
	appendAll(t, s, "g", logstore.Batch{Source: "a", Mark: 3})
	fill(t, s, "g", 100_000, "a message that is long enough to fill journals, number %d")
	fill(t, s, "other", 1000, "a message, number %d")
	segments := len(must(filepath.Glob(filepath.Join(home, "g", "*.seg")))(t))
	if segments < 1 {
		t.Fatalf("there are %d segments", segments)
	}
	keepAll := func(id string) (time.Duration, bool) { return 0, id == "g" }
	if err := s.Sweep(time.UnixMilli(1<<40), keepAll); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(home, "other")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a group that nobody knows is still there: %v", err)
	}
	if got := len(all(t, s, "g", logstore.Query{Contains: []string{"number 99"}})); got == 0 {
		t.Error("events without a retention are gone")
	}
	day := 24 * time.Hour
	keepDay := func(string) (time.Duration, bool) { return day, true }
	if err := s.Sweep(time.UnixMilli(100_000).Add(day+time.Second), keepDay); err != nil {
		t.Fatal(err)
	}
	if got := all(t, s, "g", logstore.Query{}); len(got) != 0 {
		t.Errorf("%d events are left", len(got))
	}
	if stats := must(s.Stats("g"))(t); len(stats) != 0 {
		t.Errorf("the figures are still %v", stats)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, home, keys{})
	defer s.Close()
	if mark := must(s.Mark("g", "", "a"))(t); mark != 3 {
		t.Errorf("the mark is %d", mark)
	}
	appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, 1, "next")}})
	if got := all(t, s, "g", logstore.Query{}); len(got) != 1 || got[0].Seq != 100_001 {
		t.Errorf("numbers are given again: %v", got)
	}
}

// TestBound tests that the store's bound removes the oldest events of any group.
func TestBound(t *testing.T) {
	home := t.TempDir()
	const most = 30_000
	s, err := logstore.Open(logstore.Config{Dir: home, Keys: keys{}, MaxBytes: most,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 12 {
		var b logstore.Batch
		for k := range 50 {
			b.Events = append(b.Events, event(1, int64(i), strings.Repeat(fmt.Sprint(i, k*k), 30_000)))
		}
		appendAll(t, s, "g", b)
	}
	if err := s.Sweep(time.UnixMilli(1<<40), func(string) (time.Duration, bool) { return 0, true }); err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, name := range must(filepath.Glob(filepath.Join(home, "g", "*")))(t) {
		size += must(os.Stat(name))(t).Size()
	}
	got := all(t, s, "g", logstore.Query{Limit: 10})
	if size > most+fullJournal || len(got) == 0 || got[0].Time == 0 || got[len(got)-1].Time != 11 {
		t.Errorf("%d bytes, %d events", size, len(got))
	}
}

const fullJournal = 8 << 20 // more than a journal takes
