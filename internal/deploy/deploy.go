// Package deploy makes the AWS calls that a module call becomes: it creates what is missing, changes what differs, and
// takes back what it made when the rest fails.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/awssdk/ec2"
	"larder/internal/module"
)

// Deployer applies module calls through the AWS APIs. Every field is needed.
type Deployer struct {
	Cache   *elasticache.Client
	Secrets *secretsmanager.Client
	Alarms  *cloudwatch.Client
	Logs    *cloudwatchlogs.Client
	Network *ec2.Client
	Keys    *kms.Client
	Topics  *sns.Client
	// Reason tells why a group is create-failed, or what keeps it from being available; stuck says that waiting is no
	// use.
	Reason func(ctx context.Context, group string) (reason string, stuck bool, err error)
	// Waiting tells what waits for a group's maintenance window: see module.Observed.
	Waiting func(ctx context.Context, group string) (map[string]string, error)
	// Record keeps what a deployment has made, and is about to make: an apply that dies half way can be destroyed. With
	// no resources there is nothing to remember.
	Record func(ctx context.Context, all []Resource) error
	// Progress is told of each thing done, and of the group's members while they come up.
	Progress Progress
}

// Progress is told how an apply goes.
type Progress interface {
	Done(what string)
	Members(group *ectypes.ReplicationGroup, clusters []ectypes.CacheCluster)
}

const (
	poll = 10 * time.Millisecond
	// availableTimeout is long for nodes of this machine, so that only a group that hangs meets it.
	availableTimeout = 2 * time.Minute
	// atOnce is how many requests of a kind are under way together.
	atOnce = 8
)

// Before is what an earlier apply of the same deployment came to.
type Before struct {
	Resources []Resource
	// that other deployments of the same configuration made: what the modules around make is made once
	Shared        []Resource
	Token         module.Secret // "" when it is not known
	TokenStrategy string        // how it was set; "" when no earlier apply came to its end
}

// Result is what an apply came to.
type Result struct {
	Call      *module.Call // as it is with what the modules around it have made
	Changed   []string     // what was created or changed, for people; empty when all was as desired
	Notes     []string     // what was asked for before, and waits for the maintenance window
	Observed  module.Observed
	Resources []Resource // that the deployment has now
	// FinalSnapshot is the snapshot that the group's deletion will take; empty: none.
	FinalSnapshot string
	Token         module.Secret
	SecretARN     string
}

// Apply makes what runs equal to the module call, with what the modules around it make. What cannot be changed is an
// error before the group is. What a failed apply of a new group has made is taken back; a failed change is left for the
// next apply to complete.
func (d *Deployer) Apply(ctx context.Context, load Loader, standIns module.StandIns, before Before) (*Result, error) {
	run, err := d.begin(ctx, load, standIns, before)
	if err != nil {
		return nil, err
	}
	run.nameFinalSnapshot()
	if err := run.record(ctx); err != nil {
		return nil, err
	}
	if err := run.all(ctx, load, standIns); err != nil {
		return nil, errors.Join(run.interrupted(err), run.undo(context.WithoutCancel(ctx)))
	}
	run.result.Observed = run.observed
	for _, s := range run.steps {
		run.result.Changed = append(run.result.Changed, s.What)
	}
	if len(run.steps) > 0 {
		if run.result.Observed, err = d.Observe(ctx, run.desired); err != nil {
			return nil, err
		}
	}
	run.result.Notes = run.notes
	run.result.Call, run.result.Resources, run.result.FinalSnapshot = run.call, run.resources(), run.finalSnapshot
	return &run.result, nil
}

// begin reads the call, and what an earlier apply of it made.
func (d *Deployer) begin(
	ctx context.Context, load Loader, standIns module.StandIns, before Before,
) (*apply, error) {
	call, err := load(standIns)
	if err != nil {
		return nil, err
	}
	for _, recorded := range []*[]Resource{&before.Resources, &before.Shared} {
		if *recorded, err = d.identified(ctx, *recorded); err != nil {
			return nil, err
		}
	}
	run := &apply{Deployer: d, call: call, desired: call.Resources(module.Known{}), before: before}
	_, err = d.group(ctx, call.ReplicationGroupID())
	if run.fresh = notFound(err); err != nil && !run.fresh {
		return nil, err
	}
	return run, nil
}

// all makes what is around first, then the call's own.
func (a *apply) all(ctx context.Context, load Loader, standIns module.StandIns) error {
	a.shared = true
	if err := a.companions(ctx, load, standIns); err != nil {
		return err
	}
	a.shared = false
	observed, err := a.Observe(ctx, a.call.Resources(module.Known{}))
	if err != nil {
		return err
	}
	rest := a.awaitRest
	if a.planning {
		rest = a.expectRest
	}
	if a.observed, err = rest(ctx, a.call, observed); err != nil {
		return err
	}
	a.fresh = a.observed.ReplicationGroup == nil
	a.desired = a.call.Resources(a.observed.Known())
	if err := a.refused(module.Diff(a.desired, a.observed)); err != nil {
		return err
	}
	a.noteAskedFor()
	return a.do(ctx)
}

// noteAskedFor notes what an earlier apply asked for, and waits for the maintenance window.
func (a *apply) noteAskedFor() {
	for _, c := range module.AskedFor(a.desired, a.observed) {
		a.notes = append(a.notes, a.shown(a.inTheWindow(c)+": it was asked for, and waits"))
	}
}

// awaitRest waits for a group that is on its way somewhere: to be available, or gone.
func (d *Deployer) awaitRest(ctx context.Context, call *module.Call, o module.Observed) (module.Observed, error) {
	if o.ReplicationGroup == nil {
		return o, nil
	}
	var err error
	switch aws.ToString(o.ReplicationGroup.Status) {
	case "available":
		return o, nil
	case "deleting":
		err = d.awaitGone(ctx, call.ReplicationGroupID())
	default:
		err = d.awaitAvailable(ctx, call.ReplicationGroupID())
	}
	if err != nil {
		return o, err
	}
	return d.Observe(ctx, call.Resources(module.Known{}))
}

// refused joins why changes cannot be made; nil when all can.
func (a *apply) refused(changes []module.Change) error {
	var errs []error
	for _, c := range changes {
		if c.Refused != "" {
			errs = append(errs, errors.New(a.shown(c.Refused)))
		}
	}
	return errors.Join(errs...)
}

// Members describes the group's clusters, in the order of their ids. One that went meanwhile is left out.
func (d *Deployer) Members(ctx context.Context, group *ectypes.ReplicationGroup) ([]ectypes.CacheCluster, error) {
	var clusters []ectypes.CacheCluster
	for _, id := range group.MemberClusters {
		out, err := d.Cache.DescribeCacheClusters(ctx,
			&elasticache.DescribeCacheClustersInput{CacheClusterId: aws.String(id), ShowCacheNodeInfo: aws.Bool(true)})
		if notFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot describe the node %s: %w", id, err)
		}
		clusters = append(clusters, out.CacheClusters...)
	}
	return clusters, nil
}

// awaitAvailable waits until the group is available, and says why when it never will be.
func (d *Deployer) awaitAvailable(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, availableTimeout)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		group, err := d.group(ctx, id)
		if err != nil {
			return err
		}
		clusters, err := d.Members(ctx, group)
		if err != nil && ctx.Err() == nil {
			return err
		}
		d.Progress.Members(group, clusters)
		switch aws.ToString(group.Status) {
		case "available":
			return nil
		case "deleting":
			return fmt.Errorf("somebody deletes the replication group %s meanwhile", id)
		}
		if err := d.failure(ctx, group); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the replication group %s is still %s: %w", id, aws.ToString(group.Status), ctx.Err())
		}
	}
}

func (d *Deployer) group(ctx context.Context, id string) (*ectypes.ReplicationGroup, error) {
	out, err := d.Cache.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
	if err != nil {
		return nil, fmt.Errorf("cannot describe the replication group %s: %w", id, err)
	}
	return &out.ReplicationGroups[0], nil
}

// awaitGone waits until the group is no more.
func (d *Deployer) awaitGone(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, availableTimeout)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		_, err := d.Cache.DescribeReplicationGroups(ctx,
			&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &id})
		if notFound(err) {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		if reason, stuck, err := d.Reason(ctx, id); err == nil && stuck {
			return fmt.Errorf("the replication group %s does not go: %s", id, reason)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s is still there", id), ctx.Err())
		}
	}
}

// failure is the error of a group that will not become available, nil while it may.
func (d *Deployer) failure(ctx context.Context, group *ectypes.ReplicationGroup) error {
	id := aws.ToString(group.ReplicationGroupId)
	reason, stuck, err := d.Reason(ctx, id)
	failed := aws.ToString(group.Status) == "create-failed"
	switch {
	case err != nil && failed:
		return fmt.Errorf("the replication group %s could not be created; why is not known: %w", id, err)
	case err == nil && (failed || stuck):
		return fmt.Errorf("the replication group %s does not come up: %s", id, reason)
	}
	return nil
}
