package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/module"
)

// replicationGroup is the kind of the replication group.
type replicationGroup struct{}

func (replicationGroup) name() string { return replicationGroupKind }

func (replicationGroup) wanted(r module.Resources) []Resource {
	return []Resource{{Kind: replicationGroupKind, Name: *r.ReplicationGroup.ReplicationGroupId}}
}

func (replicationGroup) observe(ctx context.Context, o *observation) error {
	out, err := o.Cache.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: o.desired.ReplicationGroup.ReplicationGroupId})
	if err != nil {
		return err
	}
	group := &out.ReplicationGroups[0]
	o.found.ReplicationGroup = group
	if o.found.Waiting, err = o.Waiting(ctx, *group.ReplicationGroupId); err != nil {
		return err
	}
	if aws.ToString(group.Status) != "available" {
		return nil // its tags cannot be read, and its members are on their way
	}
	clusters, err := o.Cache.DescribeCacheClusters(ctx, &elasticache.DescribeCacheClustersInput{
		CacheClusterId: aws.String(group.MemberClusters[0]), ShowCacheNodeInfo: aws.Bool(true),
	})
	if err != nil {
		return err
	}
	o.found.CacheCluster = &clusters.CacheClusters[0]
	return o.tagged(ctx, *group.ARN)
}

// apply has a new group created, or brings the one that is there through its changes.
func (replicationGroup) apply(ctx context.Context, a *apply) error {
	a.desired = a.call.Resources(a.observed.Known())
	if a.fresh {
		return a.createGroup(ctx)
	}
	if err := a.changeGroup(ctx); err != nil {
		return err
	}
	return a.rotate(ctx)
}

// settle waits for a new group; the members are told of meanwhile.
func (replicationGroup) settle(ctx context.Context, a *apply) error {
	if !a.fresh {
		return nil
	}
	id := a.call.ReplicationGroupID()
	if err := a.write(func() error { return a.awaitAvailable(ctx, id) }); err != nil {
		return err
	}
	a.done("created replication group %s", a.call.ReplicationGroupID())
	return nil
}

// delete asks for deletion and waits for the end of it.
func (replicationGroup) delete(ctx context.Context, d *Deployer, r Resource) error {
	out, err := d.Cache.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &r.Name})
	if err != nil {
		return err
	}
	if len(out.ReplicationGroups) != 1 {
		return errors.New("the engine describes no such group and no error")
	}
	if aws.ToString(out.ReplicationGroups[0].Status) != "deleting" {
		in := &elasticache.DeleteReplicationGroupInput{ReplicationGroupId: &r.Name}
		if r.FinalSnapshot != "" {
			in.FinalSnapshotIdentifier = &r.FinalSnapshot
		}
		if _, err := d.Cache.DeleteReplicationGroup(ctx, in); err != nil {
			return err
		}
	}
	if err := d.awaitGone(ctx, r.Name); err != nil || r.FinalSnapshot == "" {
		return err
	}
	return d.sayKept(ctx, r)
}

// sayKept tells whether a group that is gone has left its final snapshot. There is none of a group that somebody else
// had deleted without one, or whose nodes ended before it was taken.
func (d *Deployer) sayKept(ctx context.Context, group Resource) error {
	out, err := d.Cache.DescribeSnapshots(ctx,
		&elasticache.DescribeSnapshotsInput{SnapshotName: &group.FinalSnapshot})
	switch {
	case err != nil && !notFound(err):
		return fmt.Errorf("it is gone, and whether its final snapshot %s was taken cannot be told: %w",
			group.FinalSnapshot, err)
	case err != nil || len(out.Snapshots) == 0 || aws.ToString(out.Snapshots[0].SnapshotStatus) != "available":
		d.Progress.Done(fmt.Sprintf("All data of %s are lost: its final snapshot %s was not taken", group.Name,
			group.FinalSnapshot))
	default:
		d.Progress.Done(KeptSnapshot(group.FinalSnapshot))
	}
	return nil
}

func (a *apply) createGroup(ctx context.Context) error {
	in := *a.desired.ReplicationGroup
	if a.result.Token != "" {
		in.AuthToken = aws.String(string(a.result.Token))
	}
	out, err := request(ctx, a, a.Cache.CreateReplicationGroup, &in)
	a.creating(err, Resource{Kind: replicationGroupKind, Name: *in.ReplicationGroupId})
	if err != nil {
		return fmt.Errorf("cannot create the replication group %s: %w", *in.ReplicationGroupId, err)
	}
	if a.planning { // members are called as a call that knows none calls them
		return nil
	}
	known := a.observed.Known()
	known.Members = out.ReplicationGroup.MemberClusters
	a.desired = a.call.Resources(known)
	return nil
}

// changeGroup makes the calls of a modification, each when the one before it has been brought about.
func (a *apply) changeGroup(ctx context.Context) error {
	changes := of(module.Diff(a.desired, a.observed), module.ReplicationGroupResource)
	if a.planning {
		return a.expectChanges(ctx, changes)
	}
	m := a.desired.Modification(a.observed, changes)
	calls := []func() error{
		func() error { _, err := a.Cache.IncreaseReplicaCount(ctx, m.Increase); return err },
		func() error { _, err := a.Cache.ModifyReplicationGroup(ctx, m.Modify); return err },
		func() error { _, err := a.Cache.ModifyReplicationGroup(ctx, m.Logs); return err },
		func() error { _, err := a.Cache.DecreaseReplicaCount(ctx, m.Decrease); return err },
	}
	made := 0
	for i, asked := range []bool{m.Increase != nil, m.Modify != nil, m.Logs != nil, m.Decrease != nil} {
		if !asked {
			continue
		}
		made++
		if err := a.modified(ctx, calls[i]); err != nil {
			return err
		}
	}
	if made == 0 {
		return nil
	}
	if err := a.observeGroup(ctx); err != nil {
		return err
	}
	unmade := of(module.Diff(a.desired, a.observed), module.ReplicationGroupResource)
	var kept []module.Change // what is not made, and does not wait
	a.sayChanged(slices.DeleteFunc(changes, func(c module.Change) bool {
		if c.Field != "CacheNodeType" || !has(unmade, c) {
			return false
		}
		kept = append(kept, c)
		return true
	}), func(c module.Change) bool { _, waits := a.observed.Waiting[c.Field]; return waits })
	if len(kept) == 0 {
		return nil
	}
	return a.typeKept(ctx, kept[0])
}

// has tells whether a field is among those that changes are of.
func has(all []module.Change, c module.Change) bool {
	return slices.ContainsFunc(all, func(other module.Change) bool { return other.Field == c.Field })
}

// typeKept says why the group does not have the node type that it was given.
func (a *apply) typeKept(ctx context.Context, c module.Change) error {
	id := a.call.ReplicationGroupID()
	out, err := a.Cache.DescribeEvents(ctx, &elasticache.DescribeEventsInput{
		SourceType: ectypes.SourceTypeReplicationGroup, SourceIdentifier: &id,
	})
	if err != nil {
		return fmt.Errorf("the replication group %s keeps its node type, and its events cannot be read: %w", id, err)
	}
	why := "its events do not say why"
	for _, e := range out.Events { // the newest first
		if message := aws.ToString(e.Message); strings.HasPrefix(message, "Failed to scale down") {
			why = message
			break
		}
	}
	return a.noRoom(id, c, why)
}

// noRoom is the error of a node type that cannot hold the group's data.
func (a *apply) noRoom(id string, c module.Change, why string) error {
	return errors.New(a.shown(fmt.Sprintf("%s stays %q, and is not %q: %s. `aws elasticache "+
		"list-allowed-node-type-modifications "+
		"--replication-group-id %s` lists the types that have room for the data; set %s to one of them, or to %q",
		c.Input, c.Old, c.New, why, id, c.Input, c.Old)))
}

func (a *apply) modified(ctx context.Context, call func() error) error {
	id := a.call.ReplicationGroupID()
	if err := call(); err != nil {
		return fmt.Errorf("cannot change the replication group %s: %w", id, err)
	}
	return a.awaitAvailable(ctx, id)
}

// observeGroup looks at the group again: its members may be others now.
func (a *apply) observeGroup(ctx context.Context) error {
	o := &observation{Deployer: a.Deployer, desired: a.desired, found: module.Observed{Tags: a.observed.Tags}}
	if err := (replicationGroup{}).observe(ctx, o); err != nil {
		return fmt.Errorf("cannot describe the replication group: %w", err)
	}
	a.observed.ReplicationGroup, a.observed.CacheCluster = o.found.ReplicationGroup, o.found.CacheCluster
	a.observed.Waiting = o.found.Waiting
	a.desired = a.call.Resources(a.observed.Known())
	return nil
}

// sayChanged tells of each change, and of what waits for the maintenance window.
func (a *apply) sayChanged(changes []module.Change, waits func(module.Change) bool) {
	for _, c := range changes {
		switch {
		case c.Field == "AuthToken": // see rotate
		case c.Withdrawn:
			a.done("withdrew the change of %s to %q, which waited for the maintenance window: it stays %q", c.Input,
				c.Old, c.New)
		case waits(c):
			a.done("%s", a.inTheWindow(c))
		default:
			a.tell(Step{Effect: a.effectOn(c), What: a.shown(fmt.Sprintf("changed %s from %q to %q", c.Input, c.Old, c.New))})
		}
	}
}

func (a *apply) inTheWindow(c module.Change) string {
	return fmt.Sprintf("%s changes from %q to %q in the maintenance window, %s", c.Input, c.Old, c.New,
		a.call.Inputs.MaintenanceWindow)
}

// effectOn tells whether a change of the group costs clients their connections.
func (a *apply) effectOn(c module.Change) Effect {
	have := len(a.observed.ReplicationGroup.MemberClusters)
	switch c.Field {
	case "CacheNodeType", "EngineVersion": // another node becomes primary; a single one is resized as it runs
		if have > 1 || c.Field == "EngineVersion" {
			return Interrupts
		}
	case "TransitEncryptionEnabled", "TransitEncryptionMode":
		return Interrupts
	case "NumCacheClusters": // replicas go
		if int(aws.ToInt32(a.desired.ReplicationGroup.NumCacheClusters)) < have {
			return Interrupts
		}
	}
	return Changes
}

// rotate gives the group another token, or the same one in another way. A group without a token can only begin with
// ROTATE.
func (a *apply) rotate(ctx context.Context) error {
	has := aws.ToBool(a.observed.ReplicationGroup.AuthTokenEnabled)
	strategy := a.call.Inputs.AuthTokenUpdateStrategy
	// Where the last apply did not come to its end, nobody knows which token the group takes.
	otherWay := a.before.TokenStrategy != strategy
	if !a.desired.AuthTokenEnabled || has && a.kept() == a.result.Token && !otherWay {
		return nil
	}
	if !has {
		strategy = string(ectypes.AuthTokenUpdateStrategyTypeRotate)
	}
	id, token := a.call.ReplicationGroupID(), string(a.result.Token)
	err := a.write(func() error {
		return a.modified(ctx, func() error {
			_, err := a.Cache.ModifyReplicationGroup(ctx, &elasticache.ModifyReplicationGroupInput{
				ReplicationGroupId: &id, AuthToken: &token, ApplyImmediately: aws.Bool(true),
				AuthTokenUpdateStrategy: ectypes.AuthTokenUpdateStrategyType(strategy),
			})
			return err
		})
	})
	if err != nil {
		return err
	}
	effect := Changes
	if strategy == string(ectypes.AuthTokenUpdateStrategyTypeSet) { // who has the old token is refused
		effect = Interrupts
	}
	a.tell(Step{Effect: effect, What: fmt.Sprintf("changed the auth token (%s)", strategy)})
	return nil
}
