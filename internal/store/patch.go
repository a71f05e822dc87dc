package store

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The formats of a state. larder reads formats up to its own. When it opens a state of an older format, it first
// patches it.
const (
	firstSchema    = 1 // rows as JSON
	checksumSchema = 2 // records with checksums, and a digest of all records
	currentSchema  = 3 // shards apart from their replication groups
)

// patches leads from each format to the next one.
var patches = map[int]func(*Tx) error{firstSchema: addChecksums, checksumSchema: separateShards}

// patch brings a state to the current format, in one transaction.
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

// addChecksums turns rows into records with checksums.
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
