package secretsmanager

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"
)

func invalidParameter(format string, args ...any) error {
	return &types.InvalidParameterException{Message: new(fmt.Sprintf(format, args...))}
}

func invalidRequest(format string, args ...any) error {
	return &types.InvalidRequestException{Message: new(fmt.Sprintf(format, args...))}
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: new(fmt.Sprintf(format, args...))}
}

// isNotFound tells the refusal of a name that is not there from a failure.
func isNotFound(err error) bool {
	var refusal *types.ResourceNotFoundException
	return errors.As(err, &refusal)
}

// validation is what the service's front answers before it looks at the request's meaning. The SDK has no type for it.
func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...),
		Fault: smithy.FaultClient}
}

func malformed(format string, args ...any) error {
	return &types.MalformedPolicyDocumentException{Message: new(fmt.Sprintf(format, args...))}
}
