package engine_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/endpoint"
	"larder/internal/operation"
	"larder/internal/state"
	"larder/internal/store"
)

// createShards records a group of shards with a primary and a replica each, as cluster mode names their members.
func (w *fixture) createShards(id string, shards int) cache.Topology {
	w.t.Helper()
	const members = 2
	addrs := must(endpoint.Allocate(w.block.Prefix, nil, shards*(members+2)))(w.t)
	group := cache.Topology{ReplicationGroup: &cache.ReplicationGroup{
		ID: id, ARN: "arn:aws:elasticache:us-east-1:000000000000:replicationgroup:" + id, Status: cache.Creating,
		EngineVersion: w.config.Versions[0].Version, NodeType: "cache.t3.micro", Port: 6379,
		ParameterGroup: catalog.DefaultParameterGroup, AutomaticFailover: true, TransitEncryption: true,
		AuthTokens: [][]byte{w.config.Sealer.Seal(state.AuthTokenAAD(id), []byte(token))},
	}}
	for i := range shards {
		s := cache.Shard{GroupID: id, ID: fmt.Sprintf("%04d", i+1), Group: group.ReplicationGroup,
			PrimaryAddress: addrs[0], ReaderAddress: addrs[1]}
		for j := range members {
			s.Members = append(s.Members, cache.Member{ID: fmt.Sprintf("%s-%s-%03d", id, s.ID, j+1), Zone: "us-east-1a",
				Address: addrs[2+j], Status: cache.MemberCreating})
		}
		s.SetPrimary(s.Members[0].ID)
		group.Shards, addrs = append(group.Shards, s), addrs[2+members:]
	}
	err := w.config.Store.Update(func(tx *store.Tx) error {
		return state.PutGroup(tx, group, operation.Origin{At: time.Now()})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return group
}

// TestAShardWaitsForNoOther: while a start in one shard does not come to its end, another shard fails over, and an
// engine that begins anew knows the processes of both.
func TestAShardWaitsForNoOther(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	w.stop()
	slow := &hanging{Runtime: w.runtime, id: "g-0001-002", begun: make(chan struct{}), ended: make(chan error, 1)}
	w.config.Nodes = slow
	w.start()
	group := w.createShards("g", 2)
	w.awaitAvailable("g")
	if got := w.engine.Report("g").Observed.Nodes; len(got) != 4 {
		t.Errorf("the engine reports %d nodes of 4: %v", len(got), got)
	}
	slow.next.Store(true)
	w.signal("g-0001-002", syscall.SIGKILL)
	<-slow.begun
	t.Logf("without a primary for %s", w.gap(group.Shards[1].PrimaryAddress,
		func() { w.signal("g-0002-001", syscall.SIGKILL) }))
	select {
	case err := <-slow.ended:
		t.Errorf("the other shard's start ended first, with %v", err)
	default:
	}
	<-slow.ended // by its own time limit
	w.awaitAvailable("g")
	before := w.processes()
	w.stop()
	w.start()
	w.awaitAvailable("g")
	for id, pid := range w.processes() {
		if before[id] != pid {
			t.Errorf("%s was process %d and is %d", id, before[id], pid)
		}
	}
	if n := w.noticed("Replication group g created."); n > 1 {
		t.Errorf("the group was created %d times", n)
	}
	w.delete("g")
	w.await("g", "gone", func(_ cache.Shard, err error) bool { return errors.Is(err, store.ErrNotFound) })
	if left := w.processes(); len(left) > 0 {
		t.Errorf("still running: %v", left)
	}
}
