package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"larder/internal/app"
	"larder/internal/awsclient"
	"larder/internal/awsregion"
	"larder/internal/catalog"
	"larder/internal/defaultdeps"
	"larder/internal/deploy"
	"larder/internal/module"
	"larder/internal/redisnode"
	"larder/internal/services/larder"
)

// planName is the one command whose exit code 2 says that there is something to change.
const planName = "plan"

func (t *tool) planCommand() *cobra.Command {
	flags := &callFlags{}
	c := &cobra.Command{
		Use:   planName + " [FILE|DIR]",
		Short: "Show what `larder up` would do",
		Long: "Show what `larder up` would do with the same arguments, and do none of it. The worst comes first: what is " +
			"deleted (-), " +
			"what costs clients their connections, what is changed (~), what is created (+). Without an engine everything is " +
			"to be created.\n\n" +
			"The exit code is 0 when there is nothing to change, 2 when there is, and 1 when that cannot be told or `larder " +
			"up` would refuse it.",
		Example: "  larder plan examples/production\n  larder plan --var-file prod.tfvars --json | jq -r '.changes[].text'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return t.plan(c.Context(), flags.path(args), flags, flags.vars(t.Environ))
		},
	}
	flags.add(c, "plan")
	return t.regionFlag(t.jsonFlag(c),
		"where `larder up` would bring up what names no region (default AWS_REGION, AWS_DEFAULT_REGION, or "+
			awsregion.Home+")")
}

// changesError ends a plan that has something to change. All is said already.
type changesError struct{}

func (changesError) Error() string { return "there is something to change" }

func (t *tool) plan(ctx context.Context, path string, flags *callFlags, vars module.Vars) error {
	types, err := catalog.LoadNodeTypes()
	if err != nil {
		return err
	}
	config, err := t.open(path, vars)
	if err != nil {
		return err
	}
	asked, err := t.asked(module.Source{Config: config, Module: flags.label, NodeTypes: types, Account: app.Account})
	if err != nil {
		return err
	}
	run := &planRun{upRun: upRun{tool: t, verbose: flags.verbose, strict: flags.strict,
		said: map[string]bool{}}, shared: map[string]bool{}}
	if err := run.find(ctx); err != nil {
		return err
	}
	if run.engine != nil && flags.label == "" {
		if err := t.noteLeftBehind(ctx, run.engine, path, asked); err != nil {
			return err
		}
	}
	for _, a := range asked {
		if err := run.one(ctx, a.src); err != nil {
			return err
		}
	}
	return run.finish(path)
}

// planRun is one run of the command, over all calls.
type planRun struct {
	upRun
	engine      *client // nil: there is none yet
	facts       larder.DescribeEngineOutput
	deployments []larder.Deployment // as they are once the calls before are brought up
	shared      map[string]bool     // steps that are planned: calls share companion modules
	reports     []planReport
}

// find finds the engine, or sees that there is nothing of one.
func (r *planRun) find(ctx context.Context) (err error) {
	engine, err := r.settle(ctx)
	if errors.Is(err, errNotRunning) {
		return r.findNothing(ctx)
	}
	if err != nil {
		return err
	}
	if r.facts, err = engine.engine(ctx); err != nil {
		return err
	}
	everywhere := *engine
	everywhere.chosen = "" // --region is for calls that name none
	r.engine = &everywhere
	r.deployments, err = everywhere.deployments(ctx)
	return err
}

// findNothing sees that no engine has left anything, and what one would run.
func (r *planRun) findNothing(ctx context.Context) error {
	home, err := r.home()
	if err != nil {
		return err
	}
	used, err := home.Used()
	if err != nil {
		return err
	}
	if used {
		return fmt.Errorf("the engine of %s does not run, and without it nobody knows what there is: what `larder up` "+
			"would change cannot be told\nnext: `larder serve` starts the engine, as `larder up` does; groups whose "+
			"nodes have ended begin again without their data, or with their newest snapshot", home)
	}
	runnable, _, err := redisnode.Discover(ctx, r.Getenv("PATH"))
	if err != nil {
		return err
	}
	for _, v := range runnable {
		r.facts.EngineVersions = append(r.facts.EngineVersions, v.Version)
	}
	return nil
}

// in is a client for a region, and what module.vpc and the like resolve to there. In a region that nobody has used
// nothing is, and looking would make it.
func (r *planRun) in(ctx context.Context, region string) (*client, module.StandIns, error) {
	if r.engine == nil || !slices.Contains(r.facts.Regions, region) {
		return nowhere(region), deploy.UnknownStandIns(resolve(defaultdeps.New(region, app.Account))), nil
	}
	regional := r.engine.onlyIn(region)
	facts, err := regional.engine(ctx)
	return regional, resolve(facts.StandIns), err
}

// nowhere is a client of an engine that is not there: to every request it answers that there is no such thing.
func nowhere(region string) *client {
	config := awsclient.Config(region, "http://localhost", "none", "none")
	config.HTTPClient = nothing{}
	return &client{Info: app.Info{Region: region}, cache: elasticache.NewFromConfig(config), config: config}
}

type nothing struct{}

// Do implements aws.HTTPClient.
func (nothing) Do(*http.Request) (*http.Response, error) {
	return nil, &smithy.GenericAPIError{Code: "NotFound", Message: "There is nothing yet: no engine has made it."}
}

// one plans one call.
func (r *planRun) one(ctx context.Context, src module.Source) error {
	engine, standIns, err := r.in(ctx, src.Region)
	if err != nil {
		return err
	}
	call, err := r.read(src, standIns, r.facts)
	if err != nil {
		return err
	}
	here := slices.DeleteFunc(slices.Clone(r.deployments),
		func(d larder.Deployment) bool { return d.Region != src.Region })
	d, shared, err := recordOf(here, call, src.Config.Path)
	if err != nil {
		return err
	}
	before, err := earlier(d)
	if err != nil {
		return err
	}
	before.Shared = shared
	planned, err := engine.deployer(nil).Plan(ctx, func(found module.StandIns) (*module.Call, error) {
		return r.load(src, found)
	}, standIns, before)
	if err != nil {
		return err
	}
	d.Region, d.Resources = src.Region, recordedResources(planned.Resources)
	r.deployments = append(slices.DeleteFunc(r.deployments, func(other larder.Deployment) bool {
		return other.ID == d.ID && other.Region == d.Region
	}), d)
	return r.report(d, planned)
}

// report shows the plan of a call.
func (r *planRun) report(d larder.Deployment, planned *deploy.Planned) error {
	p := planReport{ID: d.ID, Region: d.Region, Changes: []plannedChange{}, Notes: append([]string{}, planned.Notes...)}
	companions := map[string]bool{}
	for _, s := range planned.Steps {
		if s.Shared && r.shared[s.What] || !s.Shared && companions[s.What] {
			continue // an earlier call or another companion module of this one has the step already
		}
		if s.Shared {
			companions[s.What] = true
		}
		p.Changes = append(p.Changes, plannedChange{s.Effect.String(), s.What})
	}
	maps.Copy(r.shared, companions)
	r.reports = append(r.reports, p)
	for _, note := range planned.Notes {
		r.note(note)
	}
	if r.json {
		return printJSON(r.Stdout, p)
	}
	p.print(r.Stdout, d.Source)
	return nil
}

// finish says in the exit code whether there is something to change.
func (r *planRun) finish(path string) error {
	if len(r.reports) == 0 {
		r.tell("%s asks for no Redis: nothing to change.\n", path)
	}
	if slices.ContainsFunc(r.reports, func(p planReport) bool { return len(p.Changes) > 0 }) {
		return changesError{}
	}
	return nil
}

// planReport is what `plan --json` prints of a call.
type planReport struct {
	ID      string          `json:"id"`
	Region  string          `json:"region"`
	Changes []plannedChange `json:"changes"` // the worst first
	Notes   []string        `json:"notes"`   // what waits already, and what could not be planned exactly
}

// plannedChange is one thing to do. Its effect is create, change, interrupt (a change in which clients lose
// connections) or delete.
type plannedChange struct {
	Effect string `json:"effect"`
	Text   string `json:"text"`
}

// signs are what lines of a plan begin with, by the effect.
var signs = map[string]string{"create": "+", "change": "~", "interrupt": "~", "delete": "-"}

func (p planReport) print(w printer, source string) {
	if len(p.Changes) == 0 {
		fmt.Fprintf(w, "%s in %s is as %s asks: nothing to change.\n", p.ID, p.Region, source)
		return
	}
	counts := map[string]int{}
	for _, c := range p.Changes {
		counts[signs[c.Effect]]++
		costs := ""
		if c.Effect == deploy.Interrupts.String() {
			costs = " (clients lose connections)"
		}
		fmt.Fprintf(w, "%s %s%s\n", signs[c.Effect], strings.ReplaceAll(c.Text, "\n", "\n  "), costs)
	}
	fmt.Fprintf(w, "%s in %s: %d to delete, %d to change, %d to create. `larder up` does it.\n", p.ID, p.Region,
		counts["-"], counts["~"], counts["+"])
}
