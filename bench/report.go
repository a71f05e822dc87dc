package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// section answers one question.
type section struct {
	title string
	how   string   // it was measured
	goals []string // each with whether it was met
	table table
}

// table holds rows of cells, its header first.
type table [][]string

func (t *table) add(cells ...string) { *t = append(*t, cells) }

// goal words a target and whether it was met.
func goal(met bool, format string, args ...any) string {
	return fmt.Sprintf(format, args...) + ": " + verdict(met)
}

func verdict(met bool) string {
	if met {
		return "**met**"
	}
	return "**not met**"
}

// writeReport writes the document.
func writeReport(w io.Writer, m machine, b *bench, sections []section) error {
	var out strings.Builder
	fmt.Fprintf(&out,
		"# Benchmarks\n\nWritten by `make bench` on %s, in %s. Every figure stands beside one of something else that "+
			"was run in the same minute,\n"+
			"in turn with it; unless it says otherwise, each is the median of %d rounds, with the least and the "+
			"greatest in parentheses.\n\n",
		m.date.Format("2 January 2006, 15:04 MST"), m.took.Round(time.Second), b.rounds)
	for _, line := range m.lines() {
		fmt.Fprintf(&out, "- %s\n", line)
	}
	for i, s := range sections {
		fmt.Fprintf(&out, "\n## %d. %s\n\n%s\n", i+1, s.title, s.how)
		for j, g := range s.goals {
			if j == 0 {
				out.WriteByte('\n')
			}
			fmt.Fprintf(&out, "- Target: %s\n", g)
		}
		out.WriteByte('\n')
		s.table.write(&out)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// write draws the table; every column but the first holds figures.
func (t table) write(out *strings.Builder) {
	for i, row := range t {
		fmt.Fprintf(out, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(out, "|---%s|\n", strings.Repeat("|---:", len(row)-1))
		}
	}
}
