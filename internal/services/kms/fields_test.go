package kms_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"

	"larder/internal/services/kms"
	"larder/internal/servicetest"
)

func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	servicetest.EveryInputFieldIsServedOrRefused(t, reflect.TypeFor[*sdk.Client](),
		kms.New(kms.Config{}).Gateway().Actions)
}
