// Package inventory finds larder's processes on this machine, whatever state directory they belong to, and ends them.
// What a process is it decides in one place, by evidence: its name alone proves nothing.
package inventory

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"larder/internal/childenv"
)

// Facts are what the kernel tells of one process. Paths are as the links in /proc have them, with " (deleted)" at the
// end of one that leads nowhere any more.
type Facts struct {
	PID, Parent, Session int
	UID                  int // the real user
	Start                uint64
	State                byte     // R, S, D, T (stopped), t (traced), Z (ended) …
	Name                 string   // of the program as it was started, at most 15 bytes
	Args                 []string // redis-server overwrites them with its title
	Environ              []string // as it was started; redis-server overwrites them too
	Executable           string
	Dir                  string   // working directory
	Stdin                string   // what descriptor 0 is
	Files                []string // what its descriptors are
	Claims               bool     // it listens on the name of an address block of larder's
	Foreign              bool     // it runs in another PID namespace, as a container's processes do
	Unreadable           error    // why some of the facts are missing

	numbers []string // of the descriptors of Files
}

// Verdict is what a process is for larder.
type Verdict int

// The verdicts.
const (
	Stranger  Verdict = iota // none of larder's
	Ours                     // larder's, and this user's
	Unknown                  // it looks like one of larder's, and cannot be looked at
	Imitation                // it carries larder's mark, and does not do what such a process of larder's does
)

// Identity is what a process of larder's is.
type Identity struct {
	Kind  childenv.Kind
	State string // the state directory, as the kernel names it now; as the mark does where that was unmounted or moved
	ID    string // of a node or relay; empty for an engine
	Mark  string // the directory of its mark: the engine's state directory, another process's own; empty without a mark
	Works string // the directory that a node or relay works in, as the kernel names it now
}

const (
	deletedSuffix = " (deleted)"
	storeName     = "larder.db"
	nodesName     = "nodes"
	regionsName   = "regions"
	serveArg      = "serve"
	relayArg      = "relay"
	serverName    = "redis-server"
	programName   = "larder"
)

// Identify decides what a process is. All of what a kind asks for has to hold:
//
//	kind    started as          leads its session  and
//	engine  `larder … serve …`  -                  holds larder.db open, and has a mark or claims an address block
//	node    redis-server…       yes                reads larder's file in memory, and works in nodes/ID, or began there
//	relay   `larder relay`      yes                reads larder's file in memory, and works in nodes/ID, or began there
func Identify(f Facts, uid int) (Identity, Verdict) {
	if f.UID != uid || f.State == 'Z' || f.State == 'X' {
		return Identity{}, Stranger
	}
	kind, dir, marked := childenv.Mark(f.Environ)
	if !marked {
		dir = ""
	}
	likely := f.resembles()
	switch {
	case f.Unreadable != nil && likely != "" && f.named(likely):
		return Identity{Kind: likely}, Unknown
	case likely == childenv.Engine:
		if id, is := f.engine(dir, marked && kind == childenv.Engine); is {
			return id, Ours
		}
	case likely != "":
		if id, is := f.child(likely, dir, !marked || kind == likely); is {
			return id, Ours
		}
	}
	if marked && !f.asked() {
		return Identity{Kind: kind, Mark: dir}, Imitation
	}
	return Identity{}, Stranger
}

// resembles tells by its name and arguments alone of which kind a process may be; empty: none.
func (f Facts) resembles() childenv.Kind {
	switch {
	case strings.HasPrefix(f.Name, serverName) && f.Session == f.PID:
		return childenv.Node
	case len(f.Args) == 2 && f.Args[1] == relayArg && f.Session == f.PID:
		return childenv.Relay
	case len(f.Args) > 1 && slices.Contains(f.Args[1:], serveArg):
		return childenv.Engine
	}
	return ""
}

// engine is the identity of a process that was started as an engine.
func (f Facts) engine(mark string, marked bool) (Identity, bool) {
	i := slices.IndexFunc(f.Files, func(link string) bool { return filepath.Base(undeleted(link)) == storeName })
	if i < 0 || !marked && !f.Claims {
		return Identity{}, false
	}
	return Identity{Kind: childenv.Engine, State: stateOf(filepath.Dir(undeleted(f.Files[i]))), Mark: mark}, true
}

// child is the identity of a process that was started as a node or relay. Where its directory was given another place,
// the mark tells which it had.
func (f Facts) child(kind childenv.Kind, mark string, may bool) (Identity, bool) {
	inNodes := func(dir string) bool { return filepath.Base(filepath.Dir(dir)) == nodesName }
	works := undeleted(f.Dir)
	given, started := childenv.StdinMark(f.Stdin)
	dir := works
	if !inNodes(dir) {
		dir = given
	}
	if !may || !started || !inNodes(dir) {
		return Identity{}, false
	}
	return Identity{Kind: kind, State: stateOf(filepath.Dir(filepath.Dir(dir))), ID: filepath.Base(dir),
		Mark: cmp.Or(mark, given), Works: works}, true
}

// stateOf is the state directory of what is kept in dir: itself, or, where it is of a region but the first, the one
// that regions/NAME is in.
func stateOf(dir string) string {
	if regions := filepath.Dir(dir); filepath.Base(regions) == regionsName {
		return filepath.Dir(regions)
	}
	return dir
}

// named tells whether a process has the name that its kind usually has.
func (f Facts) named(kind childenv.Kind) bool {
	return kind == childenv.Node || f.Name == programName || len(f.Args) > 0 && filepath.Base(f.Args[0]) == programName
}

// asked tells whether a process has its mark from an engine that asks redis-server for its version.
func (f Facts) asked() bool { return strings.HasPrefix(f.Name, serverName) }

func undeleted(link string) string { return strings.TrimSuffix(link, deletedSuffix) }
