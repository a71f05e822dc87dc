package secretsmanager_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/services/secretsmanager"
	"larder/internal/servicetest"
)

func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	servicetest.EveryInputFieldIsServedOrRefused(t, reflect.TypeFor[*sdk.Client](),
		secretsmanager.New(secretsmanager.Config{}).Gateway().Actions)
}
