package cloudwatch

import (
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// validation is what the service answers to a value that it does not take. The SDK has no type for it.
func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: fmt.Sprintf(format, args...),
		Fault: smithy.FaultClient}
}

func invalidValue(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: new(fmt.Sprintf(format, args...))}
}

func invalidCombination(format string, args ...any) error {
	return &types.InvalidParameterCombinationException{Message: new(fmt.Sprintf(format, args...))}
}

func missing(format string, args ...any) error {
	return &types.MissingRequiredParameterException{Message: new(fmt.Sprintf(format, args...))}
}

// absent is an error about something that is not there, with the HTTP status that this service gives it.
type absent struct{ smithy.APIError }

// Unwrap gives the SDK's error.
func (a absent) Unwrap() error { return a.APIError }

// HTTPStatusCode is read by the gateway.
func (absent) HTTPStatusCode() int { return http.StatusNotFound }
