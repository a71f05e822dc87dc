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

// ErrNotFound reports that a table has no row of that key.
var ErrNotFound = errors.New("not found")

// Table is the name of a table of rows of one type. Rows are stored as JSON and ordered by key.
type Table[T any] string

// Get returns the row of that key. It returns ErrNotFound if there is none, and a RowError if the row cannot be read.
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

// decode reads a record. For a row that cannot be read it returns zero and a RowError, which it also records in the
// store.
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

// GetValid is Get for a reader with additional requirements: a row for which valid returns an error counts as
// unreadable.
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

// Fit applies check to a row. check may also read other records. If check fails, Fit returns a RowError, and the store
// lists the row as unreadable until check succeeds.
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
	if string(raw) == "null" { // null decodes into any type without a change
		return row, errNull
	}
	return row, checkRow(key, row)
}

var errNull = errors.New("it is null")

// Put writes a row, new or changed. It also replaces one that cannot be read. Writing the same bytes again is no
// change: nothing is written, and no subscriber is notified.
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

// Holds reports whether the table has exactly this row, byte for byte.
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

// Delete removes a row, also one that cannot be read. Deleting a row that does not exist is no error, and no change.
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

// From yields the rows with keys of at least from, in order. For a row that cannot be read it yields the RowError, and
// continues with the next row. It stops after any other error.
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

// Readable yields as From does, but skips the rows that cannot be read, which the store reports through OnUnreadable.
// It is for listing rows, or doing something for each. A decision that a row can forbid, such as giving an address
// away, needs From or All.
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

// KeysBefore returns the keys that come before end, in order.
func (t Table[T]) KeysBefore(tx *Tx, end string) ([]string, error) {
	return t.keys(tx, "", func(key string) bool { return key < end })
}

// KeysOf returns the keys that begin with prefix, in order.
func (t Table[T]) KeysOf(tx *Tx, prefix string) ([]string, error) {
	return t.keys(tx, prefix, func(key string) bool { return strings.HasPrefix(key, prefix) })
}

// Ends returns the first and the last of the keys that begin with a prefix, also of rows that cannot be read. Both are
// empty where there is none. It takes the same time however many there are.
func (t Table[T]) Ends(tx *Tx, prefix string) (first, last string, err error) {
	err = guard(tx.path, func() error {
		b := tx.tx.Bucket([]byte(t))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		from, _ := c.Seek([]byte(prefix))
		if !bytes.HasPrefix(from, []byte(prefix)) {
			return nil
		}
		first = string(from)
		to, _ := c.Seek(append([]byte(prefix), 0xff)) // no key has that byte there: keys are UTF-8
		if to == nil {
			to, _ = c.Last()
		} else {
			to, _ = c.Prev()
		}
		last = string(to)
		return nil
	})
	return first, last, err
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

// Has reports whether there is a row of that key. The row may be unreadable.
func (t Table[T]) Has(tx *Tx, key string) (has bool, err error) {
	err = guard(tx.path, func() error {
		b := tx.tx.Bucket([]byte(t))
		has = b != nil && b.Get([]byte(key)) != nil
		return nil
	})
	return has, err
}
