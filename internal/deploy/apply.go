package deploy

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"larder/internal/module"
)

// apply is one run of Apply, or of Plan.
type apply struct {
	*Deployer
	planning bool // nothing is changed, recorded or waited for
	call     *module.Call
	desired  module.Resources
	observed module.Observed
	before   Before
	fresh    bool          // there was no group
	inSecret module.Secret // the token that the secret holds

	finalSnapshot string // the group's, when it is deleted; empty: none

	recording sync.Mutex // records are written one after the other

	mu       sync.Mutex // over what follows
	result   Result
	steps    []Step     // what is done, or would be
	shared   bool       // what is done now is around the call
	notes    []string   // what waits already, and what a plan could not tell exactly
	unknowns int        // placeholders that a plan made
	created  []Resource // by this run
	named    []Resource // that have their names from AWS, or are of the modules around
}

// do creates what is missing, makes the changes, and deletes what is no longer wanted, in the order in which the
// resources depend on each other; side by side where they do not.
func (a *apply) do(ctx context.Context) error {
	var slow []func(context.Context) error // of the stage before
	for _, kinds := range stages() {
		steps := slow
		slow = nil
		for _, k := range kinds {
			steps = append(steps, func(ctx context.Context) error { return k.apply(ctx, a) })
			if k, is := k.(slowKind); is {
				slow = append(slow, func(ctx context.Context) error { return k.settle(ctx, a) })
			}
		}
		if err := runConcurrently(steps...)(ctx); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{a.keepToken, a.tags, a.unwanted} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// runConcurrently makes one step of several that do not depend on each other.
func runConcurrently(steps ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		var group errgroup.Group // all go to their end: of a request that is broken off nobody knows what it made
		for _, step := range steps {
			group.Go(func() error { return step(ctx) })
		}
		return group.Wait()
	}
}

// resources are those the deployment has when the run succeeds.
func (a *apply) resources() []Resource {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := append(wanted(a.desired), a.named...)
	for i := range all {
		if all[i].Kind == replicationGroupKind {
			all[i].FinalSnapshot = a.finalSnapshot
		}
	}
	return all
}

// nameFinalSnapshot settles the name of the snapshot that the group's deletion takes. One that was made up stays: the
// record tells it.
func (a *apply) nameFinalSnapshot() {
	asked := a.call.FinalSnapshot()
	if a.finalSnapshot = asked.Name; !asked.MadeUp {
		return
	}
	for _, r := range a.before.Resources {
		if r.Kind == replicationGroupKind && strings.HasPrefix(r.FinalSnapshot, asked.Name+"-") {
			a.finalSnapshot = r.FinalSnapshot
			return
		}
	}
	a.finalSnapshot += "-" + strings.ToLower(rand.Text()[:8])
}

// record keeps what there was, and what there will be, as it is when its turn comes: one that had to wait would take
// back what the one before it has recorded.
func (a *apply) record(ctx context.Context) error {
	if a.planning {
		return nil
	}
	a.recording.Lock()
	defer a.recording.Unlock()
	all := a.resources()
	return a.Record(ctx, append(Without(a.before.Resources, all), all...))
}

// recordAhead records what is about to be made, or is there, under a name that is known before: an apply that dies
// leaves nothing that a destroy would not find.
func (a *apply) recordAhead(ctx context.Context, all ...Resource) error {
	for _, r := range all {
		a.keep(r)
	}
	return a.record(ctx)
}

// made notes something that has its name only now that this run created it, before anything else can go wrong.
func (a *apply) made(ctx context.Context, r Resource) error {
	a.creating(nil, r)
	a.keep(r)
	return a.record(ctx)
}

// keep notes a resource that the deployment will have.
func (a *apply) keep(r Resource) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.named = append(a.named, r)
}

// creating notes what a request with that end created. One that was broken off, or whose answer did not come, may have
// created it: only a refusal says that it has not.
func (a *apply) creating(err error, all ...Resource) {
	var refused smithy.APIError
	if errors.As(err, &refused) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.created = append(a.created, all...)
}

// interrupted says what becomes of a run that was broken off, in the place of the request that happened to be under
// way.
func (a *apply) interrupted(err error) error {
	switch {
	case !errors.Is(err, context.Canceled):
		return err
	case a.fresh:
		return errors.New("interrupted: what was created is deleted again")
	}
	return errors.New("interrupted: a part of the change may be made, the next apply completes it")
}

// undo deletes what a run created that was to make a new group, so that it leaves nothing half-made.
func (a *apply) undo(ctx context.Context) error {
	if !a.fresh {
		return nil
	}
	if err := a.Destroy(ctx, a.created); err != nil {
		return fmt.Errorf("cannot take back what was created: %w", err)
	}
	return a.Record(ctx, a.before.Resources)
}

// unwanted deletes what an earlier apply made and the call no longer asks for.
func (a *apply) unwanted(ctx context.Context) error {
	gone := Without(Without(a.before.Resources, a.resources()), a.before.Shared)
	if len(gone) == 0 {
		return nil
	}
	kept := map[string]bool{}
	for _, g := range a.desired.LogGroups {
		kept[*g.Create.LogGroupName] = g.Keep
	}
	gone = slices.DeleteFunc(gone, func(r Resource) bool { return r.Kind == logGroupKind && kept[r.Name] })
	gone = slices.DeleteFunc(gone, a.usedUntilTheWindow)
	if err := a.write(func() error { return a.Destroy(ctx, gone) }); err != nil {
		return err
	}
	for _, r := range gone {
		a.note(Step{Effect: Deletes, What: "deleted " + r.Kind + " " + r.Name})
	}
	return nil
}

// usedUntilTheWindow tells whether a resource is the parameter group that the replication group has until its
// maintenance window. The deployment keeps it, and the first apply after the window deletes it.
func (a *apply) usedUntilTheWindow(r Resource) bool {
	cluster := a.observed.CacheCluster
	if r.Kind != parameterGroupKind || a.desired.ApplyImmediately || cluster == nil ||
		cluster.CacheParameterGroup == nil || aws.ToString(cluster.CacheParameterGroup.CacheParameterGroupName) != r.Name {
		return false
	}
	a.keep(r)
	a.notes = append(a.notes, fmt.Sprintf("the parameter group %s is in use until the maintenance window: an `up` after "+
		"it deletes it", r.Name))
	return true
}

// done tells of what is done, or planned. Its first word is one of the verbs.
func (a *apply) done(format string, args ...any) {
	what := a.shown(fmt.Sprintf(format, args...))
	a.tell(Step{Effect: effectOf(what), What: what})
}

// allDone tells of several texts.
func (a *apply) allDone(texts []string) {
	for _, text := range texts {
		a.done("%s", text)
	}
}

// doneUnless tells of what is done where there is no error, and returns the error.
func (a *apply) doneUnless(err error, format string, args ...any) error {
	if err == nil {
		a.done(format, args...)
	}
	return err
}

// tell notes a step and tells of it.
func (a *apply) tell(s Step) {
	a.note(s)
	if !a.planning {
		a.Progress.Done(s.What)
	}
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

const sensitive = "(sensitive)"

// hides tells whether a value may be a secret: one of an input that came from a sensitive variable.
func (a *apply) hides() bool { return a.call.Sensitive || a.shared && a.call.Companions.Sensitive }

// shown is a text without the quoted values in it where one may be a secret.
func (a *apply) shown(text string) string {
	if !a.hides() {
		return text
	}
	return quoted.ReplaceAllLiteralString(text, strconv.Quote(sensitive))
}

// value is a value as a text without quotes has it.
func (a *apply) value(v string) string {
	if v != "" && a.hides() {
		return sensitive
	}
	return v
}

func (a *apply) note(s Step) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Shared = a.shared
	a.steps = append(a.steps, s)
}

// doneOnce tells only once of what is done in several places. In a plan of several calls what is around them may be
// done with another, so it is noted apart.
func (a *apply) doneOnce(what string) {
	what = a.shown(what)
	a.mu.Lock()
	s := Step{effectOf(what), what, a.shared}
	said := slices.ContainsFunc(a.steps, func(other Step) bool {
		return other.What == what && (other.Shared == s.Shared || !a.planning)
	})
	if !said {
		a.steps = append(a.steps, s)
	}
	a.mu.Unlock()
	if !said && !a.planning {
		a.Progress.Done(what)
	}
}

func of(changes []module.Change, resource string) []module.Change {
	return slices.DeleteFunc(slices.Clone(changes), func(c module.Change) bool { return c.Resource != resource })
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
