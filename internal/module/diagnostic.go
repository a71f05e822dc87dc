package module

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Severity says whether a diagnostic stops the call.
type Severity int

// An Error stops the call, a Warning does not.
const (
	Error Severity = iota
	Warning
)

// String returns "error" or "warning".
func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Diagnostic is one thing wrong, or questionable, with a module call.
type Diagnostic struct {
	Severity Severity
	File     string // "" when no file is to blame, such as a -var
	Line     int    // 1-based; 0 when File as a whole is meant
	Column   int    // 1-based; 0 when the whole line is meant
	Input    string // the module input, "" when none is to blame
	Value    string // the value as written, "" when there is none or it is secret
	Message  string // names the value, the limit and what to do
}

// String renders the diagnostic as one line: main.tf:12: input "num_cache_nodes": 7 is more than 6 ...
func (d Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" {
		b.WriteString(d.File)
		for _, n := range []int{d.Line, d.Column} {
			if n > 0 {
				fmt.Fprintf(&b, ":%d", n)
			}
		}
		b.WriteString(": ")
	}
	if d.Severity == Warning {
		b.WriteString(d.Severity.String() + ": ")
	}
	if d.Input != "" {
		fmt.Fprintf(&b, "input %q: ", d.Input)
	}
	b.WriteString(d.Message)
	return b.String()
}

// Diagnostics are all that was found in one call, in the order of file and line.
type Diagnostics []Diagnostic

// HasErrors reports whether one of them stops the call.
func (ds Diagnostics) HasErrors() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return d.Severity == Error })
}

// String renders one diagnostic a line.
func (ds Diagnostics) String() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

func (ds Diagnostics) sorted() Diagnostics {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ds
}

// fromHCL converts what the HCL library, or our own reading of blocks and expressions, complains about.
func fromHCL(hds hcl.Diagnostics, input string) Diagnostics {
	ds := make(Diagnostics, len(hds))
	for i, hd := range hds {
		ds[i] = Diagnostic{Severity: Error, Input: input, Message: hd.Summary}
		if hd.Severity == hcl.DiagWarning {
			ds[i].Severity = Warning
		}
		if hd.Detail != "" {
			ds[i].Message += ": " + hd.Detail
		}
		if hd.Subject != nil {
			ds[i].File, ds[i].Line, ds[i].Column = hd.Subject.Filename, hd.Subject.Start.Line, hd.Subject.Start.Column
		}
	}
	return ds
}
