package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GroupWarning is what people have to know of replication groups before they rely on them.
type GroupWarning struct {
	Check   Check    `json:"check"`
	Region  string   `json:"region"`
	Groups  []string `json:"groups"` // that it is about
	Message string   `json:"message"`
	Next    string   `json:"next"` // the command or input that helps
}

// Deployed is what was seen of a replication group that Warn decides by.
type Deployed struct {
	ID, Region string
	NodeType   string
	Retention  int       // days that automatic backups are asked to be kept; 0: none are asked for
	Token      bool      // clients need the auth token
	Lost       time.Time // when it began again because no node had its data any more; zero: it did not
	LostWith   string    // what it began with, such as "without data"
}

// restoredWith begins LostWith of a group that began again with a snapshot.
const restoredWith = "with the data of "

// Warn returns what there is to know of groups on a machine with so many bytes of memory, the worst first. Types are
// the GiB of each node type.
func Warn(groups []Deployed, memory uint64, types map[string]float64) []GroupWarning {
	all := []GroupWarning{}
	for _, g := range groups {
		all = append(all, lost(g)...)
		all = append(all, tooLarge(g, memory, types)...)
	}
	for _, region := range regions(groups) {
		here := slices.DeleteFunc(slices.Clone(groups), func(g Deployed) bool { return g.Region != region })
		all = append(append(all, backups(here)...), network(here)...)
	}
	slices.SortStableFunc(all, func(a, b GroupWarning) int {
		return cmp.Or(slices.Index(checkOrder, a.Check)-slices.Index(checkOrder, b.Check),
			strings.Compare(a.Region, b.Region), slices.Compare(a.Groups, b.Groups))
	})
	return all
}

// regions are those of groups, each once.
func regions(groups []Deployed) []string {
	var all []string
	for _, g := range groups {
		all = append(all, g.Region)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func lost(g Deployed) []GroupWarning {
	if g.Lost.IsZero() {
		return nil
	}
	what := fmt.Sprintf("All data of %s are lost", g.ID)
	next := "fill it again, or make another group of a snapshot (`aws elasticache describe-snapshots`); an engine " +
		"that is started with LARDER_LOST_DATA=newest-snapshot begins with the newest by itself"
	if snapshot, ok := strings.CutPrefix(g.LostWith, restoredWith); ok {
		what = fmt.Sprintf("What was written to %s after %s is lost", g.ID, snapshot)
		next = "write it again; `aws elasticache describe-snapshots` says when the snapshot was taken"
	}
	return []GroupWarning{{DataLost, g.Region, []string{g.ID}, fmt.Sprintf("%s: no node was left, and it began again "+
		"%s at %s.",
		what, g.LostWith, g.Lost.Local().Format(time.DateTime)), next}}
}

const gib = 1 << 30

// tooLarge tells of a node type that has more memory than the machine.
func tooLarge(g Deployed, memory uint64, types map[string]float64) []GroupWarning {
	machine := float64(memory) / gib
	if types[g.NodeType] <= machine {
		return nil
	}
	next := fmt.Sprintf("set node_type to a type of at most %.1f GiB", machine)
	if fits := largest(types, g.NodeType, machine); fits != "" {
		next += ", such as " + fits
	}
	return []GroupWarning{{NodeMemory, g.Region, []string{g.ID}, fmt.Sprintf(
		"A node of %s may take more memory than this machine has: %s has %s GiB, the machine %.1f. A node that needs "+
			"more ends.", g.ID, g.NodeType, strconv.FormatFloat(types[g.NodeType], 'f', -1, 64), machine), next}}
}

// largest is the largest type of that type's family that has at most so many GiB; empty where there is none.
func largest(types map[string]float64, name string, most float64) (found string) {
	family := name[:strings.LastIndex(name, ".")+1]
	for other, size := range types {
		if strings.HasPrefix(other, family) && size <= most && size > types[found] {
			found = other
		}
	}
	return found
}

// backups tells of groups whose automatic backups nobody takes.
func backups(here []Deployed) []GroupWarning {
	asked := func(g Deployed) bool { return g.Retention > 0 }
	ids, first := which(here, asked)
	if len(ids) == 0 {
		return nil
	}
	return []GroupWarning{{NoBackups, here[0].Region, ids, fmt.Sprintf(
		"Nothing of %s is backed up by itself: larder keeps snapshot_retention_limit, and takes no automatic snapshot.",
		join(ids)), fmt.Sprintf("take one: `aws elasticache create-snapshot --replication-group-id %s --snapshot-name "+
		"NAME --region %s`", first, here[0].Region)}}
}

// network tells of groups that clients reach whom their security groups do not let in. Every group has some.
func network(here []Deployed) (all []GroupWarning) {
	const records = "Security groups are records: allowed_cidrs and rules keep nobody from %s"
	if ids, _ := which(here, func(g Deployed) bool { return !g.Token }); len(ids) > 0 {
		all = append(all, GroupWarning{OpenNetwork, here[0].Region, ids,
			fmt.Sprintf(records+", and no token is asked for: every user of this machine reads and writes there.", join(ids)),
			"set transit_encryption_enabled = true and auth_token_enabled = true"})
	}
	if ids, _ := which(here, func(g Deployed) bool { return g.Token }); len(ids) > 0 {
		all = append(all, GroupWarning{SecurityGroups, here[0].Region, ids,
			fmt.Sprintf(records+": every user of this machine who has the token gets in.", join(ids)),
			"keep auth_token_enabled = true; see 'Security groups' in docs/SECURITY.md"})
	}
	return all
}

// which are the ids of the groups that are so, and the first.
func which(groups []Deployed, so func(Deployed) bool) (ids []string, first string) {
	for _, g := range groups {
		if so(g) {
			ids = append(ids, g.ID)
		}
	}
	slices.Sort(ids)
	return ids, strings.Join(ids[:min(len(ids), 1)], "")
}

// Severity is Note of what is so on every machine, and can only be lived with, and Warning of all else.
func (w GroupWarning) Severity() Severity {
	if w.Check == DataLost || w.Check == NodeMemory {
		return Warning
	}
	return Note
}

// warnings are findings about the groups of each engine.
func warnings(m Machine) (all []Finding) {
	for _, p := range here(m) {
		for _, w := range m.Engines[p.PID].Warnings {
			all = append(all, Finding{Severity: w.Severity(), Check: w.Check, Directory: p.State, Message: w.Message,
				Next: w.Next})
		}
	}
	return all
}
