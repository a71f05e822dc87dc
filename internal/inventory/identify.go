// Package inventory finds larder's processes on this machine, whatever state directory they belong to, and ends them.
// It identifies a process by evidence: a name alone proves nothing.
package inventory

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"larder/internal/childenv"
)

// Facts are what the kernel reports about one process. Paths are as in the links in /proc, with " (deleted)" at the end
// if the file is gone.
type Facts struct {
	PID, Parent, Session int
	UID                  int // the real user
	Start                uint64
	State                byte     // R, S, D, T (stopped), t (traced), Z (ended) …
	Name                 string   // of the program at its start, at most 15 bytes
	Args                 []string // redis-server overwrites them with its title
	Environ              []string // at its start; redis-server overwrites them too
	Executable           string
	Dir                  string   // working directory
	Stdin                string   // the link of descriptor 0
	Files                []string // the links of its descriptors
	Claims               bool     // it listens on the name of an address block of larder's
	Foreign              bool     // it runs in another PID namespace, such as a container
	Unreadable           error    // why some of the facts are missing

	numbers []string // of the descriptors of Files
}

// Verdict says what a process is to larder.
type Verdict int

// Stranger, Ours, Unknown and Imitation are the verdicts.
const (
	Stranger  Verdict = iota // not larder's
	Ours                     // larder's, and this user's
	Unknown                  // looks like larder's, but cannot be inspected
	Imitation                // has larder's mark, but is not what the mark says
)

// Identity describes a process of larder's.
type Identity struct {
	Kind  childenv.Kind
	State string // the state directory, as the kernel names it now; as the mark names it if it was unmounted or moved
	ID    string // of a node or relay; empty for an engine
	// the marked directory: the engine's state directory, or the directory of a node or relay; empty without a mark
	Mark  string
	Works string // the working directory of a node or relay, as the kernel names it now
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

// Identify decides what a process is. Everything that its kind requires must be true:
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

// resembles returns which kind a process may be, by its name and arguments alone; empty for none.
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

// engine returns the identity of a process that was started as an engine.
func (f Facts) engine(mark string, marked bool) (Identity, bool) {
	i := slices.IndexFunc(f.Files, func(link string) bool { return filepath.Base(undeleted(link)) == storeName })
	if i < 0 || !marked && !f.Claims {
		return Identity{}, false
	}
	return Identity{Kind: childenv.Engine, State: stateOf(filepath.Dir(undeleted(f.Files[i]))), Mark: mark}, true
}

// child returns the identity of a process that was started as a node or relay. If its directory was moved, the mark
// says where it was.
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

// stateOf returns the state directory that contains dir: dir itself, or for a region other than the first, the
// directory that contains regions/NAME.
func stateOf(dir string) string {
	if regions := filepath.Dir(dir); filepath.Base(regions) == regionsName {
		return filepath.Dir(regions)
	}
	return dir
}

// named reports whether a process has the usual name of its kind.
func (f Facts) named(kind childenv.Kind) bool {
	return kind == childenv.Node || f.Name == programName || len(f.Args) > 0 && filepath.Base(f.Args[0]) == programName
}

// asked reports whether a process is a redis-server that an engine started to get its version, which has the engine's
// mark.
func (f Facts) asked() bool { return strings.HasPrefix(f.Name, serverName) }

func undeleted(link string) string { return strings.TrimSuffix(link, deletedSuffix) }
