package kms

import (
	"errors"

	"larder/internal/store"
)

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{keys, aliases} }

// RowKey is the key's key in its table.
func (k key) RowKey() string { return k.ID }

// CheckRow says when a key has nothing to encrypt with.
func (k key) CheckRow() error {
	if len(k.Materials) == 0 || k.State == "" {
		return errors.New("it lacks key material or a state")
	}
	return nil
}

// RowKey is the alias's key in its table.
func (a alias) RowKey() string { return a.Name }
