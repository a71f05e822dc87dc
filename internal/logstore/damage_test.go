package logstore_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/internal/logstore"
)

// TestDamageIsSetAside tests that damage to a file affects no other file, no other group and no later event.
func TestDamageIsSetAside(t *testing.T) {
	first := func(pattern string, change func(path string) error) func(home string) error {
		return func(home string) error {
			names := must(filepath.Glob(filepath.Join(home, "g", pattern)))(t)
			if len(names) == 0 {
				t.Fatalf("there is no %s", pattern)
			}
			return change(names[0])
		}
	}
	write := func(name string) func(home string) error {
		return func(home string) error { return os.WriteFile(filepath.Join(home, name), []byte("x"), 0o600) }
	}
	overwrite := func(n int) func(path string) error {
		return func(path string) error {
			data := must(os.ReadFile(path))(t)
			copy(data, strings.Repeat("nothing that is known", n))
			return os.WriteFile(path, data, 0o600)
		}
	}
	for name, c := range map[string]struct {
		damage func(home string) error
		found  []string
		aside  bool
	}{
		"a segment cut short": {first("*.seg", func(path string) error { return os.Truncate(path, 100) }),
			[]string{"last"}, true},
		"a journal's header":  {first("*.log", overwrite(1)), []string{"number 0", "last"}, false},
		"a journal":           {first("*.log", overwrite(250)), []string{"number 0"}, true},
		"a file with no name": {write("g/x.seg"), []string{"number 0", "last"}, false},
		"a copy":              {write("g/00000001.seg~"), []string{"number 0", "last"}, false},
		"a stray file":        {write("x"), []string{"number 0", "last"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			s := open(t, home, keys{})
			fill(t, s, "g", 80_000, "a message that is long enough to fill a journal, number %d")
			appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, 1, "last")}})
			appendAll(t, s, "other", logstore.Batch{Events: []logstore.Event{event(1, 1, "other")}})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.damage(home); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s = open(t, home, keys{})
				appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, 2, "next")}})
				for _, text := range append(c.found, "next") {
					if got := all(t, s, "g", logstore.Query{Contains: []string{text}}); len(got) == 0 {
						t.Errorf("there is no %q any more", text)
					}
				}
				if got := all(t, s, "other", logstore.Query{}); len(got) != 1 {
					t.Errorf("another group has %v", got)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if aside := must(filepath.Glob(filepath.Join(home, "g", "*.damaged")))(t); len(aside) > 0 != c.aside {
				t.Errorf("set aside: %v", aside)
			}
		})
	}
}

// TestBoundBesideALockedGroup tests that the other groups make room when nothing can be deleted from one group. Their
// journals can be deleted too.
func TestBoundBesideALockedGroup(t *testing.T) {
	home, k := t.TempDir(), keys{map[string]bool{}}
	var said strings.Builder
	config := logstore.Config{Dir: home, Keys: k, MaxBytes: 1000, Logger: slog.New(slog.NewTextHandler(&said, nil))}
	s := must(logstore.Open(config))(t)
	text := strings.Repeat("x", 3000)
	put := func(group, arn string, at int64) {
		if err := s.Append(group, arn, logstore.Batch{Events: []logstore.Event{event(1, at, text)}}); err != nil {
			t.Fatal(err)
		}
	}
	put("locked", "arn:2", 1)
	put("locked", "arn:1", 2) // the previous journal is a segment now
	put("g", "", 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	k.off["arn:1"] = true
	s = must(logstore.Open(config))(t)
	defer s.Close()
	if got := all(t, s, "g", logstore.Query{}); len(got) != 1 { // its journal is open
		t.Fatalf("there are %d events", len(got))
	}
	if err := s.Sweep(time.UnixMilli(1<<40), func(string) (time.Duration, bool) { return 0, true }); err != nil {
		t.Fatal(err)
	}
	if got := all(t, s, "g", logstore.Query{}); len(got) != 0 {
		t.Errorf("%d events are left", len(got))
	}
	if strings.Contains(said.String(), "group=locked bytes") {
		t.Errorf("it is said of the locked group that events were deleted: %s", said.String())
	}
}

// TestALockedGroupIsToldOfOnce tests that several sweeps log a locked group only once.
func TestALockedGroupIsToldOfOnce(t *testing.T) {
	home, k := t.TempDir(), keys{map[string]bool{}}
	var said strings.Builder
	config := logstore.Config{Dir: home, Keys: k, MaxBytes: 1 << 30, Logger: slog.New(slog.NewTextHandler(&said, nil))}
	s := must(logstore.Open(config))(t)
	if err := s.Append("locked", "arn:1", logstore.Batch{Events: []logstore.Event{event(1, 1, "text")}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	k.off["arn:1"] = true
	s = must(logstore.Open(config))(t)
	defer s.Close()
	for range 3 {
		if err := s.Sweep(time.UnixMilli(1<<40),
			func(string) (time.Duration, bool) { return time.Hour, true }); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(said.String(), "group=locked"); n != 1 {
		t.Errorf("it is told %d times: %s", n, said.String())
	}
}

// TestAFlippedBitCostsItsOwnEvents tests that the intact events after a flipped bit are read, in journals and in
// segments, before and after they are opened again, and that events can still be appended. The log and the page report
// the damage.
func TestAFlippedBitCostsItsOwnEvents(t *testing.T) {
	const batches = 6
	for _, suffix := range []string{"*.log", "*.seg"} {
		for _, part := range []float64{0.4, 0.5, 0.6} {
			home := t.TempDir()
			s := open(t, home, keys{})
			for i := range batches {
				text := strings.Repeat("x", 200<<10) // each is a block of its own
				appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, int64(i), text)}})
			}
			if suffix == "*.seg" { // another key rotates the journal
				if err := s.Append("g", "arn:1",
					logstore.Batch{Events: []logstore.Event{event(1, batches, "last")}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			path := must(filepath.Glob(filepath.Join(home, "g", suffix)))(t)[0]
			data := must(os.ReadFile(path))(t)
			data[int(part*float64(len(data)))] ^= 1
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			want := batches - 1
			if suffix == "*.seg" {
				want++
			}
			for range 2 {
				var said strings.Builder
				s = must(logstore.Open(logstore.Config{Dir: home, Keys: keys{}, MaxBytes: 1 << 40,
					Logger: slog.New(slog.NewTextHandler(&said, nil))}))(t)
				got := all(t, s, "g", logstore.Query{})
				if len(got) != want {
					t.Errorf("%s at %v: %d events, want %d", suffix, part, len(got), want)
				}
				page := must(s.Query("g", logstore.Query{Streams: streams, From: logstore.First, To: logstore.Last}))(t)
				if !page.Damaged || strings.Count(said.String(), "skipped damaged log events") != 1 {
					t.Errorf("%s at %v: damaged %t, and the log says %s", suffix, part, page.Damaged, said.String())
				}
				appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, 100, "next")}})
				want++
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestADamagedLengthCostsItsOwnEvents tests that the next frame of a journal is found when a frame's length is damaged.
func TestADamagedLengthCostsItsOwnEvents(t *testing.T) {
	home := t.TempDir()
	s := open(t, home, keys{})
	var ends []int64
	for i := range 4 {
		appendAll(t, s, "g", logstore.Batch{Events: []logstore.Event{event(1, int64(i), strings.Repeat("x", 300))}})
		path := must(filepath.Glob(filepath.Join(home, "g", "*.log")))(t)[0]
		ends = append(ends, must(os.Stat(path))(t).Size())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := must(filepath.Glob(filepath.Join(home, "g", "*.log")))(t)[0]
	data := must(os.ReadFile(path))(t)
	data[ends[1]+2] ^= 0x40 // of the third frame's length
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, home, keys{})
	defer s.Close()
	if got := all(t, s, "g", logstore.Query{}); len(got) != 3 {
		t.Errorf("%d events, want 3", len(got))
	}
}
