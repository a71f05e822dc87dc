package awswire_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"larder/internal/awswire"
)

// FuzzDecodeQuery: any form is an input or one of this package's errors.
func FuzzDecodeQuery(f *testing.F) {
	for _, body := range goldens(f, "elasticache") {
		f.Add(body)
	}
	codec := awswire.NewCodec(awswire.ElastiCache())
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		form.Del("Action")
		form.Del("Version")
		for _, input := range []any{&elasticache.CreateReplicationGroupInput{},
			&elasticache.ModifyReplicationGroupInput{}} {
			checkDecodeError(t, codec.DecodeQuery(form, input))
		}
	})
}

// FuzzDecodeJSON: any body is an input or one of this package's errors.
func FuzzDecodeJSON(f *testing.F) {
	for _, body := range goldens(f, "secretsmanager") {
		f.Add([]byte(body))
	}
	codec := awswire.NewCodec(awswire.SecretsManager())
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, input := range []any{&secretsmanager.CreateSecretInput{}, &secretsmanager.RotateSecretInput{}} {
			checkDecodeError(t, codec.DecodeJSON(body, input))
		}
	})
}

func checkDecodeError(t *testing.T, err error) {
	t.Helper()
	var (
		unknown *awswire.UnknownParameterError
		value   *awswire.ValueError
		syntax  *awswire.SyntaxError
	)
	if err != nil && !errors.As(err, &unknown) && !errors.As(err, &value) && !errors.As(err, &syntax) {
		t.Fatalf("an error of an unexpected type: %T %v", err, err)
	}
}
