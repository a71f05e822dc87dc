// Package childenv decides what environment the processes that larder starts get. A shell's environment holds what is
// no business of theirs, such as Terraform's TF_VAR_ variables with tokens in them, and a process's environment stays
// readable in /proc for as long as it runs.
package childenv

import (
	"slices"
	"strings"
)

// Kind is what a process is for larder.
type Kind string

// The kinds of process that go on by themselves.
const (
	Engine Kind = "engine"
	Node   Kind = "node"
	Relay  Kind = "relay"
)

// The variables that mark a process as larder's: its kind, and the directory that it belongs to. They outlive that
// directory.
const (
	KindVariable = "LARDER_PROCESS"
	DirVariable  = "LARDER_PROCESS_DIR"
)

// stdinName is how the file in memory is called that a node or relay reads as its standard input. The name outlives the
// environment, which redis-server overwrites, and every file of a state directory.
const stdinName = "larder-0"

// StdinName names the file in memory that becomes the standard input of a node or relay which works in dir. It is a
// mark as the environment has, as far as the kernel lets names be that long (249 bytes).
func StdinName(dir string) string {
	const longest = 249
	if name := stdinName + " " + dir; len(name) <= longest {
		return name
	}
	return stdinName
}

// StdinMark tells from what /proc says of a process's descriptor 0 whether larder started it as a node or relay, and
// for which directory; that is empty where the name has no room for it, or an older larder gave it.
func StdinMark(link string) (dir string, found bool) {
	name, found := strings.CutPrefix(strings.TrimSuffix(link, " (deleted)"), "/memfd:"+stdinName)
	if !found || name != "" && name[0] != ' ' {
		return "", false
	}
	return strings.TrimPrefix(name, " "), true
}

// common is what every kind gets: where programs, libraries and temporary files are, language, time zone, and how Go
// and the C library run. LARDER_CLOCK variables are those of the clocks that larder's own tests move.
var common = []string{"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LANG", "LC_*", "LD_LIBRARY_PATH",
	"LD_PRELOAD", "MALLOC_*",
	"GODEBUG", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GORACE", "GOTRACEBACK", "GOCOVERDIR", "LARDER_CLOCK*"}

// passed are the variables that each kind gets; one that ends in * stands for all that begin so.
var passed = map[Kind][]string{
	Engine: append(slices.Clone(common), "LARDER_HOME", "LARDER_LISTEN", "LARDER_BUSY_LIMIT", "LARDER_LOST_DATA",
		"LARDER_METRICS_INTERVAL", "XDG_STATE_HOME"),
	Node:  common,
	Relay: common,
}

// Of returns the environment of a process of that kind which belongs to dir: what it is passed of environ, and its
// mark. It is the same when it is made of its own result.
func Of(kind Kind, dir string, environ []string) []string {
	env := []string{}
	for _, v := range environ {
		name, _, _ := strings.Cut(v, "=")
		if passes(passed[kind], name) {
			env = append(env, v)
		}
	}
	return append(env, KindVariable+"="+string(kind), DirVariable+"="+dir)
}

func passes(list []string, name string) bool {
	return slices.ContainsFunc(list, func(p string) bool {
		prefix, some := strings.CutSuffix(p, "*")
		return name == p || some && strings.HasPrefix(name, prefix)
	})
}

// Mark reads the mark of a process from its environment; false says that it has none.
func Mark(environ []string) (kind Kind, dir string, found bool) {
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case KindVariable:
			kind = Kind(value)
		case DirVariable:
			dir = value
		}
	}
	_, known := passed[kind]
	return kind, dir, known && dir != ""
}
