// Package seal keeps secrets unreadable at rest: each is sealed with a key of this installation, and bound to the place
// it is kept in, so that one sealed secret cannot be swapped for another.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"larder/internal/durable"
)

// KeySize is the length of the master key in bytes: AES-256.
const KeySize = 32

// Sealer seals and opens secrets. Its methods may be called from several goroutines.
type Sealer struct {
	aead   cipher.AEAD
	key    []byte
	within string // begins every place
}

// Key is the master key.
func (s *Sealer) Key() []byte { return bytes.Clone(s.key) }

// Within is a Sealer of the same key for places of its own: what it seals cannot be swapped for what is kept in a place
// of the same name elsewhere.
func (s *Sealer) Within(prefix string) *Sealer {
	inner := *s
	inner.within += prefix + "/"
	return &inner
}

// New makes a Sealer from a key of KeySize bytes.
func New(key []byte) (*Sealer, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the master key has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead, key: bytes.Clone(key)}, nil
}

// Open makes a Sealer from the key file at path, which it creates, readable by its owner only, when it is not there.
func Open(path string) (*Sealer, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		key := make([]byte, KeySize)
		rand.Read(key)
		if err := errors.Join(durable.WriteFile(path, key), durable.SyncDir(filepath.Dir(path))); err != nil {
			return nil, fmt.Errorf("cannot make the master key: %w", err)
		}
	}
	return Load(path)
}

// Load makes a Sealer from the key file at path, which has to be there: without it what was sealed is lost.
func Load(path string) (*Sealer, error) {
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot use the master key: %w\nnext: put this installation's master.key back; "+
			"without it its secrets are lost", err)
	}
	s, err := New(key)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w\nnext: put this installation's master.key back; without it its "+
			"secrets are lost", path, err)
	}
	return s, nil
}

// Seal seals a secret for a place, such as "replication-group/NAME/auth-token". The same place opens it again.
func (s *Sealer) Seal(place string, secret []byte) []byte {
	return s.aead.Seal(nil, nil, secret, []byte(s.within+place))
}

// Open returns the secret sealed for that place.
func (s *Sealer) Open(place string, sealed []byte) ([]byte, error) {
	secret, err := s.aead.Open(nil, nil, sealed, []byte(s.within+place))
	if err != nil {
		return nil, fmt.Errorf("cannot open the secret %s: it was sealed with another master key, or changed", place)
	}
	return secret, nil
}
