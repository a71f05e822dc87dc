package durable_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"larder/internal/durable"
)

// writeVariable has the test binary write the file at the path it holds, again and again, until it is killed.
const writeVariable = "LARDER_TEST_WRITE"

func TestMain(m *testing.M) {
	if path := os.Getenv(writeVariable); path != "" {
		for n := byte(0); ; n++ {
			if err := durable.WriteFile(path, content(n)); err != nil {
				panic(err)
			}
		}
	}
	os.Exit(m.Run())
}

// content is long enough to be written in parts.
func content(n byte) []byte { return bytes.Repeat([]byte{n}, 1<<20) }

func whole(raw []byte) bool { return len(raw) == 1<<20 && bytes.Equal(raw, content(raw[0])) }

// TestACrashLeavesOldOrNew kills a writer at any moment, and looks at the file all the while.
func TestACrashLeavesOldOrNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := durable.WriteFile(path, content(0)); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		writer := exec.Command(exe)
		writer.Env = append(os.Environ(), writeVariable+"="+path)
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		seen := map[byte]bool{}
		for deadline := time.Now().Add(time.Minute); len(seen) < 4+i; {
			raw, err := os.ReadFile(path)
			if err != nil || !whole(raw) {
				t.Fatalf("%d bytes, %v", len(raw), err)
			}
			seen[raw[0]] = true
			if time.Now().After(deadline) {
				t.Fatal("the writer does not write")
			}
		}
		writer.Process.Kill()
		writer.Wait()
		if raw, err := os.ReadFile(path); err != nil || !whole(raw) {
			t.Fatalf("after a crash: %d bytes, %v", len(raw), err)
		}
	}
}

func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, []byte("readable by all"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(path, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil || string(raw) != "secret" {
		t.Errorf("%q, %v", raw, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	only(t, dir, "f")
}

func TestAFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	occupied := filepath.Join(dir, "d")
	if err := os.Mkdir(occupied, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(occupied, []byte("x")); err == nil {
		t.Error("a directory is overwritten")
	}
	if err := durable.WriteFile(filepath.Join(dir, "missing", "f"), []byte("x")); err == nil {
		t.Error("a directory is made")
	}
	only(t, dir, "d")
}

func only(t *testing.T, dir, name string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != name {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}
