// Package snapshot keeps snapshots: sealed files, each under a data key of its own that is kept elsewhere, itself
// sealed.
package snapshot

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"larder/internal/durable"
	"larder/internal/seal"
)

// Keys are the KMS keys that a data key can be sealed with. The context is bound to what is sealed: it has to be the
// same again.
type Keys interface {
	Wrap(key string, plaintext []byte, context map[string]string) ([]byte, error)
	Unwrap(blob []byte, context map[string]string) ([]byte, error)
}

// Vault is a directory of snapshots. Its methods may be called from several goroutines, those on one name from one at a
// time.
type Vault struct {
	Dir    string
	Sealer *seal.Sealer // for data keys of snapshots without a KMS key
	Keys   Keys
}

// Sealed is what it takes to open a snapshot's file again.
type Sealed struct {
	DataKey []byte // sealed with the KMS key, or with the installation's master key
	KMSKey  string // empty for the master key
	Size    int64  // of the plain text, in bytes
}

// partial ends the name of a file that is being written. No snapshot's name has a dot.
const partial = ".partial"

func place(name string) string { return "snapshot/" + name }

// Write makes a snapshot of what fill writes. The file gets its name when it is whole and on the disk; a failure leaves
// none.
func (v *Vault) Write(name, kmsKey string, fill func(io.Writer) (int64, error)) (s Sealed, err error) {
	key := make([]byte, seal.KeySize)
	rand.Read(key)
	if s, err = v.wrap(name, kmsKey, key); err != nil {
		return s, err
	}
	// No directory above it is made: an installation that was deleted would come back in part.
	if err := os.Mkdir(v.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return s, fmt.Errorf("cannot write the snapshot %s: %w", name, err)
	}
	path := filepath.Join(v.Dir, name)
	file, err := durable.Open(path+partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY)
	if err != nil {
		return s, fmt.Errorf("cannot write the snapshot %s: %w", name, err)
	}
	s.Size, err = sealInto(file, key, place(name), fill)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(path+partial, path)
	}
	if err == nil {
		err = durable.SyncDir(v.Dir)
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		err = fmt.Errorf("cannot write the snapshot %s: the disk that holds %s is full: free some space", name, v.Dir)
	case err != nil:
		err = fmt.Errorf("cannot write the snapshot %s: %w", name, err)
	default:
		return s, nil
	}
	return s, errors.Join(err, v.Remove(name))
}

func sealInto(file io.Writer, key []byte, place string, fill func(io.Writer) (int64, error)) (int64, error) {
	w, err := seal.NewWriter(file, key, place)
	if err != nil {
		return 0, err
	}
	size, err := fill(w)
	if err != nil {
		return 0, err
	}
	return size, w.Close()
}

func (v *Vault) wrap(name, kmsKey string, key []byte) (Sealed, error) {
	s := Sealed{KMSKey: kmsKey}
	if kmsKey == "" {
		s.DataKey = v.Sealer.Seal(place(name), key)
		return s, nil
	}
	var err error
	if s.DataKey, err = v.Keys.Wrap(kmsKey, key, context(name)); err != nil {
		return s, fmt.Errorf("cannot seal the snapshot %s with the KMS key %s: %w", name, kmsKey, err)
	}
	return s, nil
}

func (v *Vault) unwrap(name string, s Sealed) ([]byte, error) {
	if s.KMSKey == "" {
		return v.Sealer.Open(place(name), s.DataKey)
	}
	key, err := v.Keys.Unwrap(s.DataKey, context(name))
	if err != nil {
		return nil, fmt.Errorf("cannot open the snapshot %s with the KMS key %s: %w", name, s.KMSKey, err)
	}
	return key, nil
}

func context(name string) map[string]string { return map[string]string{"larder:snapshot": name} }

// Open returns what was written, verified piece by piece as it is read: io.EOF comes after all of it, and only then.
func (v *Vault) Open(name string, s Sealed) (io.ReadCloser, error) {
	key, err := v.unwrap(name, s)
	if err != nil {
		return nil, err
	}
	file, err := durable.Open(filepath.Join(v.Dir, name), os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("cannot read the snapshot %s: %w", name, err)
	}
	plain, err := seal.NewReader(bufio.NewReader(file), key, place(name))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return reader{name, plain, file}, nil
}

type reader struct {
	name  string
	plain io.Reader
	io.Closer
}

// Read names the snapshot in an error.
func (r reader) Read(p []byte) (int, error) {
	n, err := r.plain.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("cannot read the snapshot %s: %w", r.name, err)
	}
	return n, err
}

// Remove deletes a snapshot's file, and what there is of one half written. One that is not there is no error.
func (v *Vault) Remove(name string) error {
	for _, path := range []string{name + partial, name} {
		if err := os.Remove(filepath.Join(v.Dir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot delete the snapshot %s: %w", name, err)
		}
	}
	return nil
}

// Unlock says why a snapshot's KMS key cannot be used now. The snapshot itself may be intact.
func (v *Vault) Unlock(name string, s Sealed) error {
	_, err := v.unwrap(name, s)
	return err
}

// maxChecked is how much of a snapshot Check reads, in bytes: what takes less than a second.
const maxChecked = 256 << 20

// Check says why a snapshot's file cannot be restored: it is gone, or is not what was written. Of a snapshot that is
// larger than 256 MiB it reads the beginning, and the file's size. Whether a KMS key can be used now is not its
// business: that may change until the data are wanted. A key that was deleted never comes back.
func (v *Vault) Check(name string, s Sealed) error {
	return v.check(name, s, func(r io.Reader) error {
		_, err := io.CopyN(io.Discard, r, maxChecked)
		return err
	})
}

// Verify is Check of all of a snapshot. Pace is told how many bytes are read next, and may wait; its error ends it.
func (v *Vault) Verify(name string, s Sealed, pace func(bytes int) error) error {
	const piece = 64 << 10
	return v.check(name, s, func(r io.Reader) error {
		for {
			if err := pace(piece); err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, r, piece); err != nil {
				return err
			}
		}
	})
}

// check reads a snapshot as far as read does, which returns io.EOF at its end.
func (v *Vault) check(name string, s Sealed, read func(io.Reader) error) error {
	if s.KMSKey != "" {
		if err := v.Unlock(name, s); errors.Is(err, seal.ErrNoKey) {
			return err
		} else if err != nil {
			return nil
		}
	}
	r, err := v.Open(name, s)
	if err != nil {
		return err
	}
	defer r.Close() // it was only read
	info, err := r.(reader).Closer.(*os.File).Stat()
	if err != nil {
		return fmt.Errorf("cannot read the snapshot %s: %w", name, err)
	}
	if want := seal.StreamSize(s.Size); s.Size > 0 && info.Size() != want {
		return fmt.Errorf("cannot read the snapshot %s: its file has %d bytes, not %d: %w", name, info.Size(), want,
			seal.ErrDamaged)
	}
	err = read(r)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Sweep deletes every file that is half written, or that keep does not know: what an engine left that was killed.
// Nothing may be being written. What cannot be deleted, or is no file, is in the error, and stops none of the others.
func (v *Vault) Sweep(keep func(name string) bool) (swept []string, err error) {
	entries, err := os.ReadDir(v.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look for snapshots: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), partial) && keep(e.Name()) {
			continue
		}
		path := filepath.Join(v.Dir, e.Name())
		if e.IsDir() {
			errs = append(errs, fmt.Errorf("a directory among the snapshots is none of larder's: %s", path))
			continue
		}
		if err := os.Remove(path); err != nil {
			errs = append(errs, fmt.Errorf("cannot delete what is left of a snapshot: %w", err))
			continue
		}
		swept = append(swept, e.Name())
	}
	return swept, errors.Join(errs...)
}
