package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"larder/internal/childenv"
)

// What is little. A node's log takes 5 MiB at most, and each write of the store some pages.
const (
	littleRoom   = 64 << 20 // bytes
	littleInodes = 1000
	skew         = time.Minute     // of clocks that are right
	writing      = 5 * time.Minute // a temporary file that is older is nobody's
)

func directories(m Machine) (all []Finding) {
	for i, d := range m.Directories {
		if i == 0 && d.Missing { // nothing was started here yet
			continue
		}
		all = append(all, d.state(m)...)
	}
	return all
}

// state says what is wrong with the directory itself.
func (d Directory) state(m Machine) (all []Finding) {
	add := func(severity Severity, next, format string, args ...any) {
		all = append(all, Finding{Severity: severity, Check: StateDirectory, Directory: d.Path,
			Message: fmt.Sprintf(format, args...), Next: next})
	}
	if d.Missing {
		return nil // its processes are findings
	}
	if d.Err != nil {
		what, next, known := strings.Cut(d.Err.Error(), "\nnext: ")
		if !known {
			what = fmt.Sprintf("the state directory %s cannot be looked at: %s", d.Path, what)
			next = "choose another with LARDER_HOME, or mend that"
		}
		add(Error, next, "%s", what)
	}
	if d.Modes != "" {
		add(Error, "an engine that runs mends that within seconds, one that starts at once; `larder serve` starts one",
			"the modes in the state directory %s let other users at secrets, or this one not: %s", d.Path, d.Modes)
	}
	for _, reason := range append(slices.Clone(d.Refused), d.Unusable) {
		if reason != nil {
			what, next, _ := strings.Cut(reason.Error(), "\nnext: ")
			add(Error, next, "%s", what)
		}
	}
	if d.Info != nil && d.Held {
		add(Error, "end the engine's process (its nodes go on), then `larder serve`, which writes the file anew", "%v",
			d.Info)
	}
	return all
}

// holders says of directories that a process holds which is no engine of this user that was found.
func holders(m Machine) (all []Finding) {
	for _, d := range m.Directories {
		known := false
		for _, p := range m.Of(childenv.Engine) {
			known = known || p.State == d.Real || p.PID == d.Holder
		}
		if !d.Held || known {
			continue
		}
		who := "a process that may not be looked at, such as one of another user or container"
		var ids []int
		if d.Holder != 0 {
			who, ids = fmt.Sprintf("process %d", d.Holder), []int{d.Holder}
		}
		all = append(all, Finding{
			Severity: Error, Check: StateDirectory, Directory: d.Path, PIDs: ids,
			Message: fmt.Sprintf("the state directory %s is held by %s, which is no engine of yours: none can "+
				"start on it", d.Path, who),
			Next: "end that process, or choose another directory with LARDER_HOME",
		})
	}
	return all
}

func room(m Machine) (all []Finding) {
	for _, d := range m.Directories {
		if d.Err != nil {
			continue
		}
		f := Finding{Severity: Warning, Check: DiskRoom, Directory: d.Path, Next: "free some space on that file system"}
		switch r := d.Room; {
		case r.Bytes < littleRoom:
			f.Message = fmt.Sprintf("little room for %s: %d MiB are free", d.Path, r.Bytes>>20)
		case r.Counted && r.Inodes < littleInodes:
			f.Message = fmt.Sprintf("few files can be made in %s: %d inodes are free", d.Path, r.Inodes)
		default:
			continue
		}
		all = append(all, f)
	}
	return all
}

func clock(m Machine) (all []Finding) {
	for _, d := range m.Directories {
		if ahead := d.Newest.Sub(m.Now); ahead > skew {
			all = append(all, Finding{
				Severity: Warning, Check: Clock, Directory: d.Path,
				Message: fmt.Sprintf("the clock is behind what larder recorded in %s, by %s: signatures, "+
					"certificates and metrics go by it", d.Path, ahead.Round(time.Second)),
				Next: "set the machine's clock, with `timedatectl` for instance",
			})
		}
	}
	return all
}

func leftovers(m Machine) (all []Finding) {
	for _, d := range m.Directories {
		var left []string
		for _, f := range d.Leftovers {
			if m.Now.Sub(f.Changed) > writing || !d.Held {
				left = append(left, filepath.Base(f.Path))
			}
		}
		if len(left) > 0 {
			all = append(all, Finding{
				Severity: Warning, Check: LeftoverFile, Directory: d.Path,
				Message: fmt.Sprintf("an engine that was killed left %s in %s", join(left), d.Path),
				Next:    "the next engine that starts there removes it",
			})
		}
		for _, f := range d.Damaged {
			all = append(all, Finding{
				Severity: Note, Check: LeftoverFile, Directory: d.Path,
				Message: fmt.Sprintf("the engine set %s aside, which was damaged on the disk", f.Path),
				Next:    "engine.log says what is lost; delete it when nobody needs it",
			})
		}
	}
	return all
}
