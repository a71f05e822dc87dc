package inventory

import (
	"slices"
	"strings"

	"larder/internal/childenv"
)

// Process is a process of larder's and of this user.
type Process struct {
	PID, Parent int
	Start       uint64 // when it started, in clock ticks since boot: with the PID it identifies a process uniquely
	Identity
	// Lost is the directory of the process that its path does not lead to any more: it was deleted, replaced, or is on a
	// file system that was unmounted. It is empty if nothing is lost.
	Lost string
	// StateNumber is the device and inode of the state directory, even if it is deleted; empty if not known.
	StateNumber string
	// Root is the path under which the process's files can be accessed. In another mount namespace, a path can lead to
	// other files.
	Root string
	// Stopped reports that a signal or a debugger keeps it from running.
	Stopped bool
	// Foreign reports that it runs in another PID namespace, such as a container. This larder does not end it.
	Foreign bool
	// Replaced reports that its program file was replaced or deleted since it started.
	Replaced bool
	// Descriptors is the hard limit on its open files; 0 if not known.
	Descriptors uint64
}

// Suspect is a process that may be one of larder's, or claims to be.
type Suspect struct {
	PID  int
	Name string
	Kind childenv.Kind // the kind that it may be or claims to be
	Why  error         // nil for a process that has larder's mark and is not larder's
}

// Inventory lists the running processes of larder and this user.
type Inventory struct {
	Processes []Process // engines first, then nodes, then relays; each ordered by id
	Unknown   []Suspect // look like larder's, but cannot be inspected
	Imitators []Suspect // have larder's mark, but are not larder's
	Hidden    bool      // /proc does not show processes that may not be inspected (hidepid)
}

// Of returns the processes of a kind.
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

// SameState reports whether two processes belong to the same state directory. A directory that was deleted and created
// again at its path is another one.
func (p Process) SameState(q Process) bool {
	if p.StateNumber != "" && q.StateNumber != "" {
		return p.StateNumber == q.StateNumber
	}
	return p.State == q.State && p.Root == q.Root && (p.Lost == "") == (q.Lost == "")
}

// Same reports whether p and q are the same process.
func (p Process) Same(q Process) bool { return p.PID == q.PID && p.Start == q.Start }

// BelongsTo reports whether a state directory is, or was, the process's. home is the path as the mark names it, real
// the path without links.
func (p Process) BelongsTo(home, real string) bool {
	return p.State == real || p.Mark == home || p.Mark == real ||
		p.Kind != childenv.Engine && (strings.HasPrefix(p.Mark, home+"/") || strings.HasPrefix(p.Mark, real+"/"))
}

// order sorts processes in the order of an Inventory.
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
