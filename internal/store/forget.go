package store

import (
	"errors"
	"fmt"
	"slices"
)

// ErrReadable reports that a row can be read. The caller should delete it through the API, as the thing that it is.
var ErrReadable = errors.New("the record can be read")

// Forget deletes a row of one of tables that cannot be read, and returns what was wrong with it. First it passes the
// record to keep; when keep fails, nothing is deleted. The function also, if not nil, runs in the same transaction
// after the deletion. Forget returns ErrReadable for a row that can be read, and ErrNotFound when there is no such
// table or row.
func (s *Store) Forget(tables []Checker, table, key string, keep func(record []byte) error,
	also func(*Tx) error) (damage *RowError, err error) {
	i := slices.IndexFunc(tables, func(t Checker) bool { return t.Name() == table })
	if i < 0 {
		return nil, fmt.Errorf("the table %q: %w", table, ErrNotFound)
	}
	err = s.Update(func(tx *Tx) error {
		why := s.read(tx, tables[i], key)
		if why == nil {
			return ErrReadable
		}
		found, is := errors.AsType[*RowError](why)
		if !is {
			return why
		}
		damage = found
		record, err := tables[i].record(tx, key)
		if err != nil {
			return err
		}
		if err := errors.Join(keep(record), tables[i].Delete(tx, key)); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
	return damage, err
}

// read reads a row as its table does. If a reader with more requirements (GetValid, Fit) found the row unreadable, read
// repeats that check too.
func (s *Store) read(tx *Tx, table Checker, key string) error {
	if err := table.read(tx, key); err != nil {
		return err
	}
	s.mu.Lock()
	known, is := s.damaged.rows[change{table.Name(), key}]
	s.mu.Unlock()
	if !is {
		return nil
	}
	return known.again(tx)
}

// Name returns the table's name.
func (t Table[T]) Name() string { return string(t) }

func (t Table[T]) read(tx *Tx, key string) error {
	_, err := t.Get(tx, key)
	return err
}

// record returns a copy of the raw record of a row.
func (t Table[T]) record(tx *Tx, key string) (record []byte, err error) {
	err = guard(tx.path, func() error {
		record = slices.Clone(tx.tx.Bucket([]byte(t)).Get([]byte(key)))
		return nil
	})
	return record, err
}
