package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"

	"github.com/aws/smithy-go"
	bberrors "go.etcd.io/bbolt/errors"
)

// DamageError reports that the state file does not hold what was written to it: it was cut off, overwritten, or
// changed. It is an API error, so that a caller who needs something from the file learns the reason.
type DamageError struct {
	Path string // of the state file
	What string // what is wrong with it
}

// Error says what is wrong and what to do.
func (e *DamageError) Error() string {
	return fmt.Sprintf("the state file %s is damaged: %s; larder changed nothing, and nodes that run go on\n"+
		"next: put back a copy of this installation's larder.db, or give the installation up: `larder down` ends its "+
		"nodes, then move %s aside",
		e.Path, e.What, filepath.Dir(e.Path))
}

// ErrorCode returns the API's code of a failure that is not the caller's.
func (e *DamageError) ErrorCode() string { return "InternalFailure" }

// ErrorMessage returns the text that the caller reads.
func (e *DamageError) ErrorMessage() string { return e.Error() }

// ErrorFault says that the failure is not the caller's fault.
func (e *DamageError) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }

// isDamage reports whether a state file could not be opened because of its content.
func isDamage(err error) bool {
	return errors.Is(err, bberrors.ErrInvalid) || errors.Is(err, bberrors.ErrChecksum) ||
		errors.Is(err, bberrors.ErrVersionMismatch)
}

// guard runs a part of a transaction that reads or writes pages of the file, and returns damage as a DamageError.
// Without guard, damage ends the process: the library panics on a damaged page, and a read beyond the end of a file
// that was cut off is a memory fault.
func guard(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamageError{path, fmt.Sprint(p)}
		}
	}()
	return f()
}
