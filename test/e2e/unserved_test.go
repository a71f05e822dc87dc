package e2e

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"larder/internal/testkit"
)

// What larder does not serve is refused at once and by name, in every protocol. SDKs and Terraform repeat what fails
// with a 5xx, so it must be a 4xx: these clients would try five times.
func TestUnservedActions(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	requests := 0
	config := testkit.Config(d.clientEnv())
	config.RetryMaxAttempts, config.HTTPClient = 5, counter{&requests}
	ctx := context.Background()
	for _, test := range []struct {
		name, code string
		call       func() error
	}{
		{"elasticache:CreateServerlessCache", "InvalidAction", func() error {
			_, err := elasticache.NewFromConfig(config).CreateServerlessCache(ctx,
				&elasticache.CreateServerlessCacheInput{ServerlessCacheName: aws.String("a"),
					Engine: aws.String("redis")})
			return err
		}},
		// The JSON protocols' services have a code of their own for it.
		{"secretsmanager:RotateSecret", "UnknownOperationException", func() error {
			_, err := secretsmanager.NewFromConfig(config).RotateSecret(ctx,
				&secretsmanager.RotateSecretInput{SecretId: aws.String("a")})
			return err
		}},
		{"kms:ListKeyRotations", "UnknownOperationException", func() error {
			_, err := kms.NewFromConfig(config).ListKeyRotations(ctx,
				&kms.ListKeyRotationsInput{KeyId: aws.String("k")})
			return err
		}},
		{"logs:CreateExportTask", "UnknownOperationException", func() error {
			_, err := cloudwatchlogs.NewFromConfig(config).CreateExportTask(ctx, &cloudwatchlogs.CreateExportTaskInput{
				LogGroupName: aws.String("a"), From: aws.Int64(0), To: aws.Int64(1), Destination: aws.String("b")})
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			requests = 0
			err := test.call()
			var refusal smithy.APIError
			var answer *awshttp.ResponseError
			if !errors.As(err, &refusal) || !errors.As(err, &answer) {
				t.Fatalf("got %v", err)
			}
			want := "larder does not serve " + test.name + "; docs/COMPATIBILITY.md lists what it serves"
			if refusal.ErrorCode() != test.code || refusal.ErrorMessage() != want || answer.HTTPStatusCode() != 400 ||
				requests != 1 {
				t.Errorf("got %d %s: %s after %d requests\nwant 400 %s: %s after 1", answer.HTTPStatusCode(),
					refusal.ErrorCode(), refusal.ErrorMessage(), requests, test.code, want)
			}
		})
	}
}

// counter counts requests on their way.
type counter struct{ requests *int }

func (c counter) Do(r *http.Request) (*http.Response, error) {
	*c.requests++
	return http.DefaultClient.Do(r)
}
