package store

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The formats of a state. A larder reads those up to its own, and brings an older one up to date before anything else.
const (
	firstSchema    = 1 // rows as JSON
	checksumSchema = 2 // records with checksums, and a digest of them
	currentSchema  = 3 // shards apart from their replication groups
)

// patches lead from a format to the next.
var patches = map[int]func(*Tx) error{firstSchema: addChecksums, checksumSchema: separateShards}

// patch brings a state up to date, in one transaction.
func patch(tx *Tx, schema int) error {
	return guard(tx.path, func() error {
		for ; schema < currentSchema; schema++ {
			if err := patches[schema](tx); err != nil {
				return err
			}
			if err := tx.count(); err != nil {
				return err
			}
			tx.digest.Schema = schema + 1
		}
		return nil
	})
}

// addChecksums makes records of rows.
func addChecksums(tx *Tx) error {
	type row struct {
		table, key string
		raw        []byte
	}
	var rows []row
	err := records(tx, func(table, key string, raw []byte) error {
		if !json.Valid(raw) {
			return &DamageError{tx.path, fmt.Sprintf("%q in %s is not JSON", key, table)}
		}
		rows = append(rows, row{table, key, bytes.Clone(raw)})
		return nil
	})
	if err != nil {
		return err
	}
	tx.digest = &digest{}
	for _, r := range rows {
		record := protect(r.table, r.key, r.raw)
		tx.digest.Records++
		tx.digest.Sum += uint64(sumOf(record))
		if err := tx.tx.Bucket([]byte(r.table)).Put([]byte(r.key), record); err != nil {
			return err
		}
	}
	return nil
}
