package logstore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"larder/internal/seal"
)

// Keys wraps the data keys of files. Its methods may be called from several goroutines.
type Keys interface {
	// Wrap wraps a data key with the KMS key of that ARN. An empty arn means the installation's own key.
	Wrap(arn, group string, dataKey []byte) ([]byte, error)
	// Unwrap returns what Wrap wrapped for the group. It returns seal.ErrNoKey when the KMS key does not exist.
	Unwrap(group string, wrapped []byte) ([]byte, error)
}

// KeyError reports that a group's events cannot be read or written because the KMS key of that ARN cannot be used.
type KeyError struct {
	ARN string // empty means the installation's own key
	Err error
}

func (e *KeyError) Error() string { return fmt.Sprintf("cannot use the log group's key: %v", e.Err) }

// Unwrap returns the reason.
func (e *KeyError) Unwrap() error { return e.Err }

// lostWith reports whether err says that a key was deleted, and that key is not arn, the group's current key. What a
// former key sealed can never be read again, and does not keep the rest from being read or appended to. A group whose
// current key was deleted is closed.
func lostWith(err error, arn string) bool {
	locked := (*KeyError)(nil)
	return errors.As(err, &locked) && errors.Is(err, seal.ErrNoKey) && locked.ARN != arn
}

const (
	// magic begins files in the current format, formerMagic those of an earlier larder. In the former format the header is
	// stored once, without a checksum of its length, and the blocks of a segment can be found only through its index.
	magic       = "larderL3"
	formerMagic = "larderL2"

	fixedHeader = len(magic) + 8 // with the length and the checksum of what follows
	dataKeySize = 32
	maxHeader   = 16 << 10
	copyPage    = 4096
	sealedMore  = 12 + 16 // nonce and tag
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged reports that a file does not hold what was written.
var errDamaged = errors.New("the file is damaged")

// header begins every file.
type header struct {
	first   uint64 // number of the file's first event
	arn     string // of the KMS key; empty means the installation's own
	wrapped []byte // data key
}

func (h header) encode() []byte {
	body := binary.AppendUvarint(nil, h.first)
	for _, text := range []string{h.arn, string(h.wrapped)} {
		body = append(binary.AppendUvarint(body, uint64(len(text))), text...)
	}
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, headerSum(b, body))
	return append(b, body...)
}

// encodeTwice encodes the beginning of a journal: the header twice, because without its data key the whole journal is
// unreadable. The second copy is in another page, after zeros.
func (h header) encodeTwice() []byte {
	once := h.encode()
	return append(append(once, make([]byte, copyOffset(len(once))-len(once))...), once...)
}

// copyOffset returns where the second copy of a header of that many bytes begins.
func copyOffset(size int) int { return (size + copyPage - 1) / copyPage * copyPage }

// headerSum returns the checksum of a header that begins with fixed.
func headerSum(fixed, body []byte) uint32 {
	sum := uint32(0)
	if string(fixed[:len(magic)]) == magic {
		sum = crc32.Checksum(fixed[:len(magic)+4], castagnoli)
	}
	return crc32.Update(sum, castagnoli, body)
}

// readHeader reads the beginning of a segment.
func readHeader(r io.ReaderAt) (h header, end int64, err error) {
	begin, err := readUpTo(r, fixedHeader+maxHeader)
	if err != nil {
		return header{}, 0, err
	}
	return decodeHeader(begin)
}

// readHeaders reads the beginning of a journal, and returns where it ends. One intact copy of the header is enough. It
// returns io.EOF if the beginning was not written completely.
func readHeaders(r io.ReaderAt) (h header, end int64, err error) {
	begin, err := readUpTo(r, 2*copyOffset(fixedHeader+maxHeader))
	if err != nil {
		return header{}, 0, err
	}
	if h, end, err = decodeHeader(begin); err == nil {
		if string(begin[:len(magic)]) == formerMagic {
			return h, end, nil
		}
		if end += int64(copyOffset(int(end))); end > int64(len(begin)) {
			return header{}, 0, io.EOF
		}
		return h, end, nil
	}
	for at := copyPage; at < len(begin); at += copyPage {
		if h, end, err := decodeHeader(begin[at:]); err == nil {
			return h, int64(at) + end, nil
		}
	}
	return header{}, 0, err
}

// readUpTo reads the first n bytes, or fewer if the file is shorter.
func readUpTo(r io.ReaderAt, n int) ([]byte, error) {
	b := make([]byte, n)
	n, err := r.ReadAt(b, 0)
	if err == io.EOF {
		err = nil
	}
	return b[:n], err
}

// decodeHeader reads the header at the beginning of b. It returns io.EOF if b ends within the header.
func decodeHeader(b []byte) (h header, end int64, err error) {
	if len(b) < fixedHeader {
		return header{}, 0, io.EOF
	}
	fixed, former := b[:fixedHeader], string(b[:len(magic)]) == formerMagic
	n := binary.BigEndian.Uint32(fixed[len(magic):])
	if !former && string(fixed[:len(magic)]) != magic || n > maxHeader {
		return header{}, 0, fmt.Errorf("%w: it does not begin like a file of log events", errDamaged)
	}
	body := b[fixedHeader:]
	switch {
	case uint32(len(body)) < n && former: // or its length, which has no checksum, is damaged
		return header{}, 0, fmt.Errorf("%w: it ends in its header", errDamaged)
	case uint32(len(body)) < n:
		return header{}, 0, io.EOF
	}
	body = body[:n]
	if headerSum(fixed, body) != binary.BigEndian.Uint32(fixed[len(magic)+4:]) {
		return header{}, 0, fmt.Errorf("%w: the checksum of its header is wrong", errDamaged)
	}
	in := reader{b: body}
	h = header{in.uvarint(), string(in.bytes()), in.bytes()}
	return h, int64(fixedHeader) + int64(n), in.err
}

func newDataKey() []byte {
	key := make([]byte, dataKeySize)
	rand.Read(key)
	return key
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// unwrap opens the data key of a file with that header.
func unwrap(keys Keys, group string, h header) (cipher.AEAD, error) {
	key, err := keys.Unwrap(group, h.wrapped)
	if err != nil {
		return nil, &KeyError{h.arn, err}
	}
	return newAEAD(key)
}

// partAAD returns what a part of a file is sealed with as additional authenticated data: the file's number, the kind of
// file, and the part's number.
func partAAD(file uint64, kind byte, n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, file)
	return binary.BigEndian.AppendUint64(append(b, kind), n)
}

const (
	journalSuffix = ".log"
	segmentSuffix = ".seg"
	damagedSuffix = ".damaged" // of files that were set aside
)

func fileName(dir string, n uint64, suffix string) string {
	return filepath.Join(dir, fmt.Sprintf("%08d%s", n, suffix))
}

// hasHeader reports whether the beginning of a journal was written completely. Only then can events have been appended.
func hasHeader(path string) (begun bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	_, _, err = readHeaders(f)
	if errors.Is(err, io.EOF) {
		return false, f.Close()
	}
	return err == nil, errors.Join(err, f.Close())
}
