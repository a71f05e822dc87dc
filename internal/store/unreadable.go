package store

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/smithy-go"
)

// Keyed is implemented by rows that have their key in them. JSON of another shape decodes without an error into a row
// that lacks everything, its key too.
type Keyed interface{ RowKey() string }

// Checked is implemented by rows that can lack what their readers rely on.
type Checked interface {
	// CheckRow says what is wrong with the row; nil for nothing.
	CheckRow() error
}

// checkRow says why what was decoded is no row of a key.
func checkRow(key string, row any) error {
	if keyed, ok := row.(Keyed); ok && keyed.RowKey() != key {
		return fmt.Errorf("it is of %q", keyed.RowKey())
	}
	if checked, ok := row.(Checked); ok {
		return checked.CheckRow()
	}
	return nil
}

// RowError says that one row cannot be read: its record is damaged, or is of another shape. The others can be read. It
// is an API error, so that whoever asks for the row learns the reason.
type RowError struct {
	Table, Key string
	Err        error  // what is wrong with the row
	Next       string // what to do, in place of what the documentation says; empty for that
}

// Error names the row, what is wrong with it, and what to do.
func (e *RowError) Error() string {
	next := cmp.Or(e.Next,
		"The other records are used; 'Damaged records' in docs/OPERATIONS.md says how to be rid of this one")
	return fmt.Sprintf("cannot read %s %q from the state: its record is damaged: %v. %s", e.Table, e.Key, e.Err, next)
}

// Unwrap returns what is wrong with the row.
func (e *RowError) Unwrap() error { return e.Err }

// ErrorCode is the API's code of a failure that is not the caller's.
func (e *RowError) ErrorCode() string { return "InternalFailure" }

// ErrorMessage is what the caller reads.
func (e *RowError) ErrorMessage() string { return e.Error() }

// ErrorFault says that it is not the caller's fault.
func (e *RowError) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }

// Advise has an error of a row that cannot be read say what to do; another error stays as it is.
func Advise(err error, next string) error {
	damaged, is := errors.AsType[*RowError](err)
	if !is {
		return err
	}
	advised := *damaged
	advised.Next = next
	return &advised
}

// IsUnreadable tells whether an error is of rows that are there and cannot be read, and of nothing else.
func IsUnreadable(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(joined.Unwrap(), func(err error) bool { return !IsUnreadable(err) })
	}
	_, is := errors.AsType[*RowError](err)
	return is
}

// damagedRows are those that were found unreadable.
type damagedRows struct {
	rows map[change]damagedRow
	tell func(*RowError) // nil until OnUnreadable
}

type damagedRow struct {
	err   *RowError
	again func(*Tx) error // reads the row once more
}

// found remembers a row that cannot be read, and tells of it the first time.
func (s *Store) found(err *RowError, again func(*Tx) error) {
	at := change{err.Table, err.Key}
	s.mu.Lock()
	_, known := s.damaged.rows[at]
	s.damaged.rows[at] = damagedRow{err, again}
	tell := s.damaged.tell
	s.mu.Unlock()
	if !known && tell != nil {
		tell(err)
	}
}

// OnUnreadable has tell called once for each row that turns out to be unreadable, and at once for those that have. tell
// must not use the store.
func (s *Store) OnUnreadable(tell func(*RowError)) {
	s.mu.Lock()
	s.damaged.tell = tell
	rows := maps.Clone(s.damaged.rows)
	s.mu.Unlock()
	for _, row := range rows {
		tell(row.err)
	}
}

// Unreadable lists the rows that were found unreadable, and still are, by table and key. Check finds those that nobody
// has asked for.
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

// Checker is a table of any type.
type Checker interface {
	Name() string // of the table
	check(tx *Tx) error
	read(tx *Tx, key string) error
	record(tx *Tx, key string) ([]byte, error)
	Delete(tx *Tx, key string) error
}

// Check reads every row of tables, for Unreadable and OnUnreadable. Rows that cannot be read are no error of it.
func (s *Store) Check(tables ...Checker) error {
	for _, t := range tables { // a transaction each: a long one keeps pages from being used again
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
