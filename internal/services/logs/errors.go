package logs

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

func invalidParameter(format string, args ...any) error {
	return &types.InvalidParameterException{Message: new(fmt.Sprintf(format, args...))}
}

// tooLong is what the service says of any log group's or log stream's name that is.
func tooLong() error {
	return invalidParameter("Invalid LogGroup or LogStream, both must have length less than or equal to %d.", maxName)
}

// exclusive is what the service says of a log group that is named in two ways.
func exclusive() error {
	return &types.ValidationException{Message: new("LogGroup name and LogGroup ARN are mutually exclusive parameters.")}
}

func notFound(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: new(fmt.Sprintf(format, args...))}
}
