package logs_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"

	"larder/internal/gateway"
	"larder/internal/logstore"
	"larder/internal/services/logs"
	"larder/internal/sigv4"
	"larder/internal/store"
)

const (
	region  = "us-east-1"
	account = "123456789012"
	prefix  = "arn:aws:logs:us-east-1:123456789012:log-group:"
	key     = "arn:aws:kms:us-east-1:123456789012:key/1"
)

// keys knows one KMS key, which can be taken away, and the installation's own.
type keys struct{ gone atomic.Bool }

func (k *keys) HasKey(arn string) bool { return arn == key && !k.gone.Load() }

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
	s := &server{keys: &keys{}, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	state := must(store.Open(filepath.Join(t.TempDir(), "state.db")))(t)
	t.Cleanup(func() {
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	})
	s.events = must(logstore.Open(logstore.Config{
		Dir: filepath.Join(t.TempDir(), "logs"), Keys: s.keys, MaxBytes: 1 << 30, Logger: slog.New(slog.DiscardHandler),
	}))(t)
	t.Cleanup(func() {
		if err := s.events.Close(); err != nil {
			t.Error(err)
		}
	})
	s.logs = logs.New(logs.Config{
		Store: state, Account: account, Region: region, Keys: s.keys, Events: s.events, Now: func() time.Time { return s.now.Add(time.Duration(s.passed.Load())) },
		NewID:   func() string { return "session-1" },
		Metrics: func(d logs.Datum) { s.metrics = append(s.metrics, d) },
		Failed:  func(err error) { s.failed = append(s.failed, err) },
	})
	s.gateway = must(gateway.New(gateway.Config{
		Services: []gateway.Service{s.logs.Gateway()}, Region: region, AccountID: account,
		Verifier:     &sigv4.Verifier{Secret: func(string) (string, bool) { return "secret", true }, Now: time.Now},
		NewRequestID: func() string { return "00000000-0000-4000-8000-000000000000" },
	}))(t)
	entry := httptest.NewServer(s.gateway)
	t.Cleanup(entry.Close)
	s.config = aws.Config{
		Region: region, BaseEndpoint: &entry.URL, HTTPClient: wholeRequests{http.DefaultClient},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	s.Client = sdk.NewFromConfig(s.config)
	return s
}

// wholeRequests sends a request's body in one piece with its headers. The SDK closes a body as soon as an answer begins; a
// transport that is still looking for the body's end then takes the connection down, and the rest of the answer with it.
type wholeRequests struct{ *http.Client }

func (c wholeRequests) Do(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return c.Client.Do(r)
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

// wantError checks an error's code and text.
func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got error %v, want %s", err, code)
	}
	if got, want := api.ErrorCode()+": "+api.ErrorMessage(), code+": "+message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// create makes a log group.
func (s *server) create(t *testing.T, name string) {
	t.Helper()
	must(s.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{LogGroupName: &name}))(t)
}
