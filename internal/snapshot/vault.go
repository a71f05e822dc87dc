// Package snapshot keeps snapshots as sealed files. Each file has a data key of its own, which the caller keeps
// elsewhere, sealed.
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

// Keys seals data keys with KMS keys. Unwrap needs the context that Wrap was given.
type Keys interface {
	Wrap(key string, plaintext []byte, context map[string]string) ([]byte, error)
	Unwrap(blob []byte, context map[string]string) ([]byte, error)
}

// Vault is a directory of snapshots. Its methods may be called from several goroutines, but for one name from only one
// at a time.
type Vault struct {
	Dir    string
	Sealer *seal.Sealer // for data keys of snapshots without a KMS key
	Keys   Keys
}

// Sealed is what Open needs to open a snapshot's file.
type Sealed struct {
	DataKey []byte // sealed with the KMS key, or with the installation's master key
	KMSKey  string // empty means the master key
	Size    int64  // of the plain text, in bytes
}

// partial ends the name of a file that is being written. The names of snapshots contain no dot.
const partial = ".partial"

func aad(name string) string { return "snapshot/" + name }

// Write makes a snapshot of what fill writes; fill returns the plain size in bytes. The file gets its name only when it
// is complete and on the disk. A failure leaves no file.
func (v *Vault) Write(name, kmsKey string, fill func(io.Writer) (int64, error)) (s Sealed, err error) {
	key := make([]byte, seal.KeySize)
	rand.Read(key)
	if s, err = v.wrap(name, kmsKey, key); err != nil {
		return s, err
	}
	// Parent directories are not created: that would bring back part of an installation that was deleted.
	if err := os.Mkdir(v.Dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return s, fmt.Errorf("cannot write the snapshot %s: %w", name, err)
	}
	path := filepath.Join(v.Dir, name)
	file, err := durable.Open(path+partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY)
	if err != nil {
		return s, fmt.Errorf("cannot write the snapshot %s: %w", name, err)
	}
	s.Size, err = sealInto(file, key, aad(name), fill)
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

func sealInto(file io.Writer, key []byte, aad string, fill func(io.Writer) (int64, error)) (int64, error) {
	w, err := seal.NewWriter(file, key, aad)
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
		s.DataKey = v.Sealer.Seal(aad(name), key)
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
		return v.Sealer.Open(aad(name), s.DataKey)
	}
	key, err := v.Keys.Unwrap(s.DataKey, context(name))
	if err != nil {
		return nil, fmt.Errorf("cannot open the snapshot %s with the KMS key %s: %w", name, s.KMSKey, err)
	}
	return key, nil
}

func context(name string) map[string]string { return map[string]string{"larder:snapshot": name} }

// Open returns what was written. Each piece is verified as it is read, and io.EOF comes only after all of it.
func (v *Vault) Open(name string, s Sealed) (io.ReadCloser, error) {
	key, err := v.unwrap(name, s)
	if err != nil {
		return nil, err
	}
	file, err := durable.Open(filepath.Join(v.Dir, name), os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("cannot read the snapshot %s: %w", name, err)
	}
	plain, err := seal.NewReader(bufio.NewReader(file), key, aad(name))
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

// Remove deletes a snapshot's file, also one that is only partly written. A missing file is no error.
func (v *Vault) Remove(name string) error {
	for _, path := range []string{name + partial, name} {
		if err := os.Remove(filepath.Join(v.Dir, path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot delete the snapshot %s: %w", name, err)
		}
	}
	return nil
}

// Unlock returns an error if the snapshot's KMS key cannot be used now. The snapshot itself may be intact.
func (v *Vault) Unlock(name string, s Sealed) error {
	_, err := v.unwrap(name, s)
	return err
}

// maxChecked is how much of a snapshot Check reads, in bytes. It takes less than a second.
const maxChecked = 256 << 20

// Check returns an error if a snapshot's file cannot be restored because it is missing or damaged. Of a snapshot larger
// than 256 MiB it reads only the beginning and the file's size. A KMS key that cannot be used at the moment is no
// error, because it may be usable when the data are needed. A deleted KMS key is an error.
func (v *Vault) Check(name string, s Sealed) error {
	return v.check(name, s, func(r io.Reader) error {
		_, err := io.CopyN(io.Discard, r, maxChecked)
		return err
	})
}

// Verify checks all of a snapshot. It calls pace with the number of bytes that it reads next; pace may wait, and its
// error ends Verify.
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

// check opens a snapshot and calls read, which returns io.EOF at its end.
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
	defer r.Close() // opened for reading only
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

// Sweep deletes each file that is partly written, or whose name keep rejects: what an engine left when it was killed.
// The caller must make sure that nothing is being written. err lists what could not be deleted and what is no file;
// neither stops the deletion of the others.
func (v *Vault) Sweep(keep func(name string) bool) (removed []string, err error) {
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
		removed = append(removed, e.Name())
	}
	return removed, errors.Join(errs...)
}
