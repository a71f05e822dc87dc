package secretsmanager_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"larder/internal/gateway"
	"larder/internal/seal"
	"larder/internal/services/secretsmanager"
	"larder/internal/sigv4"
	"larder/internal/store"
)

const (
	region    = "us-east-1"
	account   = "123456789012"
	knownKey  = "arn:aws:kms:us-east-1:123456789012:key/1"
	arnPrefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
)

type keys struct{}

func (keys) HasKey(arn string) bool { return arn == knownKey }

// counter is a source of bytes that never repeats a suffix in a test.
type counter struct{ n int }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c.n % 61 << 2)
		c.n++
	}
	return len(p), nil
}

// tb is a test, or one run of a property.
type tb interface {
	rapid.TB
	Context() context.Context
}

// server is the service behind a real gateway, with a real client.
type server struct {
	*sdk.Client
	now  time.Time
	path string // of the store
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), path: filepath.Join(t.TempDir(), "state.db")}
	state := must(store.Open(s.path))(t)
	t.Cleanup(func() {
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	})
	service := secretsmanager.New(secretsmanager.Config{
		Store: state, Sealer: must(seal.New(make([]byte, seal.KeySize)))(t), Account: account, Region: region, Keys: keys{},
		Random: &counter{}, Now: func() time.Time { return s.now },
	})
	entry := httptest.NewServer(must(gateway.New(gateway.Config{
		Services: []gateway.Service{service.Gateway()}, Region: region, AccountID: account,
		Verifier:     &sigv4.Verifier{Secret: func(string) (string, bool) { return "secret", true }, Now: time.Now},
		NewRequestID: func() string { return "00000000-0000-4000-8000-000000000000" },
	}))(t))
	t.Cleanup(entry.Close)
	s.Client = sdk.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &entry.URL, HTTPClient: wholeRequests{http.DefaultClient},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
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
func must[T any](v T, err error) func(tb) T {
	return func(t tb) T {
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

// create makes a secret with a value and returns its ARN.
func (s *server) create(t tb, name, value string) string {
	t.Helper()
	return *must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: &name, SecretString: &value}))(t).ARN
}

// put gives a secret a value and returns the version.
func (s *server) put(t tb, id, value string, stages ...string) string {
	t.Helper()
	return *must(s.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: &id, SecretString: &value, VersionStages: stages}))(t).VersionId
}

// value reads a secret's value at a stage.
func (s *server) value(t tb, id, stage string) string {
	t.Helper()
	return *must(s.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: &id, VersionStage: &stage}))(t).SecretString
}

// Nothing of a secret's value is readable in the state file.
func TestValuesAreSealed(t *testing.T) {
	s := newServer(t)
	const plain = "a value that is easy to find"
	s.create(t, "mine", plain)
	must(s.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: new("mine"), SecretBinary: []byte(plain)}))(t)
	raw := must(os.ReadFile(s.path))(t)
	if !bytes.Contains(raw, []byte(`"mine"`)) {
		t.Fatal("the state file does not hold the secret: the test looks in the wrong place")
	}
	for _, form := range []string{plain, "YSB2YWx1ZSB0aGF0IGlzIGVhc3kgdG8gZmluZ"} {
		if bytes.Contains(raw, []byte(form)) {
			t.Errorf("the state file holds %q", form)
		}
	}
}
