package app

import (
	"fmt"
	"time"
)

// The state directory of an engine that runs may be deleted, moved or replaced, and so may each file in it. An engine
// whose directory is gone would be a ghost: no command finds it or its nodes, and it has their addresses. What follows
// from what is decided here.

// kind is what something in a state directory is to the engine.
type kind string

const (
	directory kind = "the state directory"
	database  kind = "larder.db"
	keyFile   kind = "master.key"
	infoKind  kind = "engine.json"
	sockKind  kind = "engine.sock"
	trust     kind = "ca.pem, ca-bundle.pem"
	ownLog    kind = "engine.log" // of an engine in the background
	nodesDir  kind = "nodes/"
	storeDir  kind = "logs/, metrics/"             // whose files the engine has open
	folder    kind = "snapshots/, mail/, regions/" // whose files it opens when they are needed
)

// sighting is what a look found.
type sighting string

const (
	there    sighting = "there"
	gone     sighting = "gone"     // nothing has its name
	replaced sighting = "replaced" // something else has its name
	deleted  sighting = "deleted"  // it has no name at all any more; told of directories only
	// It cannot be looked at (EACCES, EIO, a file system that does not answer): nothing follows from that.
	unclear sighting = "unclear"
)

// remedy is what the engine does.
type remedy string

const (
	goOn     remedy = ""
	tell     remedy = "say so once, and go on"
	end      remedy = "end the nodes, the relays and the engine"
	endLater remedy = "the same, unless it is back within 2 seconds"
	mend     remedy = "make it anew from what the engine holds, and say so"
	setAside remedy = "keep the other file as NAME.replaced-TIME, make its own anew, and say so"
)

// remedies is the table of what follows from a sighting. What is not in it has no consequence.
var remedies = map[kind]map[sighting]remedy{
	// A deleted directory never comes back. One that was moved does when a link, or the directory itself, is put in its
	// place.
	directory: {deleted: end, gone: endLater, replaced: endLater, unclear: tell},
	database:  {gone: mend, replaced: setAside, unclear: tell},
	keyFile:   {gone: mend, replaced: setAside, unclear: tell},
	infoKind:  {gone: mend, unclear: tell},
	sockKind:  {gone: mend, replaced: mend, unclear: tell},
	trust:     {gone: mend, unclear: tell},
	ownLog:    {gone: mend, replaced: mend, unclear: tell}, // such as by logrotate
	nodesDir:  {gone: mend, replaced: mend, unclear: tell},
	storeDir:  {gone: mend, replaced: mend, unclear: tell},
	folder:    {gone: mend, unclear: tell},
}

// comeback is how long a directory that was moved may take to come back.
const comeback = 2 * time.Second

// remedyFor decides what to do about something that has been seen so for a while.
func remedyFor(k kind, s sighting, since time.Duration) remedy {
	switch r := remedies[k][s]; {
	case r != endLater:
		return r
	case since >= comeback:
		return end
	}
	return goOn
}

// GoneError says that an engine ended because its state directory was gone.
type GoneError struct {
	Home  Home
	Seen  string // deleted, gone or replaced
	Now   string // where the directory is now; empty where that is not known
	Ended int    // processes: nodes and relays
	Err   error  // of their ending, if any
}

func (e *GoneError) Error() string {
	what, data, next := "was deleted", "the data in them are lost", "`larder up DIR` begins a new installation"
	switch {
	case e.Now != "":
		what = "is now " + e.Now
		next = fmt.Sprintf("move it back, or use it with LARDER_HOME=%s; `larder up DIR` then brings the groups "+
			"back, empty or as their newest snapshots", e.Now)
	case e.Seen == string(replaced):
		what = "is another directory now"
	case e.Seen == string(gone):
		what = "is gone"
	}
	text := fmt.Sprintf("the state directory %s %s while the engine ran: the engine and its %d nodes and relays are "+
		"ended, %s; next: %s",
		e.Home, what, e.Ended, data, next)
	if e.Err != nil {
		text += "; not all could be ended: " + e.Err.Error()
	}
	return text
}

// Unwrap is what went wrong when the nodes were ended.
func (e *GoneError) Unwrap() error { return e.Err }
