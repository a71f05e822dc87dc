package sns

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
)

// invalidParameter begins as all of the service's refusals do.
func invalidParameter(format string, args ...any) error {
	return &types.InvalidParameterException{Message: new("Invalid parameter: " + fmt.Sprintf(format, args...))}
}

// notServed has the code of the gateway's refusals. Clients take InvalidParameter for a policy whose principals are not
// known yet, and try again for minutes.
func notServed(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...),
		Fault: smithy.FaultClient}
}

func notFound(format string, args ...any) error {
	return absent{&types.NotFoundException{Message: new(fmt.Sprintf(format, args...))}}
}

// noResource is how the tag actions say it.
func noResource() error {
	return absent{&types.ResourceNotFoundException{Message: new("Resource does not exist")}}
}

// absent is an error about something that is not there, with the HTTP status that this service gives it.
type absent struct{ smithy.APIError }

// Unwrap gives the SDK's error.
func (a absent) Unwrap() error { return a.APIError }

// HTTPStatusCode is read by the gateway.
func (absent) HTTPStatusCode() int { return http.StatusNotFound }

// invalidParameterValue is how message attributes are refused.
func invalidParameterValue(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: new(fmt.Sprintf(format, args...))}
}

func notAuthorized(message string) error {
	return &types.AuthorizationErrorException{Message: &message}
}

// refusedPolicy says what is wrong with a filter policy, in AWS's words: they are a part of the service's refusals.
func refusedPolicy(format string, args ...any) error {
	return policyError(fmt.Sprintf(format, args...))
}

// errNested has no name of an attribute before it in AWS's words.
const errNested = policyError("Filter policy scope MessageAttributes does not support nested filter policy")

type policyError string

func (e policyError) Error() string { return string(e) }
