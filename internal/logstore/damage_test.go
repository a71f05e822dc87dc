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

// TestDamageIsSetAside: what is damaged costs no other file, no other group and no later event.
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
	overwrite := func(path string) error {
		data := must(os.ReadFile(path))(t)
		copy(data, "nothing that is known")
		return os.WriteFile(path, data, 0o600)
	}
	for name, c := range map[string]struct {
		damage func(home string) error
		found  []string
		aside  bool
	}{
		"a segment cut short": {first("*.seg", func(path string) error { return os.Truncate(path, 100) }), []string{"last"}, true},
		"a journal":           {first("*.log", overwrite), []string{"number 0"}, true},
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

// TestBoundBesideALockedGroup: a group that nothing can be deleted of leaves it to the others to make room, journals with the rest.
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
	put("locked", "arn:1", 2) // the one before is a segment now
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

// TestALockedGroupIsToldOfOnce however often it is looked at.
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
		if err := s.Sweep(time.UnixMilli(1<<40), func(string) (time.Duration, bool) { return time.Hour, true }); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(said.String(), "group=locked"); n != 1 {
		t.Errorf("it is told %d times: %s", n, said.String())
	}
}
