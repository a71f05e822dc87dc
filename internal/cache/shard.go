package cache

import (
	"errors"
	"net/netip"
	"slices"
)

// FirstShard is the id of a group's first shard, and of the only one of a group without cluster mode. Source: AWS's
// NodeGroupId.
const FirstShard = "0001"

// Shard is one primary with its replicas, and the endpoints that lead to them: what AWS calls a node group. It is
// stored as it stands, apart from its group, so that a change of one shard costs the same however many others there
// are.
type Shard struct {
	GroupID string
	ID      string // of four digits, such as 0001
	// Group is the replication group that the shard is part of. It is stored in a table of its own.
	Group *ReplicationGroup `json:"-"`

	PrimaryAddress netip.Addr // of the primary endpoint
	ReaderAddress  netip.Addr // of the reader endpoint
	Members        []Member   // in the order of their ids

	// Histories are the replication streams that the shard's primaries have had, newest first. A primary's stream is
	// recorded before clients can write to it: a node of an older stream lacks something.
	Histories []string
	// Promote names the member that shall become primary by a planned move; empty otherwise.
	Promote string
}

// RowKey is the shard's key in its table.
func (s Shard) RowKey() string { return ShardKey(s.GroupID, s.ID) }

// ShardKey is the key of a group's shard in its table. A group's id has no slash.
func ShardKey(group, shard string) string { return group + "/" + shard }

// Whole says what the record of a shard lacks that decisions about its nodes need; nil for nothing.
func (s Shard) Whole() error {
	if slices.ContainsFunc(s.Addresses(), func(a netip.Addr) bool { return !a.IsValid() }) {
		return errors.New("it lacks the address of an endpoint or of a member")
	}
	if s.Primary() == nil || slices.ContainsFunc(s.Members, s.isStranger) {
		return errors.New("it lacks a primary, or has a member that is not its own")
	}
	return nil
}

// isStranger tells whether a member's name is not one of the group's.
func (s *Shard) isStranger(m Member) bool { return !slices.Contains(GroupIDs(m.ID), s.GroupID) }

// Member returns the member of that id, or nil.
func (s *Shard) Member(id string) *Member {
	for i := range s.Members {
		if s.Members[i].ID == id {
			return &s.Members[i]
		}
	}
	return nil
}

// Primary returns the member recorded as primary, or nil.
func (s *Shard) Primary() *Member {
	for i := range s.Members {
		if s.Members[i].Role == Primary {
			return &s.Members[i]
		}
	}
	return nil
}

// SetPrimary records the member of that id as primary and every other one as replica.
func (s *Shard) SetPrimary(id string) {
	for i := range s.Members {
		s.Members[i].Role = Replica
		if s.Members[i].ID == id {
			s.Members[i].Role = Primary
		}
	}
}

// maxHistories is how many streams are remembered. The data of a node are taken for another group's only when it was
// out of reach for as many failovers.
const maxHistories = 16

// SetHistory records the stream of the primary.
func (s *Shard) SetHistory(id string) {
	if len(s.Histories) > 0 && s.Histories[0] == id {
		return
	}
	older := slices.DeleteFunc(slices.Clone(s.Histories), func(h string) bool { return h == id })
	s.Histories = append([]string{id}, older...)
	s.Histories = s.Histories[:min(len(s.Histories), maxHistories)]
}

// SetMemberStatus gives every member that status.
func (s *Shard) SetMemberStatus(status MemberStatus) {
	for i := range s.Members {
		s.Members[i].Status = status
	}
}

// Reachable returns the addresses on which clients are served when the shard is as it should be.
func (s *Shard) Reachable() []netip.Addr {
	staying := *s
	staying.Members = s.Staying()
	return staying.Addresses()
}

// Addresses returns every address the shard occupies.
func (s *Shard) Addresses() []netip.Addr {
	addrs := []netip.Addr{s.PrimaryAddress, s.ReaderAddress}
	for _, m := range s.Members {
		addrs = append(addrs, m.Address)
	}
	return addrs
}

// Staying returns the members that are not being removed now.
func (s *Shard) Staying() []Member {
	return slices.DeleteFunc(slices.Clone(s.Members), Member.Removable)
}

// Remove takes a member out of the shard.
func (s *Shard) Remove(id string) {
	s.Members = slices.DeleteFunc(s.Members, func(m Member) bool { return m.ID == id })
}
