package logs

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func invalidParameter(format string, args ...any) error {
	return &types.InvalidParameterException{Message: new(fmt.Sprintf(format, args...))}
}

// constraint is how the service's front names a member that its model does not allow.
func constraint(value any, member, rule string) error {
	return invalidParameter("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must %s", value, member, rule)
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: new(fmt.Sprintf(format, args...))}
}
