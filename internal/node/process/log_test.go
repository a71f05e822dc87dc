package process_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"larder/internal/node/nodetest"
	"larder/internal/node/process"
)

// readAll reads what is left of a log, in small pieces.
func readAll(t *testing.T, r *process.Runtime, id string, from int64) (begin int64, text string) {
	t.Helper()
	begin = -1
	for p := make([]byte, 1000); ; {
		at, n, err := r.ReadLog(id, from, p)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return begin, text
		}
		if begin < 0 {
			begin = at
		}
		text += string(p[:n])
		from = at + int64(n)
	}
}

func TestALogGoesOnOverARestart(t *testing.T) {
	dir := t.TempDir()
	r := newRuntime(t, dir)
	if size, err := r.LogSize("a"); size != 0 || err != nil {
		t.Errorf("before the first start: %d, %v", size, err)
	}
	var ids []string
	for i := range 3 {
		p := mustStart(t, r, nodetest.Spec(t, "a"))
		nodetest.Ask(t, p, fmt.Sprint("say ", i))
		if err := p.Stop(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		id, err := r.LogID("a")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	size, err := r.LogSize("a")
	if err != nil {
		t.Fatal(err)
	}
	if begin, text := readAll(t, r, "a", 0); begin != 0 || text != "0\n1\n2\n" || size != int64(len(text)) {
		t.Errorf("%q from %d, of %d bytes", text, begin, size)
	}
	if begin, text := readAll(t, r, "a", 2); begin != 2 || text != "1\n2\n" {
		t.Errorf("%q from %d", text, begin)
	}
	if err := r.Remove("a"); err != nil {
		t.Fatal(err)
	}
	mustStart(t, r, nodetest.Spec(t, "a"))
	id, err := r.LogID("a")
	if err != nil || ids[0] == "" || ids[0] != ids[1] || ids[1] != ids[2] || id == ids[0] {
		t.Errorf("logs %v, and %s after the files were removed; %v", ids, id, err)
	}
}

// TestTheOwnLogStaysWithinItsBound: OwnLog is trimmed once it exists.
func TestTheOwnLogStaysWithinItsBound(t *testing.T) {
	r := newRuntime(t, t.TempDir())
	r.OwnLog = filepath.Join(t.TempDir(), "engine.log")
	if err := r.TrimLogs(); err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 99) + "\n"
	if err := os.WriteFile(r.OwnLog, []byte(strings.Repeat(line, 12<<20/len(line))+"the last\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.TrimLogs(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(r.OwnLog)
	if err != nil {
		t.Fatal(err)
	}
	if on := info.Sys().(*syscall.Stat_t).Blocks * 512; on > 4<<20+64<<10 {
		t.Errorf("%d bytes on disk", on)
	}
	if text, err := os.ReadFile(r.OwnLog); err != nil || !strings.HasSuffix(string(text), line+"the last\n") {
		t.Errorf("its end is gone: %v", err)
	}
}

// TestALogStaysWithinItsBound: while a process writes, the dropped part is not read, and the rest keeps its offsets.
func TestALogStaysWithinItsBound(t *testing.T) {
	const bound = 4 << 20
	dir := t.TempDir()
	r := newRuntime(t, dir)
	p := mustStart(t, r, nodetest.Spec(t, "a"))
	path := filepath.Join(dir, "a", "node.log")
	for round := range 3 {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		line := strings.Repeat("x", 99) + "\n"
		if _, err := f.WriteString(strings.Repeat(line, 3*bound/len(line))); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		nodetest.Ask(t, p, fmt.Sprint("say end of round ", round))
		if err := r.TrimLogs(); err != nil {
			t.Fatal(err)
		}
		nodetest.Ask(t, p, fmt.Sprint("say after round ", round))
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if on := info.Sys().(*syscall.Stat_t).Blocks * 512; on > bound+64<<10 || on < bound {
			t.Errorf("round %d: %d bytes on disk", round, on)
		}
		size, err := r.LogSize("a")
		begin, text := readAll(t, r, "a", 0)
		want := fmt.Sprintf("end of round %d\nafter round %d\n", round, round)
		if err != nil || begin+int64(len(text)) != size || !strings.HasSuffix(text, want) ||
			strings.ContainsRune(text, 0) {
			t.Errorf("round %d: read %d bytes from %d of %d, %v; the end is %q", round, len(text), begin, size, err,
				text[max(0, len(text)-60):])
		}
		if words := p.LastWords(); !strings.HasSuffix(words, fmt.Sprint("after round ", round)) {
			t.Errorf("round %d: last words %q", round, words)
		}
	}
}

func TestNodesKeepTimeInUTC(t *testing.T) {
	t.Setenv("TZ", "Asia/Tokyo")
	p := mustStart(t, newRuntime(t, t.TempDir()), nodetest.Spec(t, "a"))
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	zones := 0
	for v := range bytes.SplitSeq(raw, []byte{0}) {
		if name, value, _ := strings.Cut(string(v), "="); name == "TZ" {
			zones++
			if value != "UTC" {
				t.Errorf("TZ=%s", value)
			}
		}
	}
	if zones != 1 {
		t.Errorf("%d zones", zones)
	}
}
