package logs_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/aws/smithy-go"
	"larder/internal/gateway"

	"larder/internal/caller"
	"larder/internal/iampolicy"
	"larder/internal/logstore"
	"larder/internal/services/logs"
	"larder/internal/servicetest"
	"larder/internal/store"
)

const (
	region  = servicetest.Region
	account = servicetest.Account
	prefix  = "arn:aws:logs:us-east-1:123456789012:log-group:"
	key     = "arn:aws:kms:us-east-1:123456789012:key/1"
)

// keys knows one KMS key, which can be taken away, and the installation's own.
type keys struct {
	gone   atomic.Bool
	policy atomic.Pointer[string] // nil lets everybody use the key
}

func (k *keys) HasKey(arn string) bool { return arn == key && !k.gone.Load() }

func (k *keys) Permit(arn string, by caller.Caller, context map[string]string, actions ...string) error {
	refuse := func(code, text string) error {
		return &smithy.GenericAPIError{Code: code, Message: text, Fault: smithy.FaultClient}
	}
	if !k.HasKey(arn) {
		return refuse("NotFoundException", "there is no such key")
	}
	if k.policy.Load() == nil {
		return nil
	}
	policy, err := iampolicy.Parse(*k.policy.Load())
	for _, action := range actions {
		values := map[string]string{"kms:encryptioncontext:aws:logs:arn": context["aws:logs:arn"]}
		r := iampolicy.Request{Caller: by, Action: "kms:" + action, Resource: arn, Values: values}
		if err == nil && policy.Decide(r) != iampolicy.Allow {
			err = refuse("AccessDeniedException", "not allowed: "+action)
		}
	}
	return err
}

func (k *keys) Wrap(arn, _ string, dataKey []byte) ([]byte, error) {
	return append([]byte(arn+"|"), dataKey...), k.check(arn)
}

func (k *keys) Unwrap(_ string, wrapped []byte) ([]byte, error) {
	arn, dataKey, _ := bytes.Cut(wrapped, []byte("|"))
	return dataKey, k.check(string(arn))
}

func (k *keys) check(arn string) error {
	if arn != "" && !k.HasKey(arn) {
		return errors.New("the key cannot be used")
	}
	return nil
}

// server is the service behind a real gateway, with a real client.
type server struct {
	*sdk.Client
	logs    *logs.Service
	events  *logstore.Store
	dir     string // of the events
	gateway *gateway.Gateway
	config  aws.Config
	keys    *keys
	metrics []logs.Datum
	failed  []error
	now     time.Time
	passed  atomic.Int64 // nanoseconds since now, while requests are under way
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{
		keys: &keys{}, dir: filepath.Join(t.TempDir(), "logs"), now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC),
	}
	state := must(store.Open(filepath.Join(t.TempDir(), "state.db")))(t)
	t.Cleanup(func() {
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	})
	s.events = must(logstore.Open(logstore.Config{
		Dir: s.dir, Keys: s.keys, MaxBytes: 1 << 30, Logger: slog.New(slog.DiscardHandler),
	}))(t)
	t.Cleanup(func() {
		if err := s.events.Close(); err != nil {
			t.Error(err)
		}
	})
	s.logs = logs.New(logs.Config{
		Store: state, Account: account, Region: region, Keys: s.keys, Events: s.events,
		Now:     func() time.Time { return s.now.Add(time.Duration(s.passed.Load())) },
		NewID:   func() string { return "session-1" },
		Metrics: func(made []logs.Datum) { s.metrics = append(s.metrics, made...) },
		Failed:  func(err error) { s.failed = append(s.failed, err) },
	})
	s.gateway = servicetest.Gateway(t, s.logs.Gateway())
	s.config = servicetest.Config(t, s.gateway)
	s.Client = sdk.NewFromConfig(s.config)
	return s
}

// must is for what cannot fail in a test that goes well.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// create makes a log group.
func (s *server) create(t *testing.T, name string) {
	t.Helper()
	must(s.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: &name}))(t)
}
