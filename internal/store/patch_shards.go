package store

import (
	"encoding/json"
	"errors"
)

// separateShards gives the one shard of each replication group a record of its own, and moves the shard's fields there
// from the group's record. A group's record that cannot be read stays as it is.
func separateShards(tx *Tx) error {
	type row = map[string]json.RawMessage
	const groups, shards = Table[row]("replication-groups"), Table[row]("shards")
	keys, err := groups.Keys(tx)
	if err != nil {
		return err
	}
	for _, id := range keys {
		group, err := groups.Get(tx, id)
		if IsUnreadable(err) {
			continue
		}
		if err != nil {
			return err
		}
		const first = "0001"
		shard := row{"GroupID": group["ID"], "ID": json.RawMessage(`"` + first + `"`)}
		for _, field := range []string{"PrimaryAddress", "ReaderAddress", "Members", "Histories", "Promote"} {
			if value, is := group[field]; is {
				shard[field] = value
				delete(group, field)
			}
		}
		if err := errors.Join(groups.Put(tx, id, group), shards.Put(tx, id+"/"+first, shard)); err != nil {
			return err
		}
	}
	return nil
}
