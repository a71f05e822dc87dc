package kms

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

func notFound(format string, args ...any) error {
	return &types.NotFoundException{Message: new(fmt.Sprintf(format, args...))}
}

// isNotFound tells the refusal of an id that is not there from a failure.
func isNotFound(err error) bool {
	var refusal *types.NotFoundException
	return errors.As(err, &refusal)
}

func badTag(format string, args ...any) error {
	return &types.TagException{Message: new(fmt.Sprintf(format, args...))}
}

func badPolicy(format string, args ...any) error {
	return &types.MalformedPolicyDocumentException{Message: new(fmt.Sprintf(format, args...))}
}

// validation is what the service's front answers before it looks at the request's meaning. The SDK has no type for it.
func validation(format string, args ...any) error {
	return clientError("ValidationException", format, args...)
}

func clientError(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}
