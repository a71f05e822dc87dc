package seal

import (
	"bufio"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A sealed stream is a sequence of chunks of ChunkSize bytes; the last one may be shorter. Each chunk is sealed with
// AES-GCM, under a key that seals only this stream. The nonce is the chunk's number and a flag for the last chunk, so
// that a chunk that was changed, swapped, repeated or cut off does not open.
const (
	// ChunkSize is how much of a stream is sealed at once, in bytes. A Writer and a Reader hold this much in memory.
	ChunkSize = 64 << 10
	tagSize   = 16
)

// ErrNoKey reports that a key does not exist, or no longer. What it sealed or wrapped can never be opened again.
var ErrNoKey = errors.New("the key does not exist")

// ErrDamaged reports that a sealed stream is not what was written: it was changed, cut off, or sealed with another key
// or AAD.
var ErrDamaged = errors.New("it was changed or cut off, or sealed with another key")

// chunks seals or opens the chunks of one stream, in order.
type chunks struct {
	aead   cipher.AEAD
	aad    []byte
	number uint64
}

func newChunks(key []byte, aad string) (*chunks, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the stream's key has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &chunks{aead: aead, aad: []byte(aad)}, err
}

// nonce returns the nonce of the next chunk.
func (c *chunks) nonce(last bool) []byte {
	nonce := make([]byte, c.aead.NonceSize())
	binary.BigEndian.PutUint64(nonce, c.number)
	if last {
		nonce[len(nonce)-1] = 1
	}
	c.number++
	return nonce
}

// StreamSize returns the size of a sealed stream, in bytes, for a plain text of that many bytes.
func StreamSize(plain int64) int64 {
	return plain + tagSize*max(1, (plain+ChunkSize-1)/ChunkSize)
}

// Writer seals what is written to it. Close seals the rest and marks the end; without it, a Reader takes the stream for
// cut off.
type Writer struct {
	to     io.Writer
	chunks *chunks
	plain  []byte // not sealed yet; at most ChunkSize bytes
	sealed []byte
}

// NewWriter makes a Writer with a key of KeySize bytes, which must not seal anything else. A Reader needs the same aad.
func NewWriter(to io.Writer, key []byte, aad string) (*Writer, error) {
	c, err := newChunks(key, aad)
	if err != nil {
		return nil, err
	}
	return &Writer{to: to, chunks: c, plain: make([]byte, 0, ChunkSize),
		sealed: make([]byte, 0, ChunkSize+tagSize)}, nil
}

// Write seals p, chunk by chunk. It keeps a full chunk back until more is written, because the last chunk is sealed
// differently.
func (w *Writer) Write(p []byte) (written int, err error) {
	for len(p) > 0 {
		if len(w.plain) == ChunkSize {
			if err := w.flush(false); err != nil {
				return written, err
			}
		}
		n := min(len(p), ChunkSize-len(w.plain))
		w.plain = append(w.plain, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

// Close seals what is left as the last chunk. It does not close what the Writer writes to.
func (w *Writer) Close() error { return w.flush(true) }

func (w *Writer) flush(last bool) error {
	w.sealed = w.chunks.aead.Seal(w.sealed[:0], w.chunks.nonce(last), w.plain, w.chunks.aad)
	w.plain = w.plain[:0]
	_, err := w.to.Write(w.sealed)
	return err
}

// Reader opens a sealed stream. It returns only verified bytes, and io.EOF only at the verified end.
type Reader struct {
	from   *bufio.Reader
	chunks *chunks
	sealed []byte
	plain  []byte // opened and not read yet
	err    error
}

// NewReader makes a Reader of a stream that a Writer sealed with the same key and aad.
func NewReader(from io.Reader, key []byte, aad string) (*Reader, error) {
	c, err := newChunks(key, aad)
	if err != nil {
		return nil, err
	}
	return &Reader{from: bufio.NewReaderSize(from, ChunkSize), chunks: c, sealed: make([]byte, ChunkSize+tagSize)}, nil
}

// Read returns what was sealed, or ErrDamaged.
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.plain) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.err = r.next()
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// next opens a chunk. It returns io.EOF for the last one.
func (r *Reader) next() error {
	n, err := io.ReadFull(r.from, r.sealed)
	last := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !last {
		return err
	}
	if !last {
		_, err = r.from.Peek(1)
		last = errors.Is(err, io.EOF)
		if err != nil && !last {
			return err
		}
	}
	r.plain, err = r.chunks.aead.Open(r.sealed[:0], r.chunks.nonce(last), r.sealed[:n], r.chunks.aad)
	switch {
	case err != nil:
		return ErrDamaged
	case last:
		return io.EOF
	}
	return nil
}
