// Package doctor decides what is wrong with larder on a machine, from what was seen of it. It looks at nothing itself.
package doctor

import (
	"time"

	"larder/internal/inventory"
)

// Machine is what was seen of a machine at one moment, on behalf of one user.
type Machine struct {
	inventory.Inventory
	Home        string            // the state directory that commands use here
	Directories []Directory       // Home first, then others that engines and nodes have
	Engines     map[int]Engine    // what the engines answered, by process id; an engine that is not in it was not asked
	Settings    []Setting         // variables that larder cannot use as they are
	Address     Address           // of the API of an engine that would be started here
	Servers     error             // why no redis-server can be used; nil: there is one
	Loopback    error             // why an address that nodes have cannot be used; nil: they can
	Descriptors uint64            // the hard limit on open files of an engine that would be started here
	Shell       map[string]string // those of the variables of `larder env` that this shell has
	Wanted      map[string]string // what `larder env` would print; empty where no engine answers at Home
	OldCLI      string            // the version of this shell's AWS CLI, if it does not read AWS_ENDPOINT_URL
	Version     string            // of this larder
	Now         time.Time
}

// Directory is a state directory.
type Directory struct {
	Path      string  // as it was given
	Missing   bool    // there is none: nothing was ever started, or it was deleted
	Err       error   // why it cannot be looked at
	Real      string  // the path without links
	Modes     string  // in words: which files in it others may read, or this user may not; empty: none
	Refused   []error // what an engine would refuse for whose it is or what is in the place of its files
	Unusable  error   // why an engine would refuse it: its store or key is gone, for instance
	Info      error   // why engine.json cannot be read
	Holder    int     // the process that holds it; 0: none, or one that may not be looked at
	Held      bool
	Leftovers []File    // temporary files of engines that were killed
	Damaged   []File    // files that an engine set aside
	Newest    time.Time // the last change that larder made in it; zero: none
	Room      Room
}

// File is a file of a state directory.
type File struct {
	Path    string
	Changed time.Time
}

// Room is what a file system has left for this user.
type Room struct {
	Bytes, Inodes uint64
	Counted       bool // it counts inodes
}

// Engine is what an engine answered.
type Engine struct {
	Err      error // why it did not
	PID      int   // of the process that answered
	Endpoint string
	Version  string
	Groups   []Group
	Damage   []Damage
	Warnings []GroupWarning // see Warn
}

// Damage is something that an engine cannot read.
type Damage struct {
	Check  Check // one of damages
	Region string
	What   string // what it is and what is wrong with it; of a record also the way to be rid of it
}

// Group is a replication group that is not as it should be.
type Group struct{ ID, Status, Reason string }

// Setting is a variable of the environment, and what is wrong with it.
type Setting struct {
	Name string
	Err  error
}

// Address is where an engine would serve the API.
type Address struct {
	Text   string
	Taken  bool   // a process listens there
	PID    int    // of that; 0: it may not be looked at
	Holder string // who it is, in words
}
