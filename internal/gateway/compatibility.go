package gateway

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteCompatibility writes, as Markdown, what larder serves of each service:
// every operation of its model in full, in part, or not at all. Of a model that
// the wire table covers in part, the rest is counted only.
func WriteCompatibility(w io.Writer, services []Service) error {
	b := bufio.NewWriter(w)
	for i, s := range services {
		if i > 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, "## %s\n\n", s.Shapes.ServiceID)
		fmt.Fprintf(b, "`%s`, API version %s: %d of %d operations.\n\n", s.Shapes.SigningName, s.Shapes.Version,
			len(s.Actions), len(s.Shapes.Operations))
		fmt.Fprint(b, "| Operation | Access level | Served |\n|---|---|---|\n")
		for _, operation := range s.Shapes.Operations {
			if !s.Shapes.Covers(operation) {
				continue
			}
			at := slices.IndexFunc(s.Actions, func(a Action) bool { return a.Name == operation })
			if at < 0 {
				fmt.Fprintf(b, "| %s | | no |\n", operation)
				continue
			}
			fmt.Fprintf(b, "| %s | %s | %s |\n", operation, s.Actions[at].Access, s.Actions[at].served())
		}
		if len(s.Shapes.Covered) > 0 {
			fmt.Fprintf(b, "| the other %d | | no |\n", len(s.Shapes.Operations)-len(s.Shapes.Covered))
		}
	}
	return b.Flush()
}

// served says how much of the action is served, for one cell of a table.
func (a Action) served() string {
	if len(a.Refusals) == 0 {
		return "yes"
	}
	var parts []string
	for _, r := range a.Refusals {
		what := "without `" + r.Field + "`"
		if len(r.Only) > 0 {
			what = "`" + r.Field + "` only as `" + strings.Join(r.Only, "` or `") + "`"
		}
		parts = append(parts, what+" ("+r.Reason+")")
	}
	return "in part: " + strings.ReplaceAll(strings.Join(parts, "; "), "|", `\|`)
}
