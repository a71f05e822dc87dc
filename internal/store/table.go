package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
)

// ErrNotFound says that a table has no row of that key.
var ErrNotFound = errors.New("not found")

// Table is a table of rows of one type, by name. Rows are stored as JSON and ordered by key.
type Table[T any] string

// Get returns the row of that key, or ErrNotFound.
func (t Table[T]) Get(tx *Tx, key string) (T, error) {
	var row T
	b := tx.tx.Bucket([]byte(t))
	if b == nil {
		return row, ErrNotFound
	}
	raw := b.Get([]byte(key))
	if raw == nil {
		return row, ErrNotFound
	}
	err := t.decode(key, raw, &row)
	return row, err
}

func (t Table[T]) decode(key string, raw []byte, row *T) error {
	if err := json.Unmarshal(raw, row); err != nil {
		return fmt.Errorf("cannot read %s %q from the state: %w", string(t), key, err)
	}
	return nil
}

// Put writes a row, new or changed.
func (t Table[T]) Put(tx *Tx, key string, row T) error {
	b, err := tx.tx.CreateBucketIfNotExists([]byte(t))
	if err != nil {
		return err
	}
	raw, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("cannot encode %s %q: %w", string(t), key, err)
	}
	tx.changed = append(tx.changed, change{string(t), key})
	return b.Put([]byte(key), raw)
}

// Delete removes a row; one that is not there is no error, and no change.
func (t Table[T]) Delete(tx *Tx, key string) error {
	b := tx.tx.Bucket([]byte(t))
	if b == nil || b.Get([]byte(key)) == nil {
		return nil
	}
	tx.changed = append(tx.changed, change{string(t), key})
	return b.Delete([]byte(key))
}

// From yields the rows with keys of at least from, in order. A row that cannot be read ends it with an error.
func (t Table[T]) From(tx *Tx, from string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		b := tx.tx.Bucket([]byte(t))
		if b == nil {
			return
		}
		c := b.Cursor()
		for key, raw := c.Seek([]byte(from)); key != nil; key, raw = c.Next() {
			var row T
			err := t.decode(string(key), raw, &row)
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// All returns every row, in the order of the keys.
func (t Table[T]) All(tx *Tx) ([]T, error) {
	var rows []T
	for row, err := range t.From(tx, "") {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}
