package cli

import (
	"fmt"
	"os"

	"larder/internal/app"
)

// remember keeps the state directory that a command works with open, so that homeWent can tell whether it is the same
// at the end. Where it cannot be opened, what the command does with it fails and says why.
func (t *tool) remember(home app.Home) {
	if t.held != nil {
		return
	}
	if dir, err := os.Open(string(home)); err == nil {
		t.held, t.heldHome = dir, home
	}
}

// homeWent is an error when the state directory was deleted, moved or replaced while the command ran, nil otherwise.
func (t *tool) homeWent() error {
	if t.held == nil {
		return nil
	}
	defer t.held.Close() // read only: a failing close loses nothing
	if t.heldHome.Answers() != nil {
		return nil // what cannot be looked at is not known to be gone
	}
	if is, err := t.heldHome.Is(t.held); is || err != nil {
		return nil
	}
	return fmt.Errorf("the state directory %s was deleted, moved or replaced meanwhile: its engine ends, with its "+
		"nodes and their data\n"+
		"next: `larder up DIR` begins a new installation", t.heldHome)
}
