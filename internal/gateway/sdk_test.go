package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func TestElastiCacheClient(t *testing.T) {
	ctx, client := context.Background(), elasticache.NewFromConfig(serve(t).config())
	create := &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId:          aws.String("payments"),
		ReplicationGroupDescription: aws.String("for <uex> & others"),
		AtRestEncryptionEnabled:     aws.Bool(true),
		Tags:                        []types.Tag{{Key: aws.String("team"), Value: aws.String("a b")}},
	}
	created, err := client.CreateReplicationGroup(ctx, create)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := aws.ToString(created.ReplicationGroup.ARN),
		"arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:payments"; got != want {
		t.Errorf("ARN is %s, want %s", got, want)
	}
	if id, _ := middleware.GetRequestIDMetadata(created.ResultMetadata); id != "request-1" {
		t.Errorf("request ID is %q", id)
	}
	described, err := client.DescribeReplicationGroups(ctx,
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: create.ReplicationGroupId})
	if err != nil {
		t.Fatal(err)
	}
	if got := aws.ToString(described.ReplicationGroups[0].Description); got != "for <uex> & others" {
		t.Errorf("description is %q", got)
	}
	var exists *types.ReplicationGroupAlreadyExistsFault
	if _, err := client.CreateReplicationGroup(ctx, create); !errors.As(err, &exists) {
		t.Errorf("creating twice: %v", err)
	}
}

func TestElastiCacheClientErrors(t *testing.T) {
	client := elasticache.NewFromConfig(serve(t).config())
	_, err := client.DescribeReplicationGroups(context.Background(),
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: aws.String("x")})
	var missing *types.ReplicationGroupNotFoundFault
	var response *awshttp.ResponseError
	if !errors.As(err, &missing) || !errors.As(err, &response) {
		t.Fatalf("got %v", err)
	}
	if missing.ErrorMessage() != "Replication group x not found." || response.HTTPStatusCode() != http.StatusNotFound ||
		response.ServiceRequestID() != "request-1" {
		t.Errorf("got %v", err)
	}
}

func TestRefusals(t *testing.T) {
	client := elasticache.NewFromConfig(serve(t).config())
	for _, test := range []struct {
		name   string
		change func(*elasticache.CreateReplicationGroupInput)
		want   string // empty: served
	}{
		{"nothing", func(*elasticache.CreateReplicationGroupInput) {}, ""},
		{"refused", func(in *elasticache.CreateReplicationGroupInput) { in.GlobalReplicationGroupId = aws.String("") },
			"larder does not serve CreateReplicationGroup's GlobalReplicationGroupId: there is one Region here"},
		{"only, and it is", func(in *elasticache.CreateReplicationGroupInput) { in.Engine = aws.String("redis") }, ""},
		{"only, and it is not",
			func(in *elasticache.CreateReplicationGroupInput) { in.Engine = aws.String("memcached") },
			"larder serves CreateReplicationGroup's Engine only as redis: it runs redis-server"},
		{"only true",
			func(in *elasticache.CreateReplicationGroupInput) { in.AtRestEncryptionEnabled = aws.Bool(false) },
			"larder serves CreateReplicationGroup's AtRestEncryptionEnabled only as true: nothing is stored in plaintext"},
		{"in a list", func(in *elasticache.CreateReplicationGroupInput) {
			in.LogDeliveryConfigurations = []types.LogDeliveryConfigurationRequest{
				{LogType: types.LogTypeSlowLog}, {LogFormat: types.LogFormatJson}, {LogFormat: types.LogFormatText},
			}
		}, "larder serves CreateReplicationGroup's LogDeliveryConfigurations.LogFormat only as json: text logs are for a " +
			"next version"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := &elasticache.CreateReplicationGroupInput{
				ReplicationGroupId:          aws.String(strings.ReplaceAll(test.name, " ", "-")),
				ReplicationGroupDescription: aws.String(test.name),
			}
			test.change(in)
			_, err := client.CreateReplicationGroup(context.Background(), in)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != "InvalidParameterValue" || api.ErrorMessage() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestSTSClient(t *testing.T) {
	s := serve(t)
	got, err := sts.NewFromConfig(s.config()).GetCallerIdentity(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(got.Account) != account {
		t.Errorf("got %s", aws.ToString(got.Account))
	}
}

func TestPresigned(t *testing.T) {
	s := serve(t)
	presigned, err := sts.NewPresignClient(sts.NewFromConfig(s.config())).PresignGetCallerIdentity(context.Background(),
		nil)
	if err != nil {
		t.Fatal(err)
	}
	got := do(t, newRequest(t, presigned.Method, presigned.URL, ""))
	if got.status != http.StatusOK || !strings.Contains(got.body, "<Account>"+account+"</Account>") {
		t.Errorf("got %+v", got)
	}
}

func TestSecretsManagerClient(t *testing.T) {
	client := secretsmanager.NewFromConfig(serve(t).config())
	got, err := client.GetSecretValue(context.Background(),
		&secretsmanager.GetSecretValueInput{SecretId: aws.String("token")})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.SecretBinary) != "open sesame" {
		t.Errorf("got %q", got.SecretBinary)
	}
	var missing *smtypes.ResourceNotFoundException
	_, err = client.GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("x")})
	if !errors.As(err, &missing) || missing.ErrorMessage() != "Secrets Manager can't find the specified secret." {
		t.Errorf("got %v", err)
	}
}

// TestWrongCredentials: the codes differ by protocol.
func TestWrongCredentials(t *testing.T) {
	config := serve(t).config()
	for _, test := range []struct {
		name, id, secret string
		query, json      string
	}{
		{"unknown key", "AKIDOTHER", secret, "InvalidClientTokenId", "UnrecognizedClientException"},
		{"wrong secret", keyID, "guess", "SignatureDoesNotMatch", "InvalidSignatureException"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := config.Copy()
			config.Credentials = credentials.NewStaticCredentialsProvider(test.id, test.secret, "")
			_, err := elasticache.NewFromConfig(config).DescribeReplicationGroups(context.Background(), nil)
			checkCode(t, err, test.query, http.StatusForbidden)
			_, err = secretsmanager.NewFromConfig(config).GetSecretValue(context.Background(),
				&secretsmanager.GetSecretValueInput{SecretId: aws.String("x")})
			checkCode(t, err, test.json, http.StatusBadRequest)
		})
	}
}

func checkCode(t *testing.T, err error, code string, status int) {
	t.Helper()
	var api smithy.APIError
	var response *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &response) || api.ErrorCode() != code ||
		response.HTTPStatusCode() != status {
		t.Errorf("got %v, want %d %s", err, status, code)
	}
}
