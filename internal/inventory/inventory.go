package inventory

import (
	"slices"
	"strings"

	"larder/internal/childenv"
)

// Process is one of larder's, of this user.
type Process struct {
	PID, Parent int
	Start       uint64 // when it started, in clock ticks since the boot: with the PID it names one process for good
	Identity
	// Lost is the directory of the process that its path does not lead to any more: deleted, replaced, or on a file
	// system that was unmounted. It is empty where all is there.
	Lost string
	// StateNumber names the state directory by device and inode, also when it is deleted; empty where that is not
	// known.
	StateNumber string
	// Root leads to the files that the process sees: another mount namespace may have others at a path.
	Root string
	// Stopped says that a signal or a debugger keeps it from running.
	Stopped bool
	// Foreign says that it runs in another PID namespace, such as a container: it is not this one's to end.
	Foreign bool
	// Replaced says that the file of its program was replaced or deleted since it started.
	Replaced bool
	// Descriptors is the hard limit on its open files; 0 where it is not known.
	Descriptors uint64
}

// Suspect is a process that may be one of larder's, or says that it is.
type Suspect struct {
	PID  int
	Name string
	Kind childenv.Kind // of which it may be, or says that it is
	Why  error         // nil for one that carries larder's mark and is none of larder's
}

// Inventory is what runs of larder, of this user.
type Inventory struct {
	Processes []Process // engines first, then nodes, then relays; each by its id
	Unknown   []Suspect // look like larder's, and cannot be looked at
	Imitators []Suspect // carry larder's mark, and are none of larder's
	Hidden    bool      // /proc does not show what may not be looked at (hidepid)
}

// Of are the processes of a kind.
func (v Inventory) Of(kind childenv.Kind) []Process {
	return slices.DeleteFunc(slices.Clone(v.Processes), func(p Process) bool { return p.Kind != kind })
}

// Engine finds the engine of the state directory that a node or relay belongs to.
func (v Inventory) Engine(of Process) (engine Process, found bool) {
	for _, p := range v.Of(childenv.Engine) {
		if p.SameState(of) {
			return p, true
		}
	}
	return Process{}, false
}

// SameState tells whether two processes belong to one state directory. Where a path was deleted and made again, each is
// another one.
func (p Process) SameState(q Process) bool {
	if p.StateNumber != "" && q.StateNumber != "" {
		return p.StateNumber == q.StateNumber
	}
	return p.State == q.State && p.Root == q.Root && (p.Lost == "") == (q.Lost == "")
}

// Same tells whether two are one process.
func (p Process) Same(q Process) bool { return p.PID == q.PID && p.Start == q.Start }

// BelongsTo tells whether a state directory is, or was, the process's: by the path without links, or as its mark names
// it.
func (p Process) BelongsTo(home, real string) bool {
	return p.State == real || p.Mark == home || p.Mark == real ||
		p.Kind != childenv.Engine && (strings.HasPrefix(p.Mark, home+"/") || strings.HasPrefix(p.Mark, real+"/"))
}

// order sorts processes as an Inventory has them.
func order(all []Process) {
	kinds := []childenv.Kind{childenv.Engine, childenv.Node, childenv.Relay}
	slices.SortFunc(all, func(a, b Process) int {
		if a.Kind != b.Kind {
			return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind)
		}
		if c := strings.Compare(a.State, b.State); c != 0 {
			return c
		}
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return a.PID - b.PID
	})
}
