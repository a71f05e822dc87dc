package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/spf13/cobra"

	"larder/internal/app"
	"larder/internal/awsregion"
	"larder/internal/catalog"
	"larder/internal/defaultdeps"
	"larder/internal/event"
	"larder/internal/module"
	"larder/internal/services/larder"
)

func (t *tool) upCommand() *cobra.Command {
	flags := &callFlags{}
	c := &cobra.Command{
		Use:   "up [FILE|DIR]",
		Short: "Bring up the Redis that a module call describes",
		Long: "Read the call of the redis module in a Terraform file or directory (the current one by default), start the " +
			"engine if it is not running, " +
			"and make what runs equal to the call. Other resources, data sources and modules of the configuration " +
			"are left to Terraform. With --json it prints an object for each call.",
		Example: "  larder up examples/production\n  larder up main.tf --var redis_auth_token=\"$TOKEN\"\n  larder up " +
			"--var-file prod.tfvars --json",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return t.up(c.Context(), flags.path(args), flags.label, flags.verbose, flags.strict, flags.vars(t.Environ))
		},
	}
	flags.add(c, "bring up")
	return t.regionFlag(t.jsonFlag(c),
		"where to bring up what names no region (default AWS_REGION, AWS_DEFAULT_REGION, or "+
			awsregion.Home+")")
}

// varFlags gathers -var and -var-file in the order of the command line: the later wins.
type varFlags struct{ args []module.VarArg }

type varFlag struct {
	all  *varFlags
	file bool
}

func (f *varFlag) String() string { return "" }
func (f *varFlag) Type() string {
	if f.file {
		return "FILE"
	}
	return "NAME=VALUE"
}

func (f *varFlag) Set(s string) error {
	if f.file {
		f.all.args = append(f.all.args, module.VarArg{File: s})
		return nil
	}
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return errors.New("want NAME=VALUE")
	}
	f.all.args = append(f.all.args, module.VarArg{Name: name, Value: value})
	return nil
}

func (t *tool) up(ctx context.Context, path, label string, verbose, strict bool, vars module.Vars) error {
	begin := time.Now()
	types, err := catalog.LoadNodeTypes()
	if err != nil {
		return err
	}
	config, err := t.open(path, vars)
	if err != nil {
		return err
	}
	asked, err := t.asked(module.Source{Config: config, Module: label, NodeTypes: types, Account: app.Account})
	if err != nil {
		return err
	}
	engine, started, err := t.ensureEngine(ctx)
	if err != nil {
		return err
	}
	if label == "" {
		if err := t.noteLeftBehind(ctx, engine, path, asked); err != nil {
			return err
		}
	}
	run := &upRun{tool: t, verbose: verbose, strict: strict, started: started, said: map[string]bool{}}
	for _, a := range asked {
		if err := run.one(ctx, engine.onlyIn(a.src.Region), a.src, begin); err != nil {
			return err
		}
		begin = time.Now()
	}
	if len(asked) == 0 {
		t.tell("%s asks for no Redis: nothing to bring up.\n", path)
	}
	return run.finish(ctx)
}

// askedCall is a call that the command brings up.
type askedCall struct {
	src module.Source // names the call and its region
	id  string        // of its replication group
}

// open reads a configuration for all that a command does with it.
func (t *tool) open(path string, vars module.Vars) (*module.Config, error) {
	config, diags := module.Open(path, vars)
	if diags.HasErrors() {
		return nil, t.explain(diags)
	}
	return config, nil
}

// asked reads all calls that src names. Before there is an engine, ids of the right form do: a call that is wrong
// starts nothing.
func (t *tool) asked(src module.Source) ([]askedCall, error) {
	addresses, diags := module.Calls(src, resolve(defaultdeps.New(awsregion.Home, app.Account)))
	if diags.HasErrors() {
		return nil, t.explain(diags)
	}
	var all []askedCall
	var wrong module.Diagnostics
	for _, address := range addresses {
		one := src
		one.Module = address
		configured, diags := module.Region(one)
		if diags.HasErrors() {
			return nil, t.explain(diags)
		}
		var err error
		if one.Region, err = t.upRegion(configured); err != nil {
			return nil, err
		}
		call, diags := module.Load(one, resolve(defaultdeps.New(one.Region, app.Account)))
		if diags.HasErrors() {
			wrong = append(wrong, diags...)
			continue
		}
		if call.Inputs.ClusterModeEnabled {
			return nil, errors.New("input \"cluster_mode_enabled\": the call is right, but this larder does not run " +
				"cluster mode: leave it false here, or apply the call on AWS with Terraform")
		}
		all = append(all, askedCall{one, call.ReplicationGroupID()})
	}
	if wrong.HasErrors() {
		return nil, t.explain(slices.Compact(wrong))
	}
	return all, distinct(all)
}

// distinct refuses calls that would make the same group.
func distinct(all []askedCall) error {
	for i, a := range all {
		for _, b := range all[:i] {
			if a.id == b.id && a.src.Region == b.src.Region {
				return fmt.Errorf("module.%s and module.%s both make the replication group %s: give them different "+
					"project_name or environment, or choose one with --module", b.src.Module, a.src.Module, a.id)
			}
		}
	}
	return nil
}

// noteLeftBehind names the groups that were brought up from a configuration of which no call makes them any more.
func (t *tool) noteLeftBehind(ctx context.Context, engine *client, path string, asked []askedCall) error {
	source, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	all, err := engine.deployments(ctx)
	if err != nil {
		return err
	}
	for _, d := range all {
		made := func(a askedCall) bool { return a.id == d.ID }
		if d.Source == source && !slices.ContainsFunc(asked, made) {
			fmt.Fprintf(t.Stderr, "warning: %s was brought up from %s, of which no call makes it any more. It goes on: "+
				"`larder destroy %s` deletes it\n", d.ID, path, d.ID)
		}
	}
	return nil
}

// explain prints diagnostics. Where one is an error, all of them are the error that it returns.
func (t *tool) explain(diags module.Diagnostics) error {
	lines := diagnosticLines(diags)
	if diags.HasErrors() {
		return diagnosedError{strings.Join(lines, "\n")}
	}
	for _, l := range lines {
		fmt.Fprintln(t.Stderr, l)
	}
	return nil
}

// diagnosticLines are what is printed of diagnostics. A name or a text of the configuration may have several lines,
// which cannot pass for others of larder's.
func diagnosticLines(diags module.Diagnostics) (lines []string) {
	for _, d := range diags {
		lines = append(lines, strings.ReplaceAll(d.String(), "\n", "\n  "))
	}
	return lines
}

// resolve gives a module call what module.vpc and the like refer to. Until modules/security has made the clients'
// group, the nodes' stands for it.
func resolve(s defaultdeps.Defaults) module.StandIns {
	return module.StandIns{
		VPCID: s.VPCID, CIDR: s.Network(), SubnetIDs: s.SubnetIDs(), Zones: s.Zones(),
		SecurityGroupID: s.SecurityGroupID, ClientGroupID: s.SecurityGroupID, KMSKeyARN: s.KMSKeyARN,
		CriticalTopicARN: s.CriticalTopicARN, WarningTopicARN: s.WarningTopicARN, InfoTopicARN: s.InfoTopicARN,
	}
}

func (c *client) reason(ctx context.Context, group string) (reason string, stuck bool, err error) {
	var out larder.DescribeNodesOutput
	err = c.call(ctx, "DescribeNodes", larder.DescribeNodesInput{ReplicationGroupId: group}, &out)
	return out.StatusReason, out.Stuck, err
}

// waiting tells what waits for a group's maintenance window, by the fields of ModifyReplicationGroup.
func (c *client) waiting(ctx context.Context, group string) (map[string]string, error) {
	var out larder.DescribeWaitingOutput
	err := c.call(ctx, "DescribeWaiting", larder.DescribeWaitingInput{ReplicationGroupId: group}, &out)
	all := map[string]string{}
	for _, change := range out.Changes {
		all[change.Field] = change.Value
	}
	return all, err
}

// restarted tells with what a group began again since then because none of its nodes had outlived an engine; empty
// where one had.
func (c *client) restarted(ctx context.Context, group *ectypes.ReplicationGroup, since time.Time) (string, error) {
	for _, member := range group.MemberClusters {
		out, err := c.cache.DescribeEvents(ctx,
			&elasticache.DescribeEventsInput{SourceType: ectypes.SourceTypeCacheCluster, SourceIdentifier: &member,
				StartTime: &since})
		if err != nil {
			return "", err
		}
		for _, e := range out.Events { // the newest first
			if with, lost := event.LostWith(aws.ToString(e.Message)); lost {
				return with, nil
			}
		}
	}
	return "", nil
}
