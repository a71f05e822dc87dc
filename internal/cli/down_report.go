package cli

import (
	"errors"
	"slices"

	"larder/internal/inventory"
)

// downReport is what `down --json` prints.
type downReport struct {
	Stopped []runningProcess `json:"stopped"`
	// Left are the engines, nodes and relays of yours that run on, of other state directories too.
	Left []runningProcess `json:"left"`
}

// reportDown stops what stop does, and with --json prints what is gone by the kernel's word, of this state directory or
// of all. Where nothing is, and stop fails, its error is all that there is to say.
func (t *tool) reportDown(all bool, stop func() error) error {
	if !t.json {
		return stop()
	}
	before, err := inventory.Scan()
	if err != nil {
		return err
	}
	concerned, err := t.concerned(all, before)
	if err != nil {
		return err
	}
	errStop := stop()
	after, err := inventory.Scan()
	if err != nil {
		return errors.Join(errStop, err)
	}
	gone := slices.DeleteFunc(concerned,
		func(p inventory.Process) bool { return slices.ContainsFunc(after.Processes, p.Same) })
	if errStop != nil && len(gone) == 0 {
		return errStop
	}
	return errors.Join(errStop, printJSON(t.Stdout, downReport{running(gone), running(ours(after.Processes))}))
}

// concerned are the processes that a down is about.
func (t *tool) concerned(all bool, found inventory.Inventory) ([]inventory.Process, error) {
	own := ours(found.Processes)
	if all {
		return own, nil
	}
	home, err := t.home()
	if err != nil {
		return nil, err
	}
	real, err := realHome(home)
	return slices.DeleteFunc(own, func(p inventory.Process) bool { return !p.BelongsTo(string(home), real) }), err
}
