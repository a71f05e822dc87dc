package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/spf13/cobra"
)

const (
	failoverPause = 10 * time.Millisecond // between two looks at a failover
	failoverLimit = time.Minute           // for the group to be available again; a failover takes a second
)

func (t *tool) failoverCommand() *cobra.Command {
	var shard, to string
	var verbose bool
	c := &cobra.Command{
		Use:   "failover [ID]",
		Short: "Make a replica the primary",
		Long: "Make a replica the primary, and wait until the group is available again. Without --to it is the API's " +
			"TestFailover: the engine chooses the " +
			"replica, automatic failover has to be on, and AWS's limit for a day counts. With --to it is a promotion " +
			"(PrimaryClusterId of " +
			"ModifyReplicationGroup), which the API takes with automatic failover off only: it is turned off for the move, " +
			"and on again after it.\n\n" +
			"It says who took over, for how long writes stopped, and when every node was back. It measures the first with " +
			"a write that changes nothing (PERSIST of a key that is not there) at the primary endpoint, where it knows " +
			"the auth token: of what larder up made, else from REDISCLI_AUTH.\n\n" +
			"ID may be left out when there is one group.",
		Example: "  larder failover\n  larder failover uex-payments-prod-redis --shard 0001\n  larder failover --to " +
			"uex-payments-prod-redis-002 --json",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: t.completeGroup,
		RunE: func(c *cobra.Command, args []string) error {
			return t.failover(c.Context(), strings.Join(args, ""), shard, to, verbose)
		},
	}
	c.Flags().StringVar(&shard, "shard", "0001", "node group that fails over")
	c.Flags().StringVar(&to, "to", "", "the replica that becomes primary (default: the engine chooses)")
	c.Flags().BoolVar(&verbose, "verbose", false, "show each change of a node on the way")
	if err := c.RegisterFlagCompletionFunc("to", t.completeReplica); err != nil {
		panic(err) // the flag is there
	}
	return t.regionFlag(t.jsonFlag(c), lookAt)
}

// failoverReport is what `failover --json` prints.
type failoverReport struct {
	ID         string  `json:"id"`
	Shard      string  `json:"shard"`
	OldPrimary string  `json:"old_primary"`
	NewPrimary string  `json:"new_primary"`
	FailedOver float64 `json:"elected_after_seconds"`   // the new primary was seen in its role
	Seconds    float64 `json:"available_after_seconds"` // every node was back
	// Stopped is for how long no write succeeded, at the longest; nil: nobody could measure it.
	Stopped *float64 `json:"writes_stopped_seconds"`
}

func (t *tool) failover(ctx context.Context, id, shard, to string, verbose bool) error {
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	before, err := engine.only(ctx, id)
	if err != nil {
		return err
	}
	f := &failover{engine: engine.onlyIn(engine.of(before).Region), group: before, shard: shard,
		say: func(c change) {
			if verbose {
				fmt.Fprintf(t.Stderr, "  %s\n", c)
			}
		}}
	probe, why := t.probeWrites(ctx, f.engine, before)
	report, err := f.run(ctx, to)
	if probe != nil {
		report.Stopped = probe.stop()
	}
	if err != nil {
		return err
	}
	if t.json {
		return printJSON(t.Stdout, report)
	}
	fmt.Fprintf(t.Stdout, "%s: %s took over from %s after %.2f s. %s Every node was back after %.2f s.\n", report.ID,
		report.NewPrimary, report.OldPrimary, report.FailedOver, report.stopped(why), report.Seconds)
	return nil
}

// stopped says for how long writes stopped, or why that is not known.
func (r failoverReport) stopped(why error) string {
	switch {
	case r.Stopped != nil:
		return fmt.Sprintf("Writes stopped for %.2f s at the longest.", *r.Stopped)
	case why != nil:
		return fmt.Sprintf("For how long writes stopped is not known: %v.", why)
	}
	return "For how long writes stopped is not known: none succeeded."
}

// only returns the named group, or the only one there is.
func (c *client) only(ctx context.Context, id string) (g ectypes.ReplicationGroup, err error) {
	all, err := c.groups(ctx)
	if err != nil {
		return g, err
	}
	var ids, in []string
	for _, one := range all {
		if aws.ToString(one.ReplicationGroupId) == id || id == "" && len(all) == 1 {
			g, in = one, append(in, c.of(one).Region)
		}
		ids = append(ids, aws.ToString(one.ReplicationGroupId))
	}
	switch {
	case len(in) == 1:
		return g, nil
	case len(in) > 1:
		return g, severalRegions(id, in)
	case len(ids) == 0:
		return g, errors.New("there is no replication group: bring one up with `larder up DIR`")
	case id == "":
		return g, fmt.Errorf("there are several replication groups, name one: %s", strings.Join(ids, ", "))
	}
	return g, fmt.Errorf("there is no replication group %q; there are: %s", id, strings.Join(ids, ", "))
}

// unknown words the refusal of a group that is not there as only does, with those that are.
func (t *tool) unknown(ctx context.Context, id string, err error) error {
	var missing *ectypes.ReplicationGroupNotFoundFault
	if !errors.As(err, &missing) {
		return err
	}
	engine, errConnect := t.connect(ctx)
	if errConnect != nil {
		return err
	}
	if _, errOnly := engine.only(ctx, id); errOnly != nil {
		return errOnly
	}
	return err
}

// failover is one planned move of a primary.
type failover struct {
	engine *client
	group  ectypes.ReplicationGroup // before it
	shard  string
	say    func(change)
}

func (f *failover) id() string { return aws.ToString(f.group.ReplicationGroupId) }

func (f *failover) run(ctx context.Context, to string) (failoverReport, error) {
	before, err := f.engine.describe(ctx, f.group)
	if err != nil {
		return failoverReport{}, err
	}
	switch {
	case to == "": // the API looks at the node group
	case !slices.Contains(shards(f.group), f.shard):
		return failoverReport{}, fmt.Errorf("%s has no node group %q: nothing was changed\nnext: its node groups: %s",
			f.id(), f.shard, strings.Join(shards(f.group), ", "))
	case to == before.primary():
		return failoverReport{}, fmt.Errorf("%s is the primary already: nothing was changed", to)
	}
	begin := time.Now()
	if to == "" {
		err = f.test(ctx)
	} else {
		err = f.promote(ctx, to)
	}
	if err != nil {
		return failoverReport{}, err
	}
	report := failoverReport{ID: f.id(), Shard: f.shard, OldPrimary: before.primary()}
	err = f.follow(ctx, before, begin, &report)
	if to != "" && f.automatic() {
		err = errors.Join(err, f.restore(ctx))
	}
	return report, err
}

func (f *failover) automatic() bool {
	return f.group.AutomaticFailover != ectypes.AutomaticFailoverStatusDisabled
}

// test has the engine choose the new primary.
func (f *failover) test(ctx context.Context) error {
	_, err := f.engine.cache.TestFailover(ctx,
		&elasticache.TestFailoverInput{ReplicationGroupId: f.group.ReplicationGroupId, NodeGroupId: &f.shard})
	return advised(err, f.group)
}

// promote makes that replica the primary.
func (f *failover) promote(ctx context.Context, to string) error {
	in := &elasticache.ModifyReplicationGroupInput{ReplicationGroupId: f.group.ReplicationGroupId,
		PrimaryClusterId: &to, ApplyImmediately: aws.Bool(true)}
	if f.automatic() {
		in.AutomaticFailoverEnabled, in.MultiAZEnabled = aws.Bool(false), aws.Bool(false)
	}
	_, err := f.engine.cache.ModifyReplicationGroup(ctx, in)
	return advised(err, f.group)
}

// restore turns on again what promote turned off, also when the command is interrupted.
func (f *failover) restore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), failoverLimit)
	defer cancel()
	in := &elasticache.ModifyReplicationGroupInput{
		ReplicationGroupId: f.group.ReplicationGroupId, AutomaticFailoverEnabled: aws.Bool(true),
		MultiAZEnabled: aws.Bool(f.group.MultiAZ == ectypes.MultiAZStatusEnabled), ApplyImmediately: aws.Bool(true),
	}
	var busy *ectypes.InvalidReplicationGroupStateFault
	for {
		_, err := f.engine.cache.ModifyReplicationGroup(ctx, in)
		if !errors.As(err, &busy) {
			if err != nil {
				err = fmt.Errorf("automatic failover of %s is still off, turn it on: aws elasticache modify-replication-group "+
					"--replication-group-id %s --automatic-failover-enabled --apply-immediately: %w", f.id(), f.id(), err)
			}
			return err
		}
		if err := pause(ctx, failoverPause); err != nil {
			return fmt.Errorf("automatic failover of %s is still off: the group was not available within %s", f.id(),
				failoverLimit)
		}
	}
}

// follow shows what changes, until another node is primary and all is available.
func (f *failover) follow(ctx context.Context, before groupStatus, begin time.Time, report *failoverReport) error {
	ctx, cancel := context.WithTimeout(ctx, failoverLimit)
	defer cancel()
	for last := before; ; {
		now, err := f.engine.status(ctx, f.id())
		if ctx.Err() != nil {
			return fmt.Errorf("%s: the failover goes on; see it with: larder status --watch %s", ending(ctx), f.id())
		}
		if err != nil {
			return err
		}
		for _, c := range changes([]groupStatus{last}, []groupStatus{now}) {
			f.say(c)
		}
		last = now
		if report.NewPrimary = now.primary(); report.NewPrimary != report.OldPrimary {
			if report.FailedOver == 0 {
				report.FailedOver = time.Since(begin).Seconds()
			}
			if now.available() {
				report.Seconds = time.Since(begin).Seconds()
				return nil
			}
		}
		if now.stuck {
			return fmt.Errorf("the engine cannot finish the failover of %s: %s", f.id(), now.Reason)
		}
		if err := pause(ctx, failoverPause); err != nil {
			continue // said above
		}
	}
}

// ending words why a context ended.
func ending(ctx context.Context) string {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Sprintf("not done after %s", failoverLimit)
	}
	return "interrupted"
}

// available tells whether a group and each of its nodes are.
func (g groupStatus) available() bool {
	for _, n := range g.Nodes {
		if n.Status != "available" || n.Link != linkUp {
			return false
		}
	}
	return g.Status == "available"
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// advised adds to a refusal what to do next, as far as the group tells.
func advised(err error, g ectypes.ReplicationGroup) error {
	id := aws.ToString(g.ReplicationGroupId)
	var shard *ectypes.NodeGroupNotFoundFault
	var member *ectypes.CacheClusterNotFoundFault
	var limit *ectypes.APICallRateForCustomerExceededFault
	var barred *ectypes.TestFailoverNotAvailableFault
	next := ""
	switch {
	case err == nil:
		return nil
	case errors.As(err, &shard):
		next = "its node groups: " + strings.Join(shards(g), ", ")
	case errors.As(err, &member):
		next = "its members: " + strings.Join(g.MemberClusters, ", ")
	case aws.ToString(g.Status) != "available":
		next = "wait until it is available: larder status --watch " + id
	case len(g.MemberClusters) < 2:
		next = "add a replica: aws elasticache increase-replica-count --replication-group-id " + id +
			" --new-replica-count 1 --apply-immediately"
	case g.AutomaticFailover == ectypes.AutomaticFailoverStatusDisabled:
		next = "name the replica (larder failover " + id +
			" --to MEMBER), or turn automatic failover on: aws elasticache modify-replication-group " +
			"--replication-group-id " + id + " --automatic-failover-enabled --apply-immediately"
	case errors.As(err, &limit), errors.As(err, &barred):
		next = "name the replica instead, which has no limit: larder failover " + id + " --to MEMBER"
	default:
		return err
	}
	return fmt.Errorf("%s\nnext: %s", plain(err), next)
}

func shards(g ectypes.ReplicationGroup) []string {
	var ids []string
	for _, s := range g.NodeGroups {
		ids = append(ids, aws.ToString(s.NodeGroupId))
	}
	return ids
}
