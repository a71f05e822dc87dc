package sns_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/services/sns"
	"larder/internal/servicetest"
)

func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	servicetest.EveryInputFieldIsServedOrRefused(t, reflect.TypeFor[*sdk.Client](),
		sns.New(sns.Config{}).Gateway().Actions)
}
