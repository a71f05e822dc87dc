package doctor

import "fmt"

// DamageKind is what is said of a kind of damage, and what to do about it.
type DamageKind struct {
	Check Check
	Title string // of a list of such; it has the number of them
	What  string // an engine cannot read
	Next  string
}

// DamageKinds are the kinds of damage, the worst first.
var DamageKinds = []DamageKind{
	{DamagedRecord, "Damaged records: %d of larder's records cannot be read, and nothing is done with what they are of.",
		"a record",
		"put back a copy of larder.db, or be rid of each as its line says: see 'Damaged records' in docs/OPERATIONS.md"},
	{DamagedSnapshot, "Damaged snapshots: %d snapshots cannot be restored.", "a snapshot",
		"put back a copy of the file in snapshots, or delete the snapshot with DeleteSnapshot and take another"},
	{DamagedLogs, "Damaged log events: some events of %d log groups cannot be read. All others can.",
		"some events of a log group",
		"put back a copy of the files, or remove those that end in .damaged: see 'damaged log events' in " +
			"docs/OPERATIONS.md"},
	{DamagedMetrics, "Damaged metrics: some samples in %d files cannot be read. All others can.",
		"some samples of a file of metrics",
		"put back a copy of the file in metrics; without one, what is lost goes by itself after 15 days"},
}

// Kind is what is said of the damage.
func (d Damage) Kind() DamageKind {
	for _, k := range DamageKinds {
		if k.Check == d.Check {
			return k
		}
	}
	panic("no kind of damage: " + d.Check)
}

// damage says what engines cannot read, a finding for each.
func damage(m Machine) (all []Finding) {
	for _, p := range here(m) {
		for _, d := range m.Engines[p.PID].Damage {
			kind, next := d.Kind(), d.Kind().Next
			if d.Check == DamagedRecord {
				next = fmt.Sprintf("put back a copy of larder.db, or be rid of it as `%slarder status` says", m.in(p.State))
			}
			all = append(all, Finding{
				Severity: Error, Check: d.Check, PIDs: []int{p.PID}, Directory: p.State, Next: next,
				Message: fmt.Sprintf("engine %d of %s cannot read %s: %s", p.PID, p.State, kind.What, d.What),
			})
		}
	}
	return all
}
