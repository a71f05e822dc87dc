package hclread

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Sensitive marks values that came from a sensitive variable. Functions and operators hand the mark on to their
// results.
type Sensitive struct{}

// ErrorAt returns an error with one text, about a part of a file.
func ErrorAt(subject hcl.Range, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: fmt.Sprintf(format, args...), Subject: &subject}
}

// WarningAt returns a warning with one text, about a part of a file.
func WarningAt(subject hcl.Range, format string, args ...any) *hcl.Diagnostic {
	d := ErrorAt(subject, format, args...)
	d.Severity = hcl.DiagWarning
	return d
}
