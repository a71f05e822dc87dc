package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"larder/internal/app"
	"larder/internal/childenv"
	"larder/internal/doctor"
	"larder/internal/inventory"
	"larder/internal/services/larder"
)

const (
	stopAnswer = 5 * time.Second  // for an engine to take the request to end
	stopNodes  = 30 * time.Second // for it to end with its nodes
	stopGrace  = 10 * time.Second // for one that is signalled
)

// downAll ends every engine, node and relay of this user on this machine.
func (t *tool) downAll(ctx context.Context, yes bool) error {
	found, err := inventory.Scan()
	if err != nil {
		return err
	}
	shown := ours(found.Processes)
	if len(shown) > 0 {
		fmt.Fprintf(t.Stderr, "%s of yours on this machine:\n", doctor.Count(shown))
		width, _ := terminal(t.Stderr)
		for _, l := range processLines(shown, width) {
			if err := t.Stderr.line(l, 0, false); err != nil {
				return err
			}
		}
		if err := t.confirm(ctx, yes, fmt.Sprintf("Stop %s? The data in the nodes are lost.",
			doctor.Count(shown))); err != nil {
			return err
		}
	}
	problems := t.endAll(ctx, shown)
	left, err := inventory.Scan()
	if err != nil {
		return errors.Join(problems, err)
	}
	return errors.Join(problems, t.reportAll(shown, left))
}

// ours are the processes of this PID namespace. A container's are for that to end.
func ours(all []inventory.Process) []inventory.Process {
	return slices.DeleteFunc(slices.Clone(all), func(p inventory.Process) bool { return p.Foreign })
}

// endAll ends processes, engines first, since an engine starts nodes; then what belongs to the same state directories
// and was started since.
func (t *tool) endAll(ctx context.Context, shown []inventory.Process) (problems error) {
	for _, p := range shown {
		if p.Kind != childenv.Engine {
			continue
		}
		if err := t.endEngine(ctx, p); err != nil && !errors.Is(err, inventory.ErrGone) {
			problems = errors.Join(problems, err)
		}
	}
	now, err := inventory.Scan()
	if err != nil {
		return errors.Join(problems, err)
	}
	for _, p := range ours(now.Processes) {
		if p.Kind == childenv.Engine || !slices.ContainsFunc(shown, p.SameState) &&
			!slices.ContainsFunc(shown, p.Same) {
			continue
		}
		if err := end(ctx, p, 0); err != nil && !errors.Is(err, inventory.ErrGone) {
			problems = errors.Join(problems, err)
		}
	}
	return problems
}

// endEngine has an engine end with its nodes, and signals one that does not do so.
func (t *tool) endEngine(ctx context.Context, p inventory.Process) error {
	if p.Lost == "" && !p.Stopped {
		err := t.stopEngine(ctx, p)
		if err == nil || errors.Is(err, inventory.ErrGone) {
			return err
		}
		fmt.Fprintf(t.Stderr, "engine %d of %s does not end when it is asked to (%v): it is signalled\n", p.PID,
			p.State, err)
	}
	return end(ctx, p, stopGrace)
}

// end ends a process by signals.
func end(ctx context.Context, p inventory.Process, grace time.Duration) error {
	h, err := inventory.Open(p)
	if err != nil {
		return err
	}
	return errors.Join(h.End(ctx, grace), h.Close())
}

// stopEngine has an engine end with its nodes, through its socket.
func (t *tool) stopEngine(ctx context.Context, p inventory.Process) (err error) {
	h, err := inventory.Open(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	asking, cancel := context.WithTimeout(ctx, stopAnswer)
	defer cancel()
	c, answer := t.connectTo(asking, p)
	switch {
	case answer.Err != nil:
		return answer.Err
	case answer.PID != p.PID:
		return fmt.Errorf("process %d has its socket", answer.PID)
	}
	if err := c.call(asking, "StopEngine", larder.StopEngineInput{}, &larder.StopEngineOutput{}); err != nil {
		return err
	}
	gone, err := h.Await(ctx, stopNodes)
	if err == nil && !gone {
		err = fmt.Errorf("it has not ended within %s", stopNodes)
	}
	return err
}

// reportAll says what was ended and what is left; the latter is a failure.
func (t *tool) reportAll(shown []inventory.Process, left inventory.Inventory) error {
	ended := slices.DeleteFunc(slices.Clone(shown),
		func(p inventory.Process) bool { return slices.ContainsFunc(left.Processes, p.Same) })
	switch {
	case len(ended) > 0:
		t.tell("%s stopped; the data in nodes are gone.\n", doctor.Count(ended))
	case len(shown) == 0:
		t.tell("No engine, node or relay of yours runs on this machine.\n")
	}
	var errs []error
	if remain := ours(left.Processes); len(remain) > 0 {
		errs = append(errs, fmt.Errorf("still there: %s\nnext: `larder doctor` shows what they are", leftText(remain)))
	}
	if foreign := slices.DeleteFunc(slices.Clone(left.Processes),
		func(p inventory.Process) bool { return !p.Foreign }); len(foreign) > 0 {
		errs = append(errs,
			fmt.Errorf("left alone: %s in another PID namespace, such as a container\nnext: run `larder down "+
				"--all` there", leftText(foreign)))
	}
	for _, s := range left.Unknown {
		errs = append(errs,
			fmt.Errorf("left alone: process %d (%s), which may be one of larder's and cannot be looked at: %w", s.PID,
				s.Name, s.Why))
	}
	return errors.Join(errs...)
}

// elsewhere says what runs of larder beside the state directory that a command is about: what belonged to it before it
// was deleted, and what belongs to others.
func (t *tool) elsewhere(home app.Home) error {
	found, err := inventory.Scan()
	if err != nil {
		return fmt.Errorf("nothing runs on the state directory %s, and whether anything of larder runs elsewhere "+
			"cannot be told: %w", home, err)
	}
	if err := lostOf(home, found); err != nil {
		return fmt.Errorf("no engine and no nodes are running on the state directory as it is now, but %w", err)
	}
	if others := doctor.Count(ours(found.Processes)); others != "" {
		t.tell("No engine and no nodes are running on the state directory %s. Elsewhere on this machine: %s of yours: "+
			"`larder doctor` lists them, `larder down --all` ends them.\n", home, others)
		return nil
	}
	t.tell("No engine and no nodes are running.\n")
	return nil
}

// lostOf says what runs of a state directory that was at this path and is not any more.
func lostOf(home app.Home, found inventory.Inventory) error {
	real, err := realHome(home)
	if err != nil {
		return err
	}
	lost := slices.DeleteFunc(ours(found.Processes),
		func(p inventory.Process) bool { return p.Lost == "" || !p.BelongsTo(string(home), real) })
	if len(lost) == 0 {
		return nil
	}
	return fmt.Errorf("%s still there whose directory, once at %s, was deleted, replaced or unmounted\n"+
		"next: `larder doctor` lists them, `larder down --all` ends them and every other engine of yours",
		leftText(lost), home)
}

// realHome is the path of a state directory without links, also where it is not there.
func realHome(home app.Home) (string, error) {
	path, missing := string(home), ""
	for {
		real, err := filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Join(real, missing), nil
		}
		up := filepath.Dir(path)
		if up == path {
			return "", fmt.Errorf("cannot tell where the state directory %s is: %w", home, err)
		}
		path, missing = up, filepath.Join(filepath.Base(path), missing)
	}
}
