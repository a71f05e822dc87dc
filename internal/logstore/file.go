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
)

// Keys wraps the data keys of files. Its methods may be called from several goroutines.
type Keys interface {
	// Wrap wraps a data key with the KMS key of that ARN; an empty one is the installation's own key.
	Wrap(arn, group string, dataKey []byte) ([]byte, error)
	// Unwrap returns what Wrap wrapped for the group.
	Unwrap(group string, wrapped []byte) ([]byte, error)
}

// KeyError says that a group's events cannot be read or written because its key cannot be used.
type KeyError struct{ Err error }

func (e *KeyError) Error() string { return fmt.Sprintf("cannot use the log group's key: %v", e.Err) }

// Unwrap returns the reason.
func (e *KeyError) Unwrap() error { return e.Err }

const (
	magic       = "larderL2"
	dataKeySize = 32
	maxHeader   = 16 << 10
	sealedMore  = 12 + 16 // nonce and tag
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged says that a file is not what was written.
var errDamaged = errors.New("the file is damaged")

// header begins every file.
type header struct {
	first   uint64 // number of the file's first event
	arn     string // of the KMS key, empty for the installation's own
	wrapped []byte // data key
}

func (h header) encode() []byte {
	body := binary.AppendUvarint(nil, h.first)
	for _, text := range []string{h.arn, string(h.wrapped)} {
		body = append(binary.AppendUvarint(body, uint64(len(text))), text...)
	}
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(body, castagnoli))
	return append(b, body...)
}

// readHeader reads the beginning of a file, and says where it ends.
func readHeader(r io.ReaderAt) (h header, end int64, err error) {
	fixed := make([]byte, len(magic)+8)
	if _, err := r.ReadAt(fixed, 0); err != nil {
		return header{}, 0, err
	}
	n := binary.BigEndian.Uint32(fixed[len(magic):])
	if string(fixed[:len(magic)]) != magic || n > maxHeader {
		return header{}, 0, fmt.Errorf("%w: it does not begin as a file of log events", errDamaged)
	}
	body := make([]byte, n)
	if _, err := r.ReadAt(body, int64(len(fixed))); err != nil {
		return header{}, 0, err
	}
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(fixed[len(magic)+4:]) {
		return header{}, 0, fmt.Errorf("%w: the checksum of its header is another", errDamaged)
	}
	in := reader{b: body}
	h = header{in.uvarint(), string(in.bytes()), in.bytes()}
	return h, int64(len(fixed)) + int64(n), in.err
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

// unwrap opens a file's data key.
func unwrap(keys Keys, group string, wrapped []byte) (cipher.AEAD, error) {
	key, err := keys.Unwrap(group, wrapped)
	if err != nil {
		return nil, &KeyError{err}
	}
	return newAEAD(key)
}

// place is what a part of a file is sealed for: its file, its kind and its number in it.
func place(file uint64, kind byte, n uint64) []byte {
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

// hasHeader tells whether a journal was begun as a whole: only then events can have been appended to it.
func hasHeader(path string) (begun bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	_, _, err = readHeader(f)
	if errors.Is(err, io.EOF) {
		return false, f.Close()
	}
	return err == nil, errors.Join(err, f.Close())
}
