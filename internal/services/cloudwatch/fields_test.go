package cloudwatch_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"larder/internal/services/cloudwatch"
	"larder/internal/servicetest"
)

func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	servicetest.EveryInputFieldIsServedOrRefused(t, reflect.TypeFor[*sdk.Client](),
		cloudwatch.New(cloudwatch.Config{}).Gateway().Actions)
}
