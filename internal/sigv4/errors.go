package sigv4

import (
	"fmt"
	"net/http"

	"github.com/aws/smithy-go"
)

// Error is a request that is not let in. Codes are those of the query protocol.
type Error struct {
	Code    string
	Message string
	// Status is the HTTP status AWS answers with.
	Status int
}

var _ smithy.APIError = (*Error)(nil)

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// ErrorCode is part of [smithy.APIError].
func (e *Error) ErrorCode() string { return e.Code }

// ErrorMessage is part of [smithy.APIError].
func (e *Error) ErrorMessage() string { return e.Message }

// ErrorFault is part of [smithy.APIError].
func (e *Error) ErrorFault() smithy.ErrorFault { return smithy.FaultClient }

// HTTPStatusCode is the status to answer with.
func (e *Error) HTTPStatusCode() int { return e.Status }

// The texts are AWS's own: users search for them.
var (
	errMissing = &Error{
		Code:    "MissingAuthenticationToken",
		Message: "Request is missing Authentication Token",
		Status:  http.StatusForbidden,
	}
	errInvalidToken = &Error{
		Code:    "InvalidClientTokenId",
		Message: "The security token included in the request is invalid.",
		Status:  http.StatusForbidden,
	}
	errMismatch = mismatch("The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
)

func mismatch(format string, args ...any) *Error {
	return &Error{Code: "SignatureDoesNotMatch", Message: fmt.Sprintf(format, args...), Status: http.StatusForbidden}
}

func incomplete(format string, args ...any) *Error {
	return &Error{Code: "IncompleteSignature", Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}
