package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"larder/internal/deploy"
	"larder/internal/module"
	"larder/internal/services/larder"
)

// upRun is one run of the command, over all calls.
type upRun struct {
	*tool
	verbose, strict, started bool
	said                     map[string]bool // warnings and notes, each of which is said once
	done                     []upDone

	// own are the configuration's outputs with what was brought up so far, and wrong what is wrong with them.
	own   []module.Output
	wrong module.Diagnostics
}

// upDone is a call that was brought up.
type upDone struct {
	engine     *client
	deployment larder.Deployment
	resources  []deploy.Resource
	src        module.Source
	companions module.StandIns
	module.Applied
}

// one makes what runs on an engine equal to the call. Its part of the command began then.
func (r *upRun) one(ctx context.Context, engine *client, src module.Source, begin time.Time) error {
	facts, err := engine.engine(ctx)
	if err != nil {
		return err
	}
	call, err := r.read(src, resolve(facts.StandIns), facts)
	if err != nil {
		return err
	}
	d, shared, err := engine.recorded(ctx, call, src.Config.Path)
	if err != nil {
		return err
	}
	before, err := earlier(d)
	if err != nil {
		return err
	}
	before.Shared = shared
	result, companions, err := r.apply(ctx, engine, src, d, before, resolve(facts.StandIns))
	if err != nil {
		return err
	}
	for _, note := range result.Notes {
		r.note(note)
	}
	outputs := result.Call.Outputs(result.Observed,
		module.Access{Token: result.Token, SecretARN: result.SecretARN, Local: true,
			FinalSnapshot: result.FinalSnapshot})
	restarted := ""
	if r.started { // what became of nodes under an engine that ran already is not this command's doing
		if restarted, err = engine.restarted(ctx, result.Observed.ReplicationGroup, begin); err != nil {
			return err
		}
	}
	d.AuthTokenUpdateStrategy = result.Call.Inputs.AuthTokenUpdateStrategy
	done := upDone{engine, d, result.Resources, src, companions, module.Applied{Call: result.Call, Outputs: outputs}}
	r.done = append(r.done, done)
	r.evaluateOutputs()
	if err := done.keep(ctx, r.own); err != nil {
		return err
	}
	return r.deployed(ctx, done, result, restarted, time.Since(begin))
}

// read reads the call for an engine, and says what there is to say of it before anything is made.
func (r *upRun) read(
	src module.Source, standIns module.StandIns, facts larder.DescribeEngineOutput,
) (*module.Call, error) {
	call, diags := module.Load(src, standIns)
	if diags.HasErrors() {
		return nil, r.explain(diags)
	}
	r.warn(diags)
	if err := r.runnable(call, facts, r.strict); err != nil {
		return nil, err
	}
	if len(call.Left) > 0 {
		r.note("left to Terraform: " + strings.Join(call.Left, ", "))
	}
	r.noteUnused(call.Notices, r.verbose)
	return call, nil
}

// load reads the call again, with what its references to other modules now resolve to.
func (r *upRun) load(src module.Source, found module.StandIns) (*module.Call, error) {
	call, diags := module.Load(src, found)
	if diags.HasErrors() {
		return nil, r.explain(diags)
	}
	return call, nil
}

// evaluateOutputs works out the configuration's outputs, with what was brought up so far.
func (r *upRun) evaluateOutputs() {
	var calls []module.Applied
	for _, d := range r.done {
		calls = append(calls, d.Applied)
	}
	last := r.done[len(r.done)-1]
	r.own, r.wrong = module.OwnOutputs(last.src, last.companions, calls)
}

// finish keeps the configuration's outputs with each deployment, as they are with all calls, and says what is wrong
// with them.
func (r *upRun) finish(ctx context.Context) error {
	for _, d := range r.done[:max(len(r.done)-1, 0)] { // the last has them
		if err := d.keep(ctx, r.own); err != nil {
			return err
		}
	}
	return r.explain(r.wrong)
}

// keep records the deployment with its outputs and the configuration's.
func (d upDone) keep(ctx context.Context, own []module.Output) error {
	raw, err := module.MarshalOutputs(slices.Concat(d.Outputs, own))
	if err != nil {
		return err
	}
	d.deployment.Outputs = string(raw)
	return d.engine.record(ctx, d.deployment, d.resources)
}

// note says something once.
func (r *upRun) note(text string) { r.say("note: " + text) }

// warn shows diagnostics that stop nothing, each once.
func (r *upRun) warn(diags module.Diagnostics) {
	for _, l := range diagnosticLines(diags) {
		r.say(l)
	}
}

func (r *upRun) say(line string) {
	if !r.said[line] {
		r.said[line] = true
		fmt.Fprintln(r.Stderr, line)
	}
}

// apply applies the call. It returns the result and the companion modules as they are afterwards.
func (r *upRun) apply(
	ctx context.Context, engine *client, src module.Source, d larder.Deployment, before deploy.Before,
	standIns module.StandIns,
) (result *deploy.Result, companions module.StandIns, err error) {
	shown := newProgress(r.Stderr)
	defer shown.finish()
	deployer := engine.deployer(shown)
	d.AuthTokenUpdateStrategy = "" // until it is over nobody knows which token the group takes
	deployer.Record = func(ctx context.Context, all []deploy.Resource) error {
		return engine.record(ctx, d, all)
	}
	result, err = deployer.Apply(ctx, func(found module.StandIns) (*module.Call, error) {
		companions = found
		return r.load(src, found)
	}, standIns, before)
	return result, companions, err
}

// noteUnused says which inputs larder accepts and does not act on in full yet: by name, or with what each means.
func (r *upRun) noteUnused(notices []string, verbose bool) {
	if len(notices) == 0 {
		return
	}
	if verbose {
		for _, n := range notices {
			r.note(n)
		}
		return
	}
	var names []string
	for _, n := range notices {
		name, _, _ := strings.Cut(n, " = ")
		names = append(names, name)
	}
	r.note(fmt.Sprintf("accepted, and acted on in part or not at all by this larder yet: %s (--verbose explains)",
		strings.Join(names, ", ")))
}
