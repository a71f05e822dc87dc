package store_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"go.etcd.io/bbolt"

	"larder/internal/store"
)

// named is a row that contains its key.
type named struct {
	Name  string
	Value int
}

func (n named) RowKey() string { return n.Name }

const things = store.Table[named]("things")

// flip changes one bit of the record in a closed state, count bytes from the record's end.
func flip(t *testing.T, path, table, key string, count int) {
	t.Helper()
	damageRecord(t, path, table, key, func(record []byte) []byte {
		record[len(record)-count] ^= 1
		return record
	})
}

func damageRecord(t *testing.T, path, table, key string, damage func([]byte) []byte) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(table))
		return b.Put([]byte(key), damage(append([]byte{}, b.Get([]byte(key))...)))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// three makes a state with the things a, b and c, and returns its path.
func three(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "larder.db")
	s := open(t, path)
	update(t, s, func(tx *store.Tx) error {
		return errors.Join(things.Put(tx, "a", named{"a", 1}), things.Put(tx, "b", named{"b", 2}),
			things.Put(tx, "c", named{"c", 3}))
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOneDamagedRow tests that the state opens, that the other rows can be read and written, and that the damaged row
// is reported once and can be replaced or deleted. Afterwards the state opens as if it had never been damaged.
func TestOneDamagedRow(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"a bit of the row":      func(b []byte) []byte { b[len(b)-2] ^= 1; return b },
		"a bit of the checksum": func(b []byte) []byte { b[2] ^= 4; return b },
		"a bit of the mark":     func(b []byte) []byte { b[0] ^= 1; return b },
		"a short record":        func(b []byte) []byte { return b[:3] },
		"an empty record":       func([]byte) []byte { return nil },
		"zeros":                 func(b []byte) []byte { clear(b); return b },
	} {
		for _, mend := range []string{"replaced", "deleted"} {
			t.Run(name+", "+mend, func(t *testing.T) {
				t.Parallel()
				path := three(t)
				damageRecord(t, path, "things", "b", damage)
				s := open(t, path)
				var told []string
				s.OnUnreadable(func(e *store.RowError) { told = append(told, e.Table+"/"+e.Key) })
				update(t, s, func(tx *store.Tx) error { return things.Put(tx, "d", named{"d", 4}) })
				for range 2 {
					err := s.View(func(tx *store.Tx) error {
						rows, err := things.List(tx)
						if len(rows) != 3 {
							t.Errorf("%v", rows)
						}
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
				bad, err := s.Unreadable()
				if err != nil || len(bad) != 1 || len(told) != 1 || told[0] != "things/b" {
					t.Errorf("told of %v, still %v: %v", told, bad, err)
				}
				update(t, s, func(tx *store.Tx) error {
					if mend == "deleted" {
						return things.Delete(tx, "b")
					}
					return things.Put(tx, "b", named{"b", 5})
				})
				for range 2 {
					if bad, err := s.Unreadable(); err != nil || len(bad) != 0 {
						t.Errorf("%v is still told of: %v", bad, err)
					}
					if err := s.View(func(tx *store.Tx) error { _, err := things.All(tx); return err }); err != nil {
						t.Error(err)
					}
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					s = open(t, path)
				}
				// A missing record is found now, as before the damage.
				s.Close()
				damageRecord(t, path, "things", "c", func([]byte) []byte { return []byte{} })
				deleteRecord(t, path, "things", "a")
				if _, err := store.Open(path); !errors.As(err, new(*store.DamageError)) {
					t.Errorf("with a record that is gone: %v", err)
				}
			})
		}
	}
}

func deleteRecord(t *testing.T, path, table, key string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte(table)).Delete([]byte(key)) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestARowOfAnotherShape tests that JSON of another shape, or of another key, is not accepted as a row.
func TestARowOfAnotherShape(t *testing.T) {
	for _, raw := range []string{`{}`, `null`, `[]`, `0`, `""`, `{"Created":"not a time"}`, `{"Name":"a","Value":1}`,
		`{"Name":"b","Value":"x"}`, `[{"Name":"b"}]`} {
		s := open(t, three(t))
		update(t, s, func(tx *store.Tx) error {
			return store.Table[json.RawMessage](things).Put(tx, "b", json.RawMessage(raw))
		})
		err := s.View(func(tx *store.Tx) error {
			row, err := things.Get(tx, "b")
			if !store.IsUnreadable(err) || row != (named{}) {
				t.Errorf("%s is %+v: %v", raw, row, err)
			}
			if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "InternalFailure" ||
				api.ErrorFault() != smithy.FaultServer ||
				!strings.Contains(api.ErrorMessage(), `things "b"`) {
				t.Errorf("%s as an API error: %v", raw, err)
			}
			rows, err := things.List(tx)
			if len(rows) != 2 {
				t.Errorf("%s: %v", raw, rows)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestCheckFindsWhatNobodyReads tests that Check finds unreadable rows of every table, and that OnUnreadable reports
// them to a subscriber that comes later.
func TestCheckFindsWhatNobodyReads(t *testing.T) {
	path := three(t)
	flip(t, path, "things", "a", 2)
	flip(t, path, "things", "c", 2)
	s := open(t, path)
	if bad, err := s.Unreadable(); err != nil || len(bad) != 0 {
		t.Errorf("%v, %v", bad, err)
	}
	if err := s.Check(things, numbers); err != nil {
		t.Fatal(err)
	}
	var told []string
	s.OnUnreadable(func(e *store.RowError) { told = append(told, e.Key) })
	bad, err := s.Unreadable()
	if err != nil || len(bad) != 2 || bad[0].Key != "a" || bad[1].Key != "c" || len(told) != 2 {
		t.Errorf("%v, told of %v: %v", bad, told, err)
	}
}

func TestIsUnreadable(t *testing.T) {
	row, other := &store.RowError{Err: errors.New("x")}, errors.New("other")
	for err, want := range map[error]bool{
		nil: false, row: true, other: false, errors.Join(row, row): true, errors.Join(row, other): false,
		store.ErrNotFound: false,
	} {
		if got := store.IsUnreadable(err); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
}
