package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// A ciphertext begins with a version, the id of its key as text, and the id of the key's material. Then come the nonce
// and what AES-GCM made of the plaintext; the beginning and the encryption context are authenticated with it.
const (
	blobVersion = 1
	idSize      = 36
	headerSize  = 1 + idSize + materialID
	nonceSize   = 12
)

func header(key, material string) ([]byte, error) {
	id, err := hex.DecodeString(material)
	if err != nil || len(key) != idSize || len(id) != materialID {
		return nil, fmt.Errorf("cannot name the material %q of the key %q in a ciphertext", material, key)
	}
	return slices.Concat([]byte{blobVersion}, []byte(key), id), nil
}

// parseHeader says which key and material a ciphertext was made with.
func parseHeader(blob []byte) (key, material string, err error) {
	if len(blob) < headerSize+nonceSize || blob[0] != blobVersion {
		return "", "", badCiphertext()
	}
	return string(blob[1 : 1+idSize]), hex.EncodeToString(blob[1+idSize : headerSize]), nil
}

// badCiphertext has no text, as on AWS: it does not say what was wrong.
func badCiphertext() error { return &types.InvalidCiphertextException{} }

// authenticated is the header and the encryption context in one form: sorted, and every text with its length.
func authenticated(header []byte, context map[string]string) []byte {
	out := slices.Clone(header)
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, text := range []string{name, context[name]} {
			out = binary.BigEndian.AppendUint32(out, uint32(len(text)))
			out = append(out, text...)
		}
	}
	return out
}

func (s *Service) aead(k key, m material) (cipher.AEAD, error) {
	secret, err := s.Sealer.Open(materialAAD(k.ID, m.ID), m.Sealed)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal encrypts with a key's current material.
func (s *Service) seal(k key, plaintext []byte, context map[string]string) ([]byte, error) {
	m := k.current()
	head, err := header(k.ID, m.ID)
	if err != nil {
		return nil, err
	}
	aead, err := s.aead(k, m)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(s.Random, nonce); err != nil {
		return nil, fmt.Errorf("cannot make a nonce: %w", err)
	}
	return aead.Seal(slices.Concat(head, nonce), nonce, plaintext, authenticated(head, context)), nil
}

// open decrypts what seal made with any of the key's materials.
func (s *Service) open(k key, blob []byte, context map[string]string) ([]byte, error) {
	_, id, err := parseHeader(blob)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(k.Materials, func(m material) bool { return m.ID == id })
	if at < 0 {
		return nil, badCiphertext()
	}
	aead, err := s.aead(k, k.Materials[at])
	if err != nil {
		return nil, err
	}
	head, nonce, sealed := blob[:headerSize], blob[headerSize:headerSize+nonceSize], blob[headerSize+nonceSize:]
	plaintext, err := aead.Open([]byte{}, nonce, sealed, authenticated(head, context))
	if err != nil {
		return nil, badCiphertext()
	}
	return plaintext, nil
}
