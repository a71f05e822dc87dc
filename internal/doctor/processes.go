package doctor

import (
	"fmt"
	"slices"
	"strings"

	"larder/internal/childenv"
	"larder/internal/inventory"
)

// count says how many processes of which kinds there are: '1 engine and 3 nodes'.
func count(all []inventory.Process) string {
	var parts []string
	for _, kind := range []childenv.Kind{childenv.Engine, childenv.Node, childenv.Relay} {
		n := 0
		for _, p := range all {
			if p.Kind == kind {
				n++
			}
		}
		switch {
		case n == 1:
			parts = append(parts, "1 "+string(kind))
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n, kind))
		}
	}
	return join(parts)
}

// Count says how many processes of which kinds there are, as in '1 engine and 3 nodes'; empty for none.
func Count(all []inventory.Process) string { return count(all) }

func join(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func pids(all []inventory.Process) []int {
	var ids []int
	for _, p := range all {
		ids = append(ids, p.PID)
	}
	return ids
}

func numbers(ids []int) string {
	var texts []string
	for _, id := range ids {
		texts = append(texts, fmt.Sprint(id))
	}
	return strings.Join(texts, ", ")
}

// by groups processes by a key, in the order of the first of each.
func by(all []inventory.Process, key func(inventory.Process) string) [][]inventory.Process {
	var groups [][]inventory.Process
	at := map[string]int{}
	for _, p := range all {
		k := key(p)
		i, known := at[k]
		if !known {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], p)
	}
	return groups
}

// here are the processes of this PID namespace; the others are findings of their own.
func here(m Machine) []inventory.Process {
	return slices.DeleteFunc(slices.Clone(m.Processes), func(p inventory.Process) bool { return p.Foreign })
}

func lostDirectories(m Machine) (all []Finding) {
	lost := slices.DeleteFunc(here(m), func(p inventory.Process) bool { return p.Lost == "" })
	for _, ps := range by(lost, func(p inventory.Process) string { return p.Lost + "\x00" + p.StateNumber }) {
		verb, its := "runs", "its"
		if len(ps) > 1 {
			verb, its = "run", "their"
		}
		also := ""
		if slices.Contains(pids(ps), m.Address.PID) && m.Address.Taken {
			also = fmt.Sprintf("; %s listens on %s, where an engine of this shell would serve the API",
				m.Address.Holder, m.Address.Text)
		}
		all = append(all, Finding{
			Severity: Error, Check: LostDirectory, PIDs: pids(ps), Directory: ps[0].State,
			Message: fmt.Sprintf("%s (%s) %s without %s directory: %s was deleted, replaced or unmounted%s", count(ps),
				numbers(pids(ps)), verb, its, ps[0].Lost, also),
			Next: "`larder down --all` ends them, and every other engine of yours; the data in the nodes are lost then",
		})
	}
	return all
}

func silentEngines(m Machine) (all []Finding) {
	for _, p := range here(m) {
		if p.Kind != childenv.Engine || p.Lost != "" {
			continue
		}
		f := Finding{Severity: Error, Check: EngineSilent, PIDs: []int{p.PID}, Directory: p.State}
		answer, asked := m.Engines[p.PID]
		switch {
		case p.Stopped:
			f.Message = fmt.Sprintf("engine %d of %s is stopped by a signal or a debugger: it answers nobody, and "+
				"fails nothing over", p.PID, p.State)
			f.Next = fmt.Sprintf("`kill -CONT %d` has it go on", p.PID)
		case !asked || answer.Err == nil && answer.PID == p.PID:
			continue
		case answer.Err == nil:
			f.Message = fmt.Sprintf("engine %d of %s does not answer: process %d has its socket", p.PID, p.State,
				answer.PID)
			f.Next = fmt.Sprintf("`kill %d` ends it; its nodes go on", p.PID)
		default:
			f.Message = fmt.Sprintf("engine %d of %s does not answer: %v", p.PID, p.State, answer.Err)
			f.Next = fmt.Sprintf("see %s/engine.log; `kill %d` ends it, its nodes go on, and `larder serve` "+
				"takes them over", p.State, p.PID)
		}
		all = append(all, f)
	}
	return all
}

func twoEngines(m Machine) (all []Finding) {
	engines := slices.DeleteFunc(here(m),
		func(p inventory.Process) bool { return p.Kind != childenv.Engine || p.Lost != "" })
	for _, ps := range by(engines, func(p inventory.Process) string {
		return p.StateNumber + "\x00" + p.Root +
			p.State
	}) {
		if len(ps) > 1 {
			all = append(all, Finding{
				Severity: Error, Check: TwoEngines, PIDs: pids(ps), Directory: ps[0].State,
				Message: fmt.Sprintf("%d engines (%s) run on the state directory %s, each of which takes the nodes "+
					"for its own", len(ps), numbers(pids(ps)), ps[0].State),
				Next: "end all but one of them with `kill PID`: nodes go on",
			})
		}
	}
	return all
}

func nodesWithoutEngine(m Machine) (all []Finding) {
	alone := slices.DeleteFunc(here(m), func(p inventory.Process) bool {
		_, found := m.Engine(p)
		return p.Kind == childenv.Engine || p.Lost != "" || found
	})
	for _, ps := range by(alone, func(p inventory.Process) string { return p.Root + p.State }) {
		verb, it := "runs", "it serves"
		if len(ps) > 1 {
			verb, it = "run", "they serve"
		}
		all = append(all, Finding{
			Severity: Error, Check: NodeWithoutEngine, PIDs: pids(ps), Directory: ps[0].State,
			Message: fmt.Sprintf("%s (%s) of %s %s without an engine: %s, and nothing is failed over", count(ps),
				numbers(pids(ps)), ps[0].State, verb, it),
			Next: fmt.Sprintf("`%slarder serve` takes over; `%slarder down` ends what is left, with its data",
				m.in(ps[0].State), m.in(ps[0].State)),
		})
	}
	return all
}

// in is what a command needs before it to be about a state directory that is not the one of this shell.
func (m Machine) in(dir string) string {
	if len(m.Directories) > 0 && (m.Directories[0].Real == dir || m.Home == dir) {
		return ""
	}
	return "LARDER_HOME='" + strings.ReplaceAll(dir, "'", `'\''`) + "' "
}

func groups(m Machine) (all []Finding) {
	for _, p := range here(m) {
		for _, g := range m.Engines[p.PID].Groups {
			why := ""
			if g.Reason != "" {
				why = ": " + g.Reason
			}
			all = append(all, Finding{
				Severity: Error, Check: GroupStatus, Directory: p.State,
				Message: fmt.Sprintf("replication group %s is %s%s", g.ID, g.Status, why),
				Next:    fmt.Sprintf("`%slarder status %s` shows its nodes", m.in(p.State), g.ID),
			})
		}
	}
	return all
}

func suspects(m Machine) (all []Finding) {
	for _, s := range m.Unknown {
		why, next, known := strings.Cut(s.Why.Error(), "\nnext: ")
		if !known {
			next = fmt.Sprintf("`ps -fp %d` shows what it is; larder leaves it alone", s.PID)
		}
		all = append(all, Finding{
			Severity: Warning, Check: UnknownProcess, PIDs: []int{s.PID},
			Message: fmt.Sprintf("process %d (%s) may be one of larder's (%s), and cannot be looked at: %s", s.PID,
				s.Name, s.Kind, why),
			Next: next,
		})
	}
	for _, s := range m.Imitators {
		all = append(all, Finding{
			Severity: Note, Check: UnknownProcess, PIDs: []int{s.PID},
			Message: fmt.Sprintf("process %d (%s) has the mark of an %s of larder in its environment, and does not "+
				"do what such a process does", s.PID, s.Name, s.Kind),
			Next: "larder leaves it alone; one that is about to start looks like this for a moment",
		})
	}
	if m.Hidden {
		all = append(all, Finding{
			Severity: Note, Check: UnknownProcess,
			Message: "/proc hides other users' processes (hidepid): who has an address may not be named",
			Next:    "ask root where an address is in use",
		})
	}
	return all
}

func namespaces(m Machine) (all []Finding) {
	foreign := slices.DeleteFunc(slices.Clone(m.Processes), func(p inventory.Process) bool { return !p.Foreign })
	if len(foreign) > 0 {
		all = append(all, Finding{
			Severity: Note, Check: OtherNamespace, PIDs: pids(foreign),
			Message: fmt.Sprintf("%s (%s) of this user in another PID namespace, such as a container: not looked into",
				count(foreign), numbers(pids(foreign))),
			Next: "run `larder doctor` there",
		})
	}
	return all
}

func programs(m Machine) (all []Finding) {
	for _, p := range here(m) {
		if p.Kind != childenv.Engine || p.Lost != "" {
			continue
		}
		f := Finding{
			Severity: Note, Check: Program, PIDs: []int{p.PID}, Directory: p.State,
			Next: fmt.Sprintf("`kill %d` ends it, its nodes go on, and `%slarder serve` takes them over", p.PID,
				m.in(p.State)),
		}
		switch v := m.Engines[p.PID].Version; {
		case v != "" && v != m.Version:
			f.Message = fmt.Sprintf("engine %d of %s is larder %s, and this is %s", p.PID, p.State, v, m.Version)
		case p.Replaced:
			f.Message = fmt.Sprintf("the program of engine %d of %s was replaced or deleted since it started", p.PID,
				p.State)
		default:
			continue
		}
		all = append(all, f)
	}
	return all
}
