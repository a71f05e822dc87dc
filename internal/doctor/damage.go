package doctor

import "fmt"

// damage says what engines cannot read, a finding for each record and log group.
func damage(m Machine) (all []Finding) {
	for _, p := range here(m) {
		add := func(check Check, damaged []string, what, next string) {
			for _, d := range damaged {
				all = append(all, Finding{
					Severity: Error, Check: check, PIDs: []int{p.PID}, Directory: p.State,
					Message: fmt.Sprintf("engine %d of %s %s: %s", p.PID, p.State, what, d), Next: next,
				})
			}
		}
		answer := m.Engines[p.PID]
		add(DamagedRecord, answer.Damaged, "cannot read a record",
			fmt.Sprintf("put back a copy of larder.db, or be rid of it as `%slarder status` says", m.in(p.State)))
		add(DamagedLogs, answer.DamagedLogs, "cannot read some events of a log group",
			"put back a copy of the files, or remove those that end in .damaged")
	}
	return all
}
