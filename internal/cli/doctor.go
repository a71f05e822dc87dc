package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"larder/internal/childenv"
	"larder/internal/doctor"
	"larder/internal/inventory"
)

func (t *tool) doctorCommand() *cobra.Command {
	return t.jsonFlag(&cobra.Command{
		Use:   "doctor",
		Short: "Find what is wrong with larder on this machine, and what is left over",
		Long: "Find what is wrong with larder on this machine: engines, nodes and relays of yours whose state " +
			"directory is gone, nodes without an engine, " +
			"engines that do not answer, state directories that others may read, addresses that are taken, and what " +
			"larder needs of the machine. " +
			"It looks at every process of yours, whatever state directory that belongs to, and changes nothing.\n\n" +
			"The exit code is 0 when all is well, and 1 when something is wrong.",
		Example: "  larder doctor\n  larder doctor --json | jq -r '.findings[] | select(.severity == \"error\") " +
			"| .message'",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return t.doctor(c.Context()) },
	})
}

// diagnosis is what `doctor --json` prints.
type diagnosis struct {
	Healthy   bool             `json:"healthy"`
	Findings  []doctor.Finding `json:"findings"`
	Processes []runningProcess `json:"processes"`
}

// runningProcess is one of larder's.
type runningProcess struct {
	PID       int    `json:"pid"`
	Kind      string `json:"kind"` // engine, node or relay
	ID        string `json:"id,omitempty"`
	Directory string `json:"directory"`
	Lost      string `json:"lost,omitempty"` // the directory of the process that is gone
	Stopped   bool   `json:"stopped"`
	Foreign   bool   `json:"foreign"` // in another PID namespace
}

func running(found []inventory.Process) []runningProcess {
	all := []runningProcess{}
	for _, p := range found {
		all = append(all, runningProcess{p.PID, string(p.Kind), p.ID, p.State, p.Lost, p.Stopped, p.Foreign})
	}
	return all
}

func (t *tool) doctor(ctx context.Context) error {
	m, err := t.look(ctx)
	if err != nil {
		return err
	}
	findings := doctor.Diagnose(m)
	healthy := doctor.Healthy(findings)
	if t.json {
		err = printJSON(t.Stdout, diagnosis{healthy, findings, running(m.Processes)})
	} else {
		err = t.printDiagnosis(m, findings, healthy)
	}
	if err == nil && !healthy {
		err = silentError{}
	}
	return err
}

func (t *tool) printDiagnosis(m doctor.Machine, findings []doctor.Finding, healthy bool) error {
	width, isTerminal := terminal(t.Stdout)
	coloured := isTerminal && t.Getenv("NO_COLOR") == ""
	lines := findingLines(findings, width)
	if healthy {
		summary := "All is well"
		if running := doctor.Count(m.Processes); running != "" {
			summary += ": " + running + " of yours on this machine"
		} else {
			summary += "; nothing of yours runs"
		}
		lines = append(lines, line{{summary + ".", green}})
	}
	if len(m.Processes) > 0 {
		lines = append(append(lines, nil), processLines(m.Processes, width)...)
	}
	for _, l := range lines {
		if err := t.Stdout.line(l, 0, coloured); err != nil {
			return err
		}
	}
	return nil
}

// findingLines are one finding below the other, each with what to do.
func findingLines(findings []doctor.Finding, width int) (all []line) {
	const label = 9 // the longest severity, and a gap
	room := 0
	if width > 0 {
		room = max(width-label, label)
	}
	colours := map[doctor.Severity]colour{doctor.Error: red, doctor.Warning: yellow, doctor.Note: dim}
	for _, f := range findings {
		head := span{string(f.Severity), colours[f.Severity]}
		for _, text := range wrapped(flat(f.Message), room) {
			all = append(all, line{head, {strings.Repeat(" ", label-len(head.text)), uncoloured}, {text, uncoloured}})
			head = span{}
		}
		head = span{"next:", dim}
		for _, text := range wrapped(flat(f.Next), room) {
			all = append(all, line{{"   ", uncoloured}, head, {strings.Repeat(" ", label-3-len(head.text)), uncoloured},
				{text, uncoloured}})
			head = span{}
		}
	}
	return all
}

// flat makes one line of several.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// processLines are a table of processes.
func processLines(all []inventory.Process, width int) []line {
	rows := [][]span{{{"PROCESS", dim}, {"PID", dim}, {"STATUS", dim}, {"STATE DIRECTORY", dim}}}
	for _, p := range all {
		name, status, hue := string(p.Kind), "runs", uncoloured
		if p.Kind != childenv.Engine {
			name += " " + p.ID
		}
		switch {
		case p.Lost != "":
			status, hue = "directory gone", red
		case p.Stopped:
			status, hue = "stopped", red
		case p.Foreign:
			status = "in a container"
		}
		rows = append(rows, []span{{name, uncoloured}, {strconv.Itoa(p.PID), uncoloured}, {status, hue},
			{p.State, uncoloured}})
	}
	return columns(fitting(rows, []string{"STATE DIRECTORY"}, width))
}

// leftText says which processes are left, with their ids.
func leftText(all []inventory.Process) string {
	var ids []string
	for _, p := range all {
		ids = append(ids, strconv.Itoa(p.PID))
	}
	return fmt.Sprintf("%s (%s)", doctor.Count(all), strings.Join(ids, ", "))
}
