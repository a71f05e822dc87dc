package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"larder/internal/awswire"
	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/sigv4"
)

const (
	keyID   = "AKIDEXAMPLE"
	secret  = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	region  = "eu-central-1"
	account = "123456789012"
)

// groups is a toy service: replication groups in a map.
type groups struct {
	mu   sync.Mutex
	byID map[string]types.ReplicationGroup
}

func (g *groups) create(
	_ context.Context, in *elasticache.CreateReplicationGroupInput,
) (*elasticache.CreateReplicationGroupOutput, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id := aws.ToString(in.ReplicationGroupId)
	if _, ok := g.byID[id]; ok {
		return nil, &types.ReplicationGroupAlreadyExistsFault{Message: aws.String("Replication group with specified name " +
			"already exists.")}
	}
	group := types.ReplicationGroup{
		ReplicationGroupId: in.ReplicationGroupId,
		Description:        in.ReplicationGroupDescription,
		ARN: aws.String(fmt.Sprintf("arn:aws:elasticache:%s:%s:replicationgroup:%s", region, account,
			id)),
		Status: aws.String("creating"),
	}
	g.byID[id] = group
	return &elasticache.CreateReplicationGroupOutput{ReplicationGroup: &group}, nil
}

func (g *groups) describe(
	_ context.Context, in *elasticache.DescribeReplicationGroupsInput,
) (*elasticache.DescribeReplicationGroupsOutput, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	group, ok := g.byID[aws.ToString(in.ReplicationGroupId)]
	if !ok {
		message := fmt.Sprintf("Replication group %s not found.", aws.ToString(in.ReplicationGroupId))
		return nil, &types.ReplicationGroupNotFoundFault{Message: &message}
	}
	return &elasticache.DescribeReplicationGroupsOutput{ReplicationGroups: []types.ReplicationGroup{group}}, nil
}

// broken goes wrong in the way its input asks for.
func broken(
	_ context.Context, in *elasticache.DeleteCacheParameterGroupInput,
) (*elasticache.DeleteCacheParameterGroupOutput, error) {
	switch aws.ToString(in.CacheParameterGroupName) {
	case "panic":
		panic("the roof is on fire")
	case "error":
		return nil, errors.New("disk /dev/sda1 is full")
	case "nothing":
		return nil, nil
	}
	return &elasticache.DeleteCacheParameterGroupOutput{}, nil
}

func callerIdentity(context.Context, *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{Account: aws.String(account)}, nil
}

func secretValue(
	_ context.Context, in *secretsmanager.GetSecretValueInput,
) (*secretsmanager.GetSecretValueOutput, error) {
	if aws.ToString(in.SecretId) != "token" {
		return nil, &smtypes.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified " +
			"secret.")}
	}
	return &secretsmanager.GetSecretValueOutput{Name: in.SecretId, SecretBinary: []byte("open sesame")}, nil
}

func services() []gateway.Service {
	g := &groups{byID: map[string]types.ReplicationGroup{}}
	return []gateway.Service{
		{Shapes: awswire.ElastiCache(), Actions: []gateway.Action{
			gateway.Handle("CreateReplicationGroup", gateway.Write, g.create,
				gateway.Refuse("GlobalReplicationGroupId", "there is one Region here"),
				gateway.Only("Engine", "it runs redis-server", "redis"),
				gateway.Only("AtRestEncryptionEnabled", "nothing is stored in plaintext", "true"),
				gateway.Only("LogDeliveryConfigurations.LogFormat", "text logs are for a next version", "json")),
			gateway.Handle("DescribeReplicationGroups", gateway.List, g.describe),
			gateway.Handle("DeleteCacheParameterGroup", gateway.Write, broken),
		}},
		{Shapes: awswire.STS(), Actions: []gateway.Action{
			gateway.Handle("GetCallerIdentity", gateway.Read, callerIdentity),
		}},
		{Shapes: awswire.SecretsManager(), Actions: []gateway.Action{
			gateway.Handle("GetSecretValue", gateway.Read, secretValue,
				gateway.Refuse("VersionStage", "versions are kept for a day")),
		}},
	}
}

// user is whom every credential belongs to.
func user(string) caller.Caller { return caller.User(account) }

// everything is what every caller may do.
func everything(caller.Caller) gateway.Grants { return gateway.Everything() }

// server is a gateway behind HTTP, with what it logs.
type server struct {
	*httptest.Server
	log *bytes.Buffer
}

func serve(t *testing.T) server {
	t.Helper()
	var requests atomic.Int64
	var log bytes.Buffer
	g, err := gateway.New(gateway.Config{
		User: user, Grants: everything,
		Services: services(),
		Verifier: &sigv4.Verifier{
			Secret: func(id string) (string, bool) { return secret, id == keyID },
			Now:    time.Now,
		},
		Logger:       slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Region:       region,
		NewRequestID: func() string { return fmt.Sprintf("request-%d", requests.Add(1)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := server{Server: httptest.NewServer(g), log: &log}
	t.Cleanup(s.Close)
	return s
}

// config is an SDK client's configuration for the server.
func (s server) config() aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(s.URL),
		Credentials:  credentials.NewStaticCredentialsProvider(keyID, secret, ""),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// sign signs a request as a client with the right secret would.
func sign(t *testing.T, r *http.Request, body, service string) {
	t.Helper()
	signFor(t, r, body, service, region)
}

func signFor(t *testing.T, r *http.Request, body, service, region string) {
	t.Helper()
	hash := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
	err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(hash[:]), service, region,
		time.Now())
	if err != nil {
		t.Fatal(err)
	}
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
}

func do(t *testing.T, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(body)}
}

func newRequest(t *testing.T, method, url, body string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}
