package network

import (
	"errors"

	"larder/internal/store"
)

// tagSet is the tags of one resource.
type tagSet struct {
	ID   string
	Tags map[string]string
}

// RowKey is the set's key in its table.
func (s tagSet) RowKey() string { return s.ID }

// tagSets holds the resources that have tags, by id.
const tagSets = store.Table[tagSet]("network-tags")

// Tags returns a resource's tags.
func Tags(tx *store.Tx, id string) (map[string]string, error) {
	set, err := tagSets.Get(tx, id)
	if errors.Is(err, store.ErrNotFound) {
		return map[string]string{}, nil
	}
	return set.Tags, err
}

// AllTags returns the tags of every resource that has some which can be read, by its id.
func AllTags(tx *store.Tx) (map[string]map[string]string, error) {
	sets, err := tagSets.List(tx)
	all := make(map[string]map[string]string, len(sets))
	for _, s := range sets {
		all[s.ID] = s.Tags
	}
	return all, err
}

// SetTags replaces a resource's tags.
func SetTags(tx *store.Tx, id string, tags map[string]string) error {
	if len(tags) == 0 {
		return tagSets.Delete(tx, id)
	}
	return tagSets.Put(tx, id, tagSet{ID: id, Tags: tags})
}
