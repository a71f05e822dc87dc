package logs_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"larder/internal/services/logs"
	"larder/internal/servicetest"
)

func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	// AWS ignores the token; the front bounds its length.
	actions := logs.New(logs.Config{}).Gateway().Actions
	client := reflect.TypeFor[*sdk.Client]()
	servicetest.EveryInputFieldIsServedOrRefused(t, client, actions, "PutLogEventsInput.SequenceToken")
}
