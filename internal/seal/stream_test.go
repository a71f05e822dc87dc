package seal_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"larder/internal/seal"
)

var streamKey = bytes.Repeat([]byte{7}, seal.KeySize)

const streamAAD = "snapshot/one"

// sealStream writes plain in pieces of the given size.
func sealStream(t rapid.TB, plain []byte, piece int) []byte {
	var out bytes.Buffer
	w, err := seal.NewWriter(&out, streamKey, streamAAD)
	if err != nil {
		t.Fatal(err)
	}
	for rest := plain; len(rest) > 0; {
		n, err := w.Write(rest[:min(piece, len(rest))])
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		rest = rest[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openStream(sealed, key []byte, aad string) ([]byte, error) {
	r, err := seal.NewReader(bytes.NewReader(sealed), key, aad)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// sizes generates sizes at which chunks begin and end, and any between.
func sizes() *rapid.Generator[int] {
	return rapid.OneOf(
		rapid.SampledFrom([]int{0, 1, seal.ChunkSize - 1, seal.ChunkSize, seal.ChunkSize + 1, 2 * seal.ChunkSize}),
		rapid.IntRange(0, 3*seal.ChunkSize))
}

func pattern(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(i * 7 >> 3)
	}
	return out
}

func TestAStreamComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := pattern(sizes().Draw(t, "size"))
		sealed := sealStream(t, plain, rapid.IntRange(1, 2*seal.ChunkSize).Draw(t, "piece"))
		got, err := openStream(sealed, streamKey, streamAAD)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d of %d bytes came back: %v", len(got), len(plain), err)
		}
	})
}

// TestADamagedStreamDoesNotOpen changes a sealed stream in many ways. The Reader must report damage, and must not
// return anything that was not written.
func TestADamagedStreamDoesNotOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := pattern(sizes().Draw(t, "size"))
		sealed := sealStream(t, plain, seal.ChunkSize)
		const whole = seal.ChunkSize + 16
		key, aad := streamKey, streamAAD
		switch rapid.SampledFrom([]string{"flip", "cut", "cut a chunk", "swap", "append", "key", "aad"}).Draw(t,
			"damage") {
		case "flip":
			sealed[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case "cut":
			sealed = sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "at")]
		case "cut a chunk":
			sealed = sealed[:(len(sealed)-1)/whole*whole]
		case "swap":
			if len(sealed) < 2*whole {
				t.Skip("one chunk")
			}
			sealed = append(append(append([]byte{}, sealed[whole:2*whole]...), sealed[:whole]...), sealed[2*whole:]...)
		case "append":
			sealed = append(sealed, 0)
		case "key":
			key = bytes.Repeat([]byte{8}, seal.KeySize)
		case "aad":
			aad = "snapshot/two"
		}
		got, err := openStream(sealed, key, aad)
		if !errors.Is(err, seal.ErrDamaged) {
			t.Fatalf("opened with %v", err)
		}
		if !bytes.HasPrefix(plain, got) {
			t.Fatal("something else came out")
		}
	})
}

func TestNothingReadableIsInASealedStream(t *testing.T) {
	plain := bytes.Repeat([]byte("a marker to be found "), 10_000)
	if sealed := sealStream(t, plain, 1000); bytes.Contains(sealed, []byte("marker")) {
		t.Error("the plain text is in the sealed stream")
	}
}

func TestStreamsPassErrorsOn(t *testing.T) {
	broken := errors.New("broken")
	w, err := seal.NewWriter(failing{broken}, streamKey, streamAAD)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(pattern(2 * seal.ChunkSize)); !errors.Is(err, broken) {
		t.Errorf("Write: %v", err)
	}
	r, err := seal.NewReader(iotest.ErrReader(broken), streamKey, streamAAD)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); !errors.Is(err, broken) {
		t.Errorf("Read: %v", err)
	}
	if _, err := seal.NewWriter(io.Discard, streamKey[1:], streamAAD); err == nil {
		t.Error("a short key is accepted")
	}
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }
