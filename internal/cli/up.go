package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	"larder/internal/cache"
	"larder/internal/deploy"
	"larder/internal/module"
	"larder/internal/services/larder"
	"larder/internal/standin"
)

func (t *tool) upCommand() *cobra.Command {
	vars := &varFlags{}
	var label string
	var verbose, strict bool
	var overrides []string
	c := &cobra.Command{
		Use:   "up [FILE|DIR]",
		Short: "Bring up the Redis that a module call describes",
		Long: "Read the call of the redis module in a Terraform file or directory (the current one by default), start the engine if it is not running, " +
			"and make what runs equal to the call. Other resources, data sources and modules of the configuration " +
			"are left to Terraform.",
		Example: "  larder up examples/production\n  larder up main.tf --var redis_auth_token=\"$TOKEN\"\n  larder up --var-file prod.tfvars --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := "."
			if len(args) == 1 {
				path = args[0]
			}
			return t.up(c.Context(), path, label, verbose, strict,
				module.Vars{Args: vars.args, Environ: t.Environ, Overrides: overrides})
		},
	}
	c.Flags().Var(&varFlag{vars, false}, "var", "set a variable: NAME=VALUE (repeatable)")
	c.Flags().Var(&varFlag{vars, true}, "var-file", "read variables from a .tfvars file (repeatable)")
	c.Flags().StringArrayVar(&overrides, "override", nil,
		"give a value of what is left to Terraform: `REFERENCE=VALUE` (repeatable)")
	c.Flags().StringVar(&label, "module", "", "which module call, where there are several")
	c.Flags().BoolVar(&verbose, "verbose", false, "explain which inputs are not acted on in full")
	strictFlag(c, &strict)
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
	types, err := cache.LoadNodeTypes()
	if err != nil {
		return err
	}
	src := module.Source{Path: path, Module: label, NodeTypes: types, Account: app.Account}
	configured, diags := module.Region(src, vars)
	if diags.HasErrors() {
		return t.explain(diags)
	}
	if src.Region, err = t.upRegion(configured); err != nil {
		return err
	}
	// Before there is an engine, ids of the right form do: a call that is wrong starts nothing.
	asked, diags := module.Load(src, vars, resolve(standin.New(src.Region, app.Account)))
	if diags.HasErrors() {
		return t.explain(diags)
	}
	if asked.Inputs.ClusterModeEnabled {
		return errors.New("input \"cluster_mode_enabled\": the call is right, but this larder does not run cluster mode: leave it false here, or apply the call on AWS with Terraform")
	}
	engine, started, err := t.ensureEngine(ctx)
	if err != nil {
		return err
	}
	return t.upOn(ctx, engine.onlyIn(src.Region), src, vars, verbose, strict, started, begin)
}

// upOn makes what runs on an engine equal to the call. The command began then, and may have started the engine.
func (t *tool) upOn(
	ctx context.Context, engine *client, src module.Source, vars module.Vars, verbose, strict, started bool,
	begin time.Time,
) error {
	facts, err := engine.engine(ctx)
	if err != nil {
		return err
	}
	call, diags := module.Load(src, vars, resolve(facts.StandIns))
	if diags.HasErrors() {
		return t.explain(diags)
	}
	t.explain(diags) // warnings
	if err := t.runnable(call, facts, strict); err != nil {
		return err
	}
	if len(call.Left) > 0 {
		fmt.Fprintf(t.Stderr, "note: left to Terraform: %s\n", strings.Join(call.Left, ", "))
	}
	t.noteUnused(call.Notices, verbose)
	d, shared, err := engine.recorded(ctx, call, src.Path)
	if err != nil {
		return err
	}
	before, err := earlier(d)
	if err != nil {
		return err
	}
	before.Shared = shared
	shown := newProgress(t.Stderr)
	deployer := engine.deployer(shown)
	underWay := d
	underWay.AuthTokenUpdateStrategy = "" // until it is over nobody knows which token the group takes
	deployer.Record = func(ctx context.Context, all []deploy.Resource) error {
		return engine.record(ctx, underWay, all)
	}
	var around module.StandIns // as it is in the end
	result, err := deployer.Apply(ctx, func(found module.StandIns) (*module.Call, error) {
		around = found
		call, diags := module.Load(src, vars, found)
		if diags.HasErrors() {
			return nil, t.explain(diags)
		}
		return call, nil
	}, resolve(facts.StandIns), before)
	shown.finish()
	if err != nil {
		return err
	}
	outputs := result.Call.Outputs(result.Observed,
		module.Access{Token: result.Token, SecretARN: result.SecretARN, Local: true,
			FinalSnapshot: result.FinalSnapshot})
	own, diags := module.OwnOutputs(src, vars, around, result.Call, outputs)
	restarted := ""
	if started { // what became of nodes under an engine that ran already is not this command's doing
		if restarted, err = engine.restarted(ctx, result.Observed.ReplicationGroup, begin); err != nil {
			return err
		}
	}
	if err := t.deployed(ctx, engine, d, result, slices.Concat(outputs, own), restarted,
		time.Since(begin)); err != nil {
		return err
	}
	return t.explain(diags)
}

// noteUnused says which inputs larder accepts and does not act on in full yet: by name, or with what each means.
func (t *tool) noteUnused(notices []string, verbose bool) {
	if len(notices) == 0 {
		return
	}
	if verbose {
		for _, n := range notices {
			fmt.Fprintln(t.Stderr, "note:", n)
		}
		return
	}
	var names []string
	for _, n := range notices {
		name, _, _ := strings.Cut(n, " = ")
		names = append(names, name)
	}
	fmt.Fprintf(t.Stderr,
		"note: accepted, and acted on in part or not at all by this larder yet: %s (--verbose explains)\n",
		strings.Join(names, ", "))
}

// explain prints diagnostics; with an error among them the command has failed, and all is said.
func (t *tool) explain(diags module.Diagnostics) error {
	// A name or a text of the configuration may have several lines, which cannot pass for others of larder's.
	for _, d := range diags {
		fmt.Fprintln(t.Stderr, strings.ReplaceAll(d.String(), "\n", "\n  "))
	}
	if !diags.HasErrors() {
		return nil
	}
	return silentError{}
}

// resolve gives a module call what module.vpc and the like refer to.
func resolve(s standin.StandIns) module.StandIns {
	return module.StandIns{
		VPCID: s.VPCID, CIDR: s.Network(), SubnetIDs: s.SubnetIDs(), Zones: s.Zones(),
		SecurityGroupID: s.SecurityGroupID, KMSKeyARN: s.KMSKeyARN,
		CriticalTopicARN: s.CriticalTopicARN, WarningTopicARN: s.WarningTopicARN, InfoTopicARN: s.InfoTopicARN,
	}
}

func (c *client) reason(ctx context.Context, group string) (reason string, stuck bool, err error) {
	var out larder.DescribeNodesOutput
	err = c.call(ctx, "DescribeNodes", larder.DescribeNodesInput{ReplicationGroupId: group}, &out)
	return out.StatusReason, out.Stuck, err
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
			said, found := strings.CutSuffix(aws.ToString(e.Message), cache.NobodyLeft)
			if _, with, ok := strings.Cut(said, " restarted "); found && ok {
				return with, nil
			}
		}
	}
	return "", nil
}

// deployed records the deployment and shows it.
func (t *tool) deployed(ctx context.Context, engine *client, d larder.Deployment, r *deploy.Result,
	outputs []module.Output, restarted string, took time.Duration) error {
	call := r.Call
	raw, err := module.MarshalOutputs(outputs)
	if err != nil {
		return err
	}
	d.Outputs, d.AuthTokenUpdateStrategy = string(raw), call.Inputs.AuthTokenUpdateStrategy
	if err := engine.record(ctx, d, r.Resources); err != nil {
		return err
	}
	if t.json {
		return printJSON(t.Stdout, upReport{ID: d.ID, Region: engine.Region, Changed: append([]string{}, r.Changed...),
			Restarted: restarted, Seconds: took.Seconds()})
	}
	if len(r.Changed) == 0 {
		fmt.Fprintf(t.Stdout, "%s in %s is as %s asks: nothing to change.\n", d.ID, engine.Region, d.Source)
	} else {
		fmt.Fprintf(t.Stdout, "%s is up in %s after %.1f s.\n", d.ID, engine.Region, took.Seconds())
	}
	if restarted != "" {
		fmt.Fprintf(t.Stdout, "Its nodes had ended, and their data with them: it restarted %s.\n", restarted)
	}
	s, err := engine.status(ctx, d.ID)
	if err != nil {
		return err
	}
	s.print(t.Stdout)
	t.suggest(call, outputs)
	return nil
}

// upReport is what `up --json` prints.
type upReport struct {
	ID      string   `json:"id"`
	Region  string   `json:"region"`
	Changed []string `json:"changed"`
	// Restarted is what the group began again with, such as "without data", where none of its nodes had outlived the
	// last engine.
	Restarted string  `json:"restarted,omitempty"`
	Seconds   float64 `json:"seconds"`
}

// suggest prints the commands to try. They run in a shell as they stand.
func (t *tool) suggest(call *module.Call, outputs []module.Output) {
	self := t.Executable
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, self); err == nil && !strings.HasPrefix(rel, "..") {
			self = "./" + rel
		}
	}
	in := ""
	if call.Region != awsregion.Home {
		in = " --region " + call.Region
	}
	fmt.Fprintf(t.Stdout, "\nTry, in this shell:\n  eval \"$(%s env%s)\"\n", shellWord(self), in)
	for _, o := range outputs {
		if text, ok := o.Value.(string); ok && (o.Name == "redis_cli_command" || o.Name == "connection_test_command") {
			fmt.Fprintf(t.Stdout, "  %s\n", text)
		}
	}
	fmt.Fprintf(t.Stdout, "  larder status\n  larder outputs --deployment %s\n", call.ReplicationGroupID())
	if slices.ContainsFunc(call.Around.SNS, func(topic module.Topic) bool { return len(topic.Emails) > 0 }) {
		fmt.Fprintf(t.Stdout, "  larder mail --confirm\n")
	}
	if found(t.Getenv("PATH"), "aws") {
		fmt.Fprintf(t.Stdout, "  aws elasticache describe-replication-groups --replication-group-id %s\n",
			call.ReplicationGroupID())
	}
}
