package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/seal"
)

func newSealer(t *testing.T, first byte) *seal.Sealer {
	t.Helper()
	key := make([]byte, seal.KeySize)
	key[0] = first
	s, err := seal.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSeal tests that a secret opens with its key and its aad, and with no other.
func TestSeal(t *testing.T) {
	s, other := newSealer(t, 1), newSealer(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOf(rapid.Byte()).Draw(t, "secret")
		aad := rapid.StringN(0, 8, -1).Draw(t, "aad")
		sealed := s.Seal(aad, secret)
		if got, err := s.Open(aad, sealed); err != nil || !bytes.Equal(got, secret) {
			t.Fatalf("opened: %q, %v", got, err)
		}
		if len(secret) > 8 && bytes.Contains(sealed, secret) {
			t.Fatal("the secret is readable")
		}
		if bytes.Equal(sealed, s.Seal(aad, secret)) {
			t.Fatal("sealed twice, it is the same: it shows which secrets are equal")
		}
		elsewhere := aad + "/x"
		if rapid.Bool().Draw(t, "shorter") && aad != "" {
			elsewhere = aad[1:]
		}
		changed := bytes.Clone(sealed)
		changed[rapid.IntRange(0, len(sealed)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		cut := sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")]
		for what, err := range map[string]error{
			"elsewhere": second(s.Open(elsewhere, sealed)), "with another key": second(other.Open(aad, sealed)),
			"changed": second(s.Open(aad, changed)), "cut": second(s.Open(aad, cut)),
			"longer": second(s.Open(aad, append(sealed, 0))),
		} {
			if err == nil {
				t.Fatalf("%s, it is opened", what)
			}
		}
	})
}

func second(_ []byte, err error) error { return err }

func TestOpenErrorsNameTheAADAndNoSecret(t *testing.T) {
	s := newSealer(t, 1)
	_, err := s.Open("elsewhere", s.Seal("here", []byte("hidden")))
	if err == nil || !strings.Contains(err.Error(), "elsewhere") || strings.Contains(err.Error(), "hidden") {
		t.Error(err)
	}
}

func TestKeySizes(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33} {
		if _, err := seal.New(make([]byte, size)); err == nil {
			t.Errorf("a key of %d bytes is accepted", size)
		}
	}
}

func TestTheKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	first, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open("p", first.Seal("p", []byte("s"))); err != nil || string(got) != "s" {
		t.Errorf("%q, %v", got, err)
	}
	other, err := seal.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Open("p", first.Seal("p", []byte("s"))); err == nil {
		t.Error("two installations have the same key")
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || info.Size() != seal.KeySize {
		t.Errorf("%v, %d bytes", info.Mode(), info.Size())
	}
}

func TestABrokenKeyFileIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Open(path); err == nil {
		t.Error("it is accepted")
	}
	if raw, err := os.ReadFile(path); string(raw) != "short" || err != nil {
		t.Errorf("now %q, %v", raw, err)
	}
	if _, err := seal.Open(filepath.Join(path, "below", "a", "file")); err == nil {
		t.Error("a path that cannot be is accepted")
	}
}
