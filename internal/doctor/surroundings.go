package doctor

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"larder/internal/childenv"
	"larder/internal/inventory"
)

// enoughFiles is the limit on open files with which the API has all of its connections; see internal/connlimit.
const enoughFiles = 4096

// bundleName is that of the certificates that `larder env` has clients trust.
const bundleName = "ca-bundle.pem"

// address says who has the address at which an engine would be started here. One that runs here has it itself, or
// another.
func address(m Machine) []Finding {
	if !m.Address.Taken || m.engineHere() || len(m.Directories) > 0 && m.Directories[0].Err != nil { // it may be here
		return nil
	}
	f := Finding{
		Severity: Error, Check: AddressInUse,
		Message: fmt.Sprintf("no engine runs on %s, and %s listens on %s, where it would serve the API", m.Home,
			m.Address.Holder, m.Address.Text),
		Next: "end that process, or choose another address with LARDER_LISTEN or --listen",
	}
	if m.Address.PID != 0 {
		f.PIDs = []int{m.Address.PID}
	}
	i := slices.IndexFunc(m.Processes, func(p inventory.Process) bool { return p.PID == m.Address.PID })
	switch {
	case i >= 0 && m.Processes[i].Lost != "": // lostDirectories says so
		return nil
	case i >= 0:
		f.Severity = Warning
		f.Message = fmt.Sprintf("no engine runs on %s, and the engine of %s serves its API on %s", m.Home,
			m.Processes[i].State, m.Address.Text)
		f.Next = "give an engine here an address of its own with LARDER_LISTEN or --listen"
	}
	return []Finding{f}
}

// engineHere tells whether an engine has the state directory of this shell.
func (m Machine) engineHere() bool {
	return slices.ContainsFunc(m.Of(childenv.Engine), func(p inventory.Process) bool {
		return p.Lost == "" && len(m.Directories) > 0 && p.State == m.Directories[0].Real
	})
}

func servers(m Machine) []Finding {
	if m.Servers == nil {
		return nil
	}
	return []Finding{{
		Severity: Error, Check: RedisServer, Message: "no engine can start: " + m.Servers.Error(),
		Next: "install redis-server, and see that it is in PATH",
	}}
}

func loopback(m Machine) []Finding {
	if m.Loopback == nil {
		return nil
	}
	return []Finding{{
		Severity: Error, Check: LoopbackAddresses,
		Message: fmt.Sprintf("nodes have addresses of 127.64.0.0 to 127.255.255.255, and these cannot be used: %v",
			m.Loopback),
		Next: "give the loopback interface all of 127.0.0.0/8: `ip link set lo up`, `ip address add 127.0.0.1/8 dev " +
			"lo` (as root)",
	}}
}

func openFiles(m Machine) (all []Finding) {
	const text = "%s may have %d files open: the API has %d connections then, and a node fewer clients than its " +
		"type allows"
	next := fmt.Sprintf("raise the hard limit (`ulimit -Hn`, LimitNOFILE of a service) to %d or more, and "+
		"start it again", enoughFiles)
	if m.Descriptors < enoughFiles {
		all = append(all, Finding{
			Severity: Warning, Check: OpenFiles, Next: next,
			Message: fmt.Sprintf(text, "an engine that is started from here", m.Descriptors, m.Descriptors/4),
		})
	}
	for _, p := range here(m) {
		if p.Kind == childenv.Engine && p.Descriptors < enoughFiles {
			all = append(all, Finding{
				Severity: Warning, Check: OpenFiles, Next: next, PIDs: []int{p.PID}, Directory: p.State,
				Message: fmt.Sprintf(text, fmt.Sprintf("engine %d of %s", p.PID, p.State), p.Descriptors,
					p.Descriptors/4),
			})
		}
	}
	return all
}

func settings(m Machine) (all []Finding) {
	for _, s := range m.Settings {
		all = append(all, Finding{
			Severity: Error, Check: Environment, Message: s.Err.Error(),
			Next: fmt.Sprintf("change %s, or unset it", s.Name),
		})
	}
	return all
}

// oldCLI says that this shell's AWS CLI would ask AWS itself.
func oldCLI(m Machine) []Finding {
	if m.OldCLI == "" {
		return nil
	}
	return []Finding{{
		Severity: Note, Check: Environment,
		Message: fmt.Sprintf("the AWS CLI of this shell, %s, does not read AWS_ENDPOINT_URL, which 1.29 and 2.13 "+
			"brought: in a script it asks AWS itself, which refuses larder's credential; in a shell with `larder "+
			"env` it asks larder", m.OldCLI),
		Next: "install a newer one, or give each command of a script --endpoint-url \"$AWS_ENDPOINT_URL\"",
	}}
}

// shell says which of the variables of `larder env` this shell has from another engine, or from before this one was
// started anew.
func shell(m Machine) []Finding {
	var stale []string
	for _, name := range slices.Sorted(maps.Keys(m.Shell)) {
		if want, known := m.Wanted[name]; known && m.Shell[name] != "" && m.Shell[name] != want {
			stale = append(stale, name)
		}
	}
	if len(stale) == 0 || filepath.Base(m.Shell["AWS_CA_BUNDLE"]) != bundleName { // `larder env` was not used
		return nil
	}
	return []Finding{{
		Severity: Warning, Check: Environment, Directory: m.Home,
		Message: fmt.Sprintf("clients of this shell do not find the engine of %s: %s of another engine or an "+
			"earlier start", m.Home, join(stale)),
		Next: "`eval \"$(larder env)\"`",
	}}
}
