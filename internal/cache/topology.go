package cache

import (
	"errors"
	"iter"
	"slices"
)

// Topology is a replication group with all its shards, in the order of their ids. Each shard's Group is this one's.
type Topology struct {
	*ReplicationGroup
	Shards []Shard
}

// Whole says what the records of a group and its shards lack that decisions about its nodes need; nil for nothing.
func (t Topology) Whole() error {
	if err := t.ReplicationGroup.Whole(); err != nil {
		return err
	}
	if len(t.Shards) == 0 {
		return errors.New("it lacks its shards")
	}
	for _, s := range t.Shards {
		if err := s.Whole(); err != nil {
			return err
		}
	}
	return nil
}

// Only is the shard of a group without cluster mode, which is all of it.
func (t Topology) Only() *Shard { return &t.Shards[0] }

// Members yields every member of the group, shard by shard.
func (t Topology) Members() iter.Seq2[*Shard, *Member] {
	return func(yield func(*Shard, *Member) bool) {
		for i := range t.Shards {
			for j := range t.Shards[i].Members {
				if !yield(&t.Shards[i], &t.Shards[i].Members[j]) {
					return
				}
			}
		}
	}
}

// Nodes is how many members the group has.
func (t Topology) Nodes() (n int) {
	for _, s := range t.Shards {
		n += len(s.Members)
	}
	return n
}

// Member returns the member of that id, or nil.
func (t Topology) Member(id string) *Member {
	for _, m := range t.Members() {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// Clone is a copy of the group and its shards, whose fields can be changed apart from these.
func (t Topology) Clone() Topology {
	g := *t.ReplicationGroup
	clone := Topology{ReplicationGroup: &g, Shards: slices.Clone(t.Shards)}
	for i := range clone.Shards {
		clone.Shards[i].Group, clone.Shards[i].Members = &g, slices.Clone(clone.Shards[i].Members)
	}
	return clone
}
