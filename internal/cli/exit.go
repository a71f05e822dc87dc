package cli

import (
	"errors"
	"fmt"
	"slices"
)

// errorReport is what a command that was asked for JSON says on standard error when it fails, and of each thing that
// fails on the way.
type errorReport struct {
	Error    string `json:"error"`
	ExitCode int    `json:"exit_code"`
}

// sayError says why a command line failed, in JSON where that was asked for.
func (t *tool) sayError(err error, code int, args []string) {
	if t.json || asksJSON(args) {
		// Nobody can be told that standard error cannot be written.
		_ = jsonLine(t.Stderr, errorReport{plain(err), code})
		return
	}
	if diagnosed := (diagnosedError{}); errors.As(err, &diagnosed) {
		fmt.Fprintln(t.Stderr, diagnosed)
		return
	}
	fmt.Fprintln(t.Stderr, "larder:", plain(err))
}

// diagnosedError is what is wrong with a configuration. Each line says where.
type diagnosedError struct{ text string }

func (e diagnosedError) Error() string { return e.text }

// asksJSON tells whether a command line that was not understood asks for JSON.
func asksJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json")
}
