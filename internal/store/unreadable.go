package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/smithy-go"
)

// Keyed is implemented by rows that contain their key. It detects JSON of another shape, which decodes without an error
// into a row without a key.
type Keyed interface{ RowKey() string }

// Checked is implemented by rows that can lack fields that their readers rely on.
type Checked interface {
	// CheckRow returns what is wrong with the row; nil for nothing.
	CheckRow() error
}

// checkRow returns an error if row is not a valid row of that key.
func checkRow(key string, row any) error {
	if keyed, ok := row.(Keyed); ok && keyed.RowKey() != key {
		return fmt.Errorf("it contains the key %q", keyed.RowKey())
	}
	if checked, ok := row.(Checked); ok {
		return checked.CheckRow()
	}
	return nil
}

// RowError reports that one row cannot be read: its record is damaged, or has another shape. The other rows can be
// read. It is an API error, so that a caller who asks for the row learns the reason.
type RowError struct {
	Table, Key string
	Err        error  // what is wrong with the row
	Next       string // what to do; empty means what the documentation says
}

// Error names the row, what is wrong with it, and what to do.
func (e *RowError) Error() string {
	next := cmp.Or(e.Next,
		"The other records are used; 'Damaged records' in docs/OPERATIONS.md says how to be rid of this one")
	return fmt.Sprintf("cannot read %s %q from the state: its record is damaged: %v. %s", e.Table, e.Key, e.Err, next)
}

// Unwrap returns what is wrong with the row.
func (e *RowError) Unwrap() error { return e.Err }

// ErrorCode returns the API's code of a failure that is not the caller's.
func (e *RowError) ErrorCode() string { return "InternalFailure" }

// ErrorMessage returns the text that the caller reads.
func (e *RowError) ErrorMessage() string { return e.Error() }

// ErrorFault says that the failure is not the caller's fault.
func (e *RowError) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }

// Advise sets what a RowError tells the reader to do. Any other error is returned unchanged.
func Advise(err error, next string) error {
	damaged, is := errors.AsType[*RowError](err)
	if !is {
		return err
	}
	advised := *damaged
	advised.Next = next
	return &advised
}

// IsUnreadable reports whether err consists only of RowErrors.
func IsUnreadable(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !IsUnreadable(err) })
	}
	_, is := errors.AsType[*RowError](err)
	return is
}

// damagedRows holds the rows that were found unreadable.
type damagedRows struct {
	rows   map[change]damagedRow
	report func(*RowError) // nil until OnUnreadable
}

type damagedRow struct {
	err   *RowError
	again func(*Tx) error // reads the row once more
}

// found records a row that cannot be read, and reports it the first time.
func (s *Store) found(err *RowError, again func(*Tx) error) {
	at := change{err.Table, err.Key}
	s.mu.Lock()
	_, known := s.damaged.rows[at]
	s.damaged.rows[at] = damagedRow{err, again}
	report := s.damaged.report
	s.mu.Unlock()
	if !known && report != nil {
		report(err)
	}
}

// OnUnreadable has report called once for each row that is found unreadable, at once for those found before. report
// must not use the store.
func (s *Store) OnUnreadable(report func(*RowError)) {
	s.mu.Lock()
	s.damaged.report = report
	rows := maps.Clone(s.damaged.rows)
	s.mu.Unlock()
	for _, row := range rows {
		report(row.err)
	}
}

// Unreadable lists the rows that were found unreadable and still are, ordered by table and key. Check finds those that
// nobody has read yet.
func (s *Store) Unreadable() (all []*RowError, err error) {
	s.mu.Lock()
	rows := maps.Clone(s.damaged.rows)
	s.mu.Unlock()
	err = s.View(func(tx *Tx) error {
		for at, row := range rows {
			switch err := row.again(tx); {
			case IsUnreadable(err):
				all = append(all, row.err)
			case err == nil || errors.Is(err, ErrNotFound):
				s.mu.Lock()
				delete(s.damaged.rows, at)
				s.mu.Unlock()
			default:
				return err
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b *RowError) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table),
			cmp.Compare(a.Key, b.Key))
	})
	return all, err
}

// Checker is a table of any row type.
type Checker interface {
	Name() string // of the table
	check(tx *Tx) error
	read(tx *Tx, key string) error
	record(tx *Tx, key string) ([]byte, error)
	Delete(tx *Tx, key string) error
}

// Check reads every row of tables, so that Unreadable and OnUnreadable report the unreadable ones. Unreadable rows are
// no error of Check.
func (s *Store) Check(tables ...Checker) error {
	for _, t := range tables { // one transaction per table: a long one keeps pages from being reused
		if err := s.View(t.check); err != nil {
			return err
		}
	}
	return nil
}

func (t Table[T]) check(tx *Tx) error {
	for _, err := range t.Readable(tx, "") {
		if err != nil {
			return err
		}
	}
	return nil
}
