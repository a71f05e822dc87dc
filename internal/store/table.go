package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"

	"go.etcd.io/bbolt"
)

// ErrNotFound says that a table has no row of that key.
var ErrNotFound = errors.New("not found")

// Table is a table of rows of one type, by name. Rows are stored as JSON and ordered by key.
type Table[T any] string

// Get returns the row of that key, ErrNotFound, or a RowError for one that is there and cannot be read.
func (t Table[T]) Get(tx *Tx, key string) (row T, err error) {
	err = guard(tx.path, func() error {
		b := tx.tx.Bucket([]byte(t))
		if b == nil {
			return ErrNotFound
		}
		record := b.Get([]byte(key))
		if record == nil {
			return ErrNotFound
		}
		row, err = t.decode(tx, key, record)
		return err
	})
	return row, err
}

// decode reads a record. A row that cannot be read is zero, and its error a RowError, of which the store is told.
func (t Table[T]) decode(tx *Tx, key string, record []byte) (T, error) {
	row, err := parse[T](string(t), key, record)
	if err == nil {
		return row, nil
	}
	var none T
	return none, t.unreadable(tx, key, err, func(tx *Tx) error { _, err := t.Get(tx, key); return err })
}

func (t Table[T]) unreadable(tx *Tx, key string, why error, again func(*Tx) error) error {
	damaged := &RowError{Table: string(t), Key: key, Err: why}
	tx.store.found(damaged, again)
	return damaged
}

// GetValid is a Get for who needs more of a row than others do: one that valid says is not whole cannot be read either.
func (t Table[T]) GetValid(tx *Tx, key string, valid func(T) error) (T, error) {
	row, err := t.Get(tx, key)
	if err != nil {
		return row, err
	}
	if why := valid(row); why != nil {
		var none T
		return none, t.unreadable(tx, key, why, func(tx *Tx) error { _, err := t.GetValid(tx, key, valid); return err })
	}
	return row, nil
}

// Fit returns a RowError for a row that does not pass a check of more than its own record, and has the store tell of it
// as of one that cannot be read, for as long as it does not pass.
func (t Table[T]) Fit(tx *Tx, key string, check func(*Tx) error) error {
	why := check(tx)
	if why == nil {
		return nil
	}
	return t.unreadable(tx, key, why, func(tx *Tx) error { return t.Fit(tx, key, check) })
}

func parse[T any](table, key string, record []byte) (row T, err error) {
	raw, err := open(table, key, record)
	if err != nil {
		return row, err
	}
	if err := json.Unmarshal(raw, &row); err != nil {
		return row, err
	}
	if string(raw) == "null" { // which decodes into anything, and changes nothing
		return row, errNull
	}
	return row, checkRow(key, row)
}

var errNull = errors.New("it is null")

// Put writes a row, new or changed, also in the place of one that cannot be read. A row that is there already, byte for
// byte, is no change: nothing is written, and no subscriber is told.
func (t Table[T]) Put(tx *Tx, key string, row T) error {
	raw, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("cannot encode %s %q: %w", string(t), key, err)
	}
	return guard(tx.path, func() error {
		b, err := tx.tx.CreateBucketIfNotExists([]byte(t))
		if err != nil {
			return err
		}
		before, record := b.Get([]byte(key)), protect(string(t), key, raw)
		if bytes.Equal(before, record) {
			return nil
		}
		if err := tx.replace(string(t), key, before, record); err != nil {
			return err
		}
		return b.Put([]byte(key), record)
	})
}

// Holds tells whether a row is there, byte for byte as it is given.
func (t Table[T]) Holds(tx *Tx, key string, row T) (is bool, err error) {
	raw, err := json.Marshal(row)
	if err != nil {
		return false, fmt.Errorf("cannot encode %s %q: %w", string(t), key, err)
	}
	err = guard(tx.path, func() error {
		b := tx.tx.Bucket([]byte(t))
		is = b != nil && bytes.Equal(b.Get([]byte(key)), protect(string(t), key, raw))
		return nil
	})
	return is, err
}

// Delete removes a row, also one that cannot be read; one that is not there is no error, and no change.
func (t Table[T]) Delete(tx *Tx, key string) error {
	return guard(tx.path, func() error {
		b := tx.tx.Bucket([]byte(t))
		if b == nil || b.Get([]byte(key)) == nil {
			return nil
		}
		if err := tx.replace(string(t), key, b.Get([]byte(key)), nil); err != nil {
			return err
		}
		return b.Delete([]byte(key))
	})
}

// From yields the rows with keys of at least from, in order. In the place of a row that cannot be read it yields its
// RowError, and goes on behind it; another error ends it.
func (t Table[T]) From(tx *Tx, from string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var c *bbolt.Cursor
		for {
			var row T
			found := false
			err := guard(tx.path, func() (err error) {
				var key, record []byte
				switch {
				case c != nil:
					key, record = c.Next()
				case tx.tx.Bucket([]byte(t)) == nil:
					return nil
				default:
					c = tx.tx.Bucket([]byte(t)).Cursor()
					key, record = c.Seek([]byte(from))
				}
				if found = key != nil; !found {
					return nil
				}
				row, err = t.decode(tx, string(key), record)
				return err
			})
			if !found && err == nil || !yield(row, err) || err != nil && !IsUnreadable(err) {
				return
			}
		}
	}
}

// Readable yields as From does, but passes over the rows that cannot be read, of which the store tells: see
// OnUnreadable. It is for who lists rows, or does something for each. Who decides something that a row forbids, such as
// to give an address away, needs From or All.
func (t Table[T]) Readable(tx *Tx, from string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range t.From(tx, from) {
			if !IsUnreadable(err) && !yield(row, err) {
				return
			}
		}
	}
}

// List returns the rows that can be read, in the order of the keys. See Readable.
func (t Table[T]) List(tx *Tx) ([]T, error) { return collect(t.Readable(tx, "")) }

// All returns every row, in the order of the keys, or an error when one of them cannot be read.
func (t Table[T]) All(tx *Tx) ([]T, error) { return collect(t.From(tx, "")) }

func collect[T any](rows iter.Seq2[T, error]) (all []T, err error) {
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

// Keys returns the keys of all rows in order, also of those that cannot be read.
func (t Table[T]) Keys(tx *Tx) ([]string, error) {
	return t.keys(tx, "", func(string) bool { return true })
}

// KeysBefore does the same for the keys that come before an end.
func (t Table[T]) KeysBefore(tx *Tx, end string) ([]string, error) {
	return t.keys(tx, "", func(key string) bool { return key < end })
}

// KeysOf does the same for the keys that begin with a prefix.
func (t Table[T]) KeysOf(tx *Tx, prefix string) ([]string, error) {
	return t.keys(tx, prefix, func(key string) bool { return strings.HasPrefix(key, prefix) })
}

func (t Table[T]) keys(tx *Tx, from string, belongs func(string) bool) (keys []string, err error) {
	err = guard(tx.path, func() error {
		b := tx.tx.Bucket([]byte(t))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for key, _ := c.Seek([]byte(from)); key != nil && belongs(string(key)); key, _ = c.Next() {
			keys = append(keys, string(key))
		}
		return nil
	})
	return keys, err
}

// Has tells whether there is a row of that key, which may be one that cannot be read.
func (t Table[T]) Has(tx *Tx, key string) (has bool, err error) {
	err = guard(tx.path, func() error {
		b := tx.tx.Bucket([]byte(t))
		has = b != nil && b.Get([]byte(key)) != nil
		return nil
	})
	return has, err
}
