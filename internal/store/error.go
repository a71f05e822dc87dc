package store

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/aws/smithy-go"

	"larder/internal/statedir"
)

// WriteError reports that the state could not be made durable, and that nothing of the transaction was kept. It is an
// API error, so that the caller who asked for the change learns the reason.
type WriteError struct {
	Dir string // the directory that holds the state
	Err error
}

// Error says what failed and what to do.
func (e *WriteError) Error() string {
	if errors.Is(e.Err, syscall.ENOSPC) {
		return fmt.Sprintf("the disk that holds larder's state (%s) is full: nothing was changed; "+
			"free some space and try again", e.Dir)
	}
	text := fmt.Sprintf("cannot write larder's state in %s: nothing was changed: %v", e.Dir, e.Err)
	if next := statedir.Next(e.Err); next != "" {
		text += "\nnext: " + next
	}
	return text
}

// Unwrap returns the file system's error.
func (e *WriteError) Unwrap() error { return e.Err }

// ErrorCode returns the API's code of a failure that is not the caller's.
func (e *WriteError) ErrorCode() string { return "InternalFailure" }

// ErrorMessage returns the text that the caller reads.
func (e *WriteError) ErrorMessage() string { return e.Error() }

// ErrorFault says that the failure is not the caller's fault.
func (e *WriteError) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }
