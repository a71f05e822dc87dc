package snapshot_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/seal"
	"larder/internal/snapshot"
)

// keys is a KMS with one key, which can be disabled.
type keys struct {
	*seal.Sealer
	disabled bool
}

var errDisabled = errors.New("it is disabled")

func (k *keys) Wrap(key string, plaintext []byte, context map[string]string) ([]byte, error) {
	if k.disabled {
		return nil, errDisabled
	}
	return k.Seal("kms/"+context["larder:snapshot"], plaintext), nil
}

func (k *keys) Unwrap(blob []byte, context map[string]string) ([]byte, error) {
	if k.disabled {
		return nil, errDisabled
	}
	return k.Sealer.Open("kms/"+context["larder:snapshot"], blob)
}

func newVault(t *testing.T) *snapshot.Vault {
	t.Helper()
	master, err := seal.New(make([]byte, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	other, err := seal.New(bytes.Repeat([]byte{1}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return &snapshot.Vault{Dir: filepath.Join(t.TempDir(), "snapshots"), Sealer: master, Keys: &keys{Sealer: other}}
}

const marker = "a marker that nobody shall find "

var content = strings.Repeat(marker, 10_000)

func fill(text string) func(io.Writer) (int64, error) {
	return func(w io.Writer) (int64, error) { return io.Copy(w, strings.NewReader(text)) }
}

func write(t *testing.T, v *snapshot.Vault, name, key string) snapshot.Sealed {
	t.Helper()
	s, err := v.Write(name, key, fill(content))
	if err != nil || s.Size != int64(len(content)) {
		t.Fatal(s.Size, err)
	}
	return s
}

func read(v *snapshot.Vault, name string, s snapshot.Sealed) (string, error) {
	r, err := v.Open(name, s)
	if err != nil {
		return "", err
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	return string(all), err
}

func files(t *testing.T, v *snapshot.Vault) string {
	t.Helper()
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	return strings.Join(names, " ")
}

func TestASnapshotComesBack(t *testing.T) {
	v := newVault(t)
	for name, key := range map[string]string{"one": "", "two": "arn:aws:kms:us-east-1:000000000000:key/1"} {
		s := write(t, v, name, key)
		if got, err := read(v, name, s); err != nil || got != content {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		raw, err := os.ReadFile(filepath.Join(v.Dir, name))
		if err != nil || bytes.Contains(raw, []byte(marker)) {
			t.Errorf("%s: readable at rest, %v", name, err)
		}
	}
	if got := files(t, v); got != "one two" {
		t.Errorf("files: %s", got)
	}
	if err := errors.Join(v.Remove("one"), v.Remove("one")); err != nil {
		t.Error(err)
	}
	if got := files(t, v); got != "two" {
		t.Errorf("files: %s", got)
	}
}

func TestAChangedFileIsNotRead(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"changed":  func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut off":  func(b []byte) []byte { return b[:len(b)/2] },
		"a chunk":  func(b []byte) []byte { return b[:seal.ChunkSize+16] },
		"empty":    func(b []byte) []byte { return nil },
		"appended": func(b []byte) []byte { return append(b, b...) },
	} {
		t.Run(name, func(t *testing.T) {
			v := newVault(t)
			s := write(t, v, "one", "")
			path := filepath.Join(v.Dir, "one")
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, change(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := read(v, "one", s); !errors.Is(err, seal.ErrDamaged) ||
				!strings.Contains(err.Error(), "snapshot one") {
				t.Errorf("read with %v", err)
			}
		})
	}
}

func TestOneSnapshotIsNotTakenForAnother(t *testing.T) {
	v := newVault(t)
	one, two := write(t, v, "one", ""), write(t, v, "two", "")
	if err := os.Rename(filepath.Join(v.Dir, "one"), filepath.Join(v.Dir, "two")); err != nil {
		t.Fatal(err)
	}
	if _, err := read(v, "two", two); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("swapped: %v", err)
	}
	if _, err := read(v, "two", one); err == nil {
		t.Error("a data key opens another snapshot")
	}
	if _, err := read(v, "one", one); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("not there: %v", err)
	}
}

func TestADisabledKeyIsNamed(t *testing.T) {
	v := newVault(t)
	s := write(t, v, "one", "key-1")
	v.Keys.(*keys).disabled = true
	if _, err := read(v, "one", s); !errors.Is(err, errDisabled) || !strings.Contains(err.Error(), "key-1") {
		t.Errorf("read with %v", err)
	}
	if _, err := v.Write("two", "key-1", fill(content)); !errors.Is(err, errDisabled) ||
		!strings.Contains(err.Error(), "key-1") {
		t.Errorf("written with %v", err)
	}
}

func TestAFailureLeavesNoFile(t *testing.T) {
	v := newVault(t)
	broken := errors.New("broken")
	_, err := v.Write("one", "", func(w io.Writer) (int64, error) {
		if _, err := io.WriteString(w, content); err != nil {
			return 0, err
		}
		if got := files(t, v); got != "one.partial" {
			t.Errorf("meanwhile: %s", got)
		}
		return 0, broken
	})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if got := files(t, v); got != "" {
		t.Errorf("files: %s", got)
	}
}

func TestSweep(t *testing.T) {
	v := newVault(t)
	if removed, err := v.Sweep(func(string) bool { return true }); err != nil || removed != nil {
		t.Errorf("nothing there: %v, %v", removed, err)
	}
	write(t, v, "known", "")
	write(t, v, "unknown", "")
	if err := os.WriteFile(filepath.Join(v.Dir, "known.partial"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removed, err := v.Sweep(func(name string) bool { return name == "known" })
	if err != nil || strings.Join(removed, " ") != "known.partial unknown" {
		t.Errorf("removed %v, %v", removed, err)
	}
	if got := files(t, v); got != "known" {
		t.Errorf("left: %s", got)
	}
}

// TestCheckSeesWhatCannotBeRestored also tests that intact snapshots pass.
func TestCheckSeesWhatCannotBeRestored(t *testing.T) {
	aside := func(path string, make func() error) error { return errors.Join(os.Remove(path), make()) }
	for name, damage := range map[string]func(path string) error{
		"nothing":   func(string) error { return nil },
		"gone":      os.Remove,
		"cut off":   func(path string) error { return os.Truncate(path, 100) },
		"longer":    func(path string) error { return os.Truncate(path, 1<<30) },
		"empty":     func(path string) error { return os.Truncate(path, 0) },
		"a folder":  func(path string) error { return aside(path, func() error { return os.Mkdir(path, 0o700) }) },
		"a pipe":    func(path string) error { return aside(path, func() error { return unix.Mkfifo(path, 0o600) }) },
		"its own":   func(path string) error { return os.WriteFile(path, []byte(content), 0o600) },
		"one bit":   func(path string) error { return flip(path, len(content)-5) },
		"first bit": func(path string) error { return flip(path, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVault(t)
			for _, key := range []string{"", "key-1"} {
				s := write(t, v, "one", key)
				other := write(t, v, "two", key)
				if err := damage(filepath.Join(v.Dir, "one")); err != nil {
					t.Fatal(err)
				}
				if err := v.Check("one", s); (err != nil) != (name != "nothing") {
					t.Errorf("it is checked with %v", err)
				} else if err != nil && !strings.Contains(err.Error(), "snapshot one") {
					t.Errorf("%v does not name it", err)
				}
				if err := v.Check("two", other); err != nil {
					t.Errorf("another one: %v", err)
				}
				if err := errors.Join(v.Remove("one"), v.Remove("two")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	v := newVault(t)
	s := write(t, v, "one", "key-1")
	v.Keys.(*keys).disabled = true
	if err := v.Check("one", s); err != nil {
		t.Errorf("with a disabled key: %v", err)
	}
	v.Keys = gone{}
	if err := v.Check("one", s); err == nil || !strings.Contains(err.Error(), "key-1") {
		t.Errorf("with a key that was deleted: %v", err)
	}
}

// gone is a KMS whose keys were deleted.
type gone struct{}

func (gone) Wrap(string, []byte, map[string]string) ([]byte, error) { return nil, gone{}.refusal() }
func (gone) Unwrap([]byte, map[string]string) ([]byte, error)       { return nil, gone{}.refusal() }
func (gone) refusal() error                                         { return seal.ErrNoKey }

func flip(path string, at int) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	raw[at] ^= 1
	return os.WriteFile(path, raw, 0o600)
}

// TestSweepGoesOnBehindADirectory tests that Sweep reports a directory, leaves it, and deletes the files after it.
func TestSweepGoesOnBehindADirectory(t *testing.T) {
	v := newVault(t)
	write(t, v, "z", "")
	if err := os.MkdirAll(filepath.Join(v.Dir, "a", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	removed, err := v.Sweep(func(string) bool { return false })
	if strings.Join(removed, " ") != "z" || err == nil || !strings.Contains(err.Error(), filepath.Join(v.Dir, "a")) {
		t.Errorf("removed %v, %v", removed, err)
	}
}

// TestVerifyReadsAllOfASnapshot tests that Verify finds damage beyond what Check reads, and reads at the given pace.
func TestVerifyReadsAllOfASnapshot(t *testing.T) {
	const size = 257 << 20 // Check reads 256 MiB
	v := newVault(t)
	s, err := v.Write("one", "", func(w io.Writer) (int64, error) {
		var n int64
		for piece := make([]byte, 1<<20); n < size; n += int64(len(piece)) {
			if _, err := w.Write(piece); err != nil {
				return n, err
			}
		}
		return n, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	paced := 0
	pace := func(n int) error { paced += n; return nil }
	if err := v.Verify("one", s, pace); err != nil || paced < size || paced > size+1<<20 {
		t.Errorf("an intact one: %v; paced %d bytes of %d", err, paced, size)
	}
	enough := errors.New("enough")
	if err := v.Verify("one", s, func(int) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("one that is to end: %v", err)
	}
	file, err := os.OpenFile(filepath.Join(v.Dir, "one"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte("damaged"), size-1<<10)
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	if err := v.Check("one", s); err != nil {
		t.Errorf("Check reads it: %v", err)
	}
	if err := v.Verify("one", s, pace); !errors.Is(err, seal.ErrDamaged) {
		t.Errorf("a damaged one: %v", err)
	}
	if err := os.Remove(filepath.Join(v.Dir, "one")); err != nil {
		t.Fatal(err)
	}
	if err := v.Verify("one", s, pace); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("one that is not there: %v", err)
	}
}
