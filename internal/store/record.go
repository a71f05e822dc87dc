package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// A record is a mark, a checksum of four bytes, and a row as JSON. The checksum also covers the row's table and key, so
// that a row stored under the wrong key is detected. A digest of all records is stored beside them, so that a missing
// record is detected.
const (
	recordMark = 1 // a byte that JSON never begins with
	sumStart   = 1
	rowStart   = sumStart + crc32.Size
)

// The bucket and key of the digest.
const (
	metaBucket = "larder"
	digestKey  = "digest"
)

// digest summarizes all records. Each transaction that changes a record updates it.
type digest struct {
	Schema  int    // the format of the state; see patches
	Records uint64 // the number of records
	Sum     uint64 // the sum of their checksums
}

// protect makes a record of a row.
func protect(table, key string, row []byte) []byte {
	record := make([]byte, rowStart, rowStart+len(row))
	record[0] = recordMark
	binary.BigEndian.PutUint32(record[sumStart:], checksum(table, key, row))
	return append(record, row...)
}

// checksum returns the CRC-32C of a row, its table and its key. The lengths separate the table and the key from what
// follows.
func checksum(table, key string, row []byte) uint32 {
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	at := fmt.Appendf(nil, "%d %s %d %s ", len(table), table, len(key), key)
	return crc32.Update(crc32.Checksum(at, castagnoli), castagnoli, row)
}

// open verifies a record and returns its row.
func open(table, key string, record []byte) ([]byte, error) {
	if len(record) < rowStart || record[0] != recordMark {
		return nil, errNoRecord
	}
	row := record[rowStart:]
	if sumOf(record) != checksum(table, key, row) {
		return nil, errChecksum
	}
	return row, nil
}

var (
	errNoRecord = errors.New("it is not a record")
	errChecksum = errors.New("it does not match its checksum")
)

// sumOf returns the checksum stored in a record; 0 if the record is too short to have one.
func sumOf(record []byte) uint32 {
	if len(record) < rowStart {
		return 0
	}
	return binary.BigEndian.Uint32(record[sumStart:rowStart])
}

// count reads the digest of all records, once per transaction.
func (tx *Tx) count() error {
	if tx.digest != nil {
		return nil
	}
	d, err := readDigest(tx)
	if err != nil {
		return err
	}
	tx.digest = &d
	return nil
}

// replace updates the digest for the change of one record. before is nil for a new record, and after is nil for a
// deleted one. It is unknown what a damaged record contributed to the digest, so replacing one causes a recount of all
// records.
func (tx *Tx) replace(table, key string, before, after []byte) error {
	if err := tx.count(); err != nil {
		return err
	}
	if before != nil {
		if _, err := open(table, key, before); err != nil {
			tx.recount = true
		}
		tx.digest.Records--
		tx.digest.Sum -= uint64(sumOf(before))
	}
	if after != nil {
		tx.digest.Records++
		tx.digest.Sum += uint64(sumOf(after))
	}
	tx.changed = append(tx.changed, change{table, key})
	return nil
}

// putDigest writes the digest as it is after the transaction's changes.
func (tx *Tx) putDigest() error {
	if tx.digest == nil {
		return nil
	}
	if tx.recount {
		counted, _, err := count(tx)
		if err != nil {
			return err
		}
		counted.Schema, tx.digest = tx.digest.Schema, &counted
	}
	b, err := tx.tx.CreateBucketIfNotExists([]byte(metaBucket))
	if err != nil {
		return err
	}
	raw, err := json.Marshal(tx.digest)
	if err != nil {
		return err
	}
	return b.Put([]byte(digestKey), protect(metaBucket, digestKey, raw))
}

// errNoDigest reports that the state is new, or was written before there were digests.
var errNoDigest = errors.New("there is no digest of the records")

func readDigest(tx *Tx) (d digest, err error) {
	b := tx.tx.Bucket([]byte(metaBucket))
	if b == nil || b.Get([]byte(digestKey)) == nil {
		return d, errNoDigest
	}
	raw, err := open(metaBucket, digestKey, b.Get([]byte(digestKey)))
	if err != nil {
		return d, &DamageError{tx.path, "the digest of the records cannot be read: " + err.Error()}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, &DamageError{tx.path, "the digest of the records is not JSON of a digest: " + err.Error()}
	}
	return d, nil
}

// count computes the digest of the existing records, and the number of damaged ones.
func count(tx *Tx) (got digest, damaged int, err error) {
	err = records(tx, func(table, key string, record []byte) error {
		if _, err := open(table, key, record); err != nil {
			damaged++
		}
		got.Records++
		got.Sum += uint64(sumOf(record))
		return nil
	})
	return got, damaged, err
}

// check reads every record of a state, and returns the number of its format. A damaged record does not stop the check:
// it is reported when it is read. A missing record would never be noticed later, so check refuses the state.
func check(tx *Tx) (schema int, err error) {
	err = guard(tx.path, func() error {
		want, err := readDigest(tx)
		switch {
		case errors.Is(err, errNoDigest):
			schema = firstSchema
			return nil
		case err != nil:
			return err
		case want.Schema > currentSchema:
			return fmt.Errorf("the state file %s was written by a newer larder (format %d, this one knows %d): "+
				"install that one again",
				tx.path, want.Schema, currentSchema)
		}
		got, damaged, err := count(tx)
		if err != nil {
			return err
		}
		if got.Records != want.Records || got.Sum != want.Sum && damaged == 0 {
			return &DamageError{tx.path, fmt.Sprintf("its %d records are not the %d that were written", got.Records,
				want.Records)}
		}
		schema = want.Schema
		return nil
	})
	return schema, err
}

// records calls f for each record of every table.
func records(tx *Tx, f func(table, key string, record []byte) error) error {
	return tx.tx.ForEach(func(table []byte, b *bbolt.Bucket) error {
		if string(table) == metaBucket {
			return nil
		}
		return b.ForEach(func(key, record []byte) error {
			// With a damaged branch page, iterating finds a record that a lookup by key does not find.
			if by := tx.tx.Bucket(table); by == nil || !bytes.Equal(by.Get(key), record) {
				return &DamageError{tx.path, fmt.Sprintf("%q in %s is not where its key leads", key, table)}
			}
			return f(string(table), string(key), record)
		})
	})
}
