package store

import (
	"errors"
	"fmt"
	"slices"
)

// ErrReadable says that a row is there and can be read, so that it is deleted as what it is, and not as a record.
var ErrReadable = errors.New("the record can be read")

// Forget deletes a row of one of tables that cannot be read, and returns what was wrong with it. It hands the record to
// keep before, and deletes nothing when keep fails. It returns ErrReadable for a row that can be read, and ErrNotFound
// where there is no such table or row.
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

// read reads a row as its table does, and as whoever found it unreadable did, who may need more of it.
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

// Name is the table's.
func (t Table[T]) Name() string { return string(t) }

func (t Table[T]) read(tx *Tx, key string) error {
	_, err := t.Get(tx, key)
	return err
}

// record returns a copy of what stands in the place of a row.
func (t Table[T]) record(tx *Tx, key string) (record []byte, err error) {
	err = guard(tx.path, func() error {
		record = slices.Clone(tx.tx.Bucket([]byte(t)).Get([]byte(key)))
		return nil
	})
	return record, err
}
