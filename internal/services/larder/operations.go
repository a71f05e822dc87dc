package larder

import (
	"context"
	"time"

	"larder/internal/state"
	"larder/internal/store"
)

// DescribeOperationsInput asks for the operations of a replication group, which may be gone.
type DescribeOperationsInput struct{ ReplicationGroupId string } // empty: of every group

// DescribeOperationsOutput lists operations, those that go on first, and of these and the others the newest first.
type DescribeOperationsOutput struct{ Operations []Operation }

// Operation is something that was asked of a replication group and takes time. See operation.Operation.
type Operation struct {
	ID                 string
	ReplicationGroupId string
	Kind               string
	NodeGroupId        string   // empty: it concerns the group as a whole
	CacheClusterIds    []string // those that it is done to
	From, To           string   // what is changed
	By                 string   // who asked; empty when nobody knows
	Began              int64    // nanoseconds since 1970
	Ended              int64    // the same; 0 while it goes on
	Outcome            string   // empty while it goes on
	Reason             string   // of the outcome

	Stage       string // of one that goes on; empty when it is not known
	Done, Total int64  // how much of the stage is done; a Total of 0 is not known
	Unit        string // of Done and Total
	LastError   string // what keeps the group from being as desired, if something does
}

func (s *Service) describeOperations(_ context.Context, in *DescribeOperationsInput) (*DescribeOperationsOutput,
	error) {
	var all []state.Progress
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = state.Operations(tx, in.ReplicationGroupId, s.Copying)
		return err
	})
	out := &DescribeOperationsOutput{}
	for _, p := range all {
		out.Operations = append(out.Operations, s.described(p))
	}
	return out, err
}

func (s *Service) described(p state.Progress) Operation {
	o := Operation{
		ID: p.ID(), ReplicationGroupId: p.Group, Kind: string(p.Kind), NodeGroupId: p.Shard, CacheClusterIds: p.Members,
		From: p.From, To: p.To, By: p.By, Began: nanoseconds(p.Began), Ended: nanoseconds(p.Ended),
		Outcome: string(p.Operation.Outcome), Reason: p.Operation.Reason,
	}
	if p.Open() {
		o.Stage, o.Done, o.Total, o.Unit = string(p.Stage), p.Done, p.Total, string(p.Unit)
		o.LastError, _ = s.Trouble(p.Group)
	}
	return o
}

// nanoseconds is a moment as the API has it; 0 for none.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
