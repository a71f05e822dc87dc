package secretsmanager

import (
	"errors"
	"maps"
	"slices"

	"larder/internal/store"
)

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{secrets} }

// RowKey is the secret's key in its table.
func (s secret) RowKey() string { return s.Name }

// CheckRow says when a secret cannot be referred to, or has a version that is none.
func (s secret) CheckRow() error {
	if s.ARN == "" || slices.Contains(slices.Collect(maps.Values(s.Versions)), nil) {
		return errors.New("it lacks an ARN, or a version is empty")
	}
	return nil
}
