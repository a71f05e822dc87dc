package larder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/smithy-go"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/cache"
	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/operation"
	"larder/internal/plan"
	"larder/internal/seal"
	"larder/internal/state"
	"larder/internal/store"
)

// Config is what the service works with.
type Config struct {
	Store    *store.Store
	Sealer   *seal.Sealer
	Engine   DescribeEngineOutput
	PIDs     func(ctx context.Context) (map[string]int, error) // of the running nodes, by id
	Trouble  func(group string) (text string, stuck bool)      // see engine.LastError
	Observed func(group string) plan.Observed                  // at the engine's last look
	Copying  func(group string) *operation.Copy                // see engine.Copying
	Regions  func() []string                                   // those that have been used
	// Measure asks the running nodes of a group, or of all where none is named, what they count; those that do not
	// answer are left out.
	Measure func(ctx context.Context, group string) map[string]Reading
	// DamagedFiles tells what was found that cannot be read.
	DamagedFiles func() (DamagedFiles, error)
	StopSoon     func() // ends the engine and its nodes after the answer

	Tables []store.Checker // all that the store has
	// Irreplaceable says why a record is never forgotten, and the way out; empty for one that may be.
	Irreplaceable func(table, key string) string
	// TakeAlong removes what nobody could remove once a record of a table is forgotten, and returns its ids.
	TakeAlong func(tx *store.Tx, table string) ([]string, error)
	Forgotten string // the directory of the copies of forgotten records; made when the first is
	Logger    *slog.Logger
	Now       func() time.Time
}

// Service serves the engine's own actions.
type Service struct{ Config }

// New makes the service.
func New(c Config) *Service { return &Service{c} }

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	service := describe(
		gateway.Handle("DescribeEngine", gateway.Read, s.describeEngine),
		gateway.Handle("DescribeNodes", gateway.Read, s.describeNodes),
		gateway.Handle("DescribeWaiting", gateway.Read, s.describeWaiting),
		gateway.Handle("DescribeOperations", gateway.List, s.describeOperations),
		gateway.Handle("MeasureNodes", gateway.Read, s.measureNodes),
		gateway.Handle("PutDeployment", gateway.Write, s.putDeployment),
		gateway.Handle("DescribeDeployments", gateway.List, s.describeDeployments),
		gateway.Handle("DeleteDeployment", gateway.Write, s.deleteDeployment),
		gateway.Handle("ForgetRecord", gateway.Write, s.forgetRecord),
		gateway.Handle("StopEngine", gateway.Write, s.stopEngine),
	)
	service.Audit = audit.Log{Store: s.Store}
	return service
}

// describe makes the service's shapes from its actions: members are spelled as their Go names.
func describe(actions ...gateway.Action) gateway.Service {
	shapes := &awswire.Shapes{ServiceID: "larder", SigningName: Name, Protocol: awswire.AWSJSON10, TargetPrefix: Target}
	for _, a := range actions {
		shapes.Operations = append(shapes.Operations, a.Name)
	}
	return gateway.Service{Shapes: shapes, Actions: actions}
}

// kept is a deployment at rest.
type kept struct {
	Deployment
	Sealed []byte // Outputs
}

const deployments = store.Table[kept]("deployments")

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{deployments} }

// RowKey is the deployment's key in its table.
func (k kept) RowKey() string { return k.ID }

func outputsAAD(id string) string { return "deployment/" + id + "/outputs" }

func (s *Service) describeEngine(ctx context.Context, _ *DescribeEngineInput) (*DescribeEngineOutput, error) {
	out := s.Engine
	out.Regions = s.Regions()
	var err, errFiles error
	out.Damaged, err = s.damaged(ctx)
	out.DamagedFiles, errFiles = s.DamagedFiles()
	return &out, errors.Join(err, errFiles)
}

func (s *Service) describeNodes(ctx context.Context, in *DescribeNodesInput) (*DescribeNodesOutput, error) {
	rg, err := s.group(in.ReplicationGroupId)
	if err != nil {
		return nil, err
	}
	pids, err := s.PIDs(ctx)
	if err != nil {
		return nil, err
	}
	out := &DescribeNodesOutput{EngineVersion: rg.Server(), StatusReason: rg.StatusReason}
	if rg.Status != cache.CreateFailed {
		out.StatusReason, out.Stuck = s.Trouble(rg.ID)
	}
	observed := s.Observed(rg.ID)
	if out.StatusReason == "" {
		out.StatusReason = crowding(rg, observed)
	}
	for shard, m := range rg.Members() {
		n := Node{CacheClusterId: m.ID, Zone: m.Zone, Address: m.Address.String(), Role: string(m.Role),
			Status: string(m.Status), PID: int32(pids[m.ID])}
		n.sight(shard, *m, observed)
		out.Nodes = append(out.Nodes, n)
	}
	return out, nil
}

func (s *Service) group(id string) (rg cache.Topology, err error) {
	err = s.Store.View(func(tx *store.Tx) (err error) {
		rg, err = state.Group(tx, id)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		err = notFound("replication group", id)
	}
	return rg, err
}

func (s *Service) putDeployment(ctx context.Context, in *PutDeploymentInput) (*PutDeploymentOutput, error) {
	d := in.Deployment
	if d.ID == "" {
		return nil, &smithy.GenericAPIError{Code: "ValidationException", Message: "Deployment.ID must not be empty"}
	}
	k := kept{Deployment: d, Sealed: s.Sealer.Seal(outputsAAD(d.ID), []byte(d.Outputs))}
	k.Outputs = ""
	return &PutDeploymentOutput{}, audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		return deployments.Put(tx,
			d.ID, k)
	})
}

func (s *Service) describeDeployments(context.Context, *DescribeDeploymentsInput) (*DescribeDeploymentsOutput, error) {
	out := &DescribeDeploymentsOutput{}
	err := s.Store.View(func(tx *store.Tx) error {
		all, err := deployments.List(tx)
		for _, k := range all {
			var outputs []byte
			_, err := deployments.GetValid(tx, k.ID, func(k kept) (err error) {
				outputs, err = s.Sealer.Open(outputsAAD(k.ID), k.Sealed)
				return err
			})
			if err != nil && !store.IsUnreadable(err) { // without its outputs a deployment can be changed and deleted
				return err
			}
			k.Outputs, k.Region = string(outputs), s.Engine.Region
			out.Deployments = append(out.Deployments, k.Deployment)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) deleteDeployment(ctx context.Context, in *DeleteDeploymentInput) (*DeleteDeploymentOutput, error) {
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := deployments.Get(tx, in.ID); errors.Is(err, store.ErrNotFound) {
			return notFound("deployment", in.ID)
		}
		return deployments.Delete(tx, in.ID)
	})
	return &DeleteDeploymentOutput{}, err
}

func (s *Service) stopEngine(ctx context.Context, _ *StopEngineInput) (*StopEngineOutput, error) {
	pids, err := s.PIDs(ctx)
	if err != nil {
		return nil, err
	}
	by := caller.Of(ctx)
	s.Logger.InfoContext(ctx, "asked to end the engine and its nodes", "by", by.Name(), "from", by.Address,
		"nodes", len(pids))
	s.StopSoon()
	return &StopEngineOutput{Nodes: int32(len(pids))}, nil
}

func notFound(what, id string) error {
	return &smithy.GenericAPIError{Code: "ResourceNotFoundException",
		Message: fmt.Sprintf("there is no %s %q", what, id)}
}
