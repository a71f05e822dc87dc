// Package seal keeps secrets unreadable at rest. Each secret is sealed with a key of this installation and bound to a
// name, its additional authenticated data (AAD), so that one sealed secret cannot be swapped for another.
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
	within string // begins the AAD of every secret
}

// Key returns a copy of the master key.
func (s *Sealer) Key() []byte { return bytes.Clone(s.key) }

// Within returns a Sealer with the same key that puts prefix before every AAD. What it seals cannot be swapped for a
// secret sealed with the same AAD elsewhere.
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

// Open makes a Sealer from the key file at path. If the file does not exist, Open creates it, readable only by its
// owner.
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

// Load makes a Sealer from the key file at path. A missing file is an error: without its key, sealed secrets are lost.
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

// Seal seals a secret. aad names what the secret is, such as "replication-group/NAME/auth-token"; Open needs the same
// aad.
func (s *Sealer) Seal(aad string, secret []byte) []byte {
	return s.aead.Seal(nil, nil, secret, []byte(s.within+aad))
}

// Open returns the secret that was sealed with that aad.
func (s *Sealer) Open(aad string, sealed []byte) ([]byte, error) {
	secret, err := s.aead.Open(nil, nil, sealed, []byte(s.within+aad))
	if err != nil {
		return nil, fmt.Errorf("cannot open the secret %s: it was sealed with another master key, or changed", aad)
	}
	return secret, nil
}
