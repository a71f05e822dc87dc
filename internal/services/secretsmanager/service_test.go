package secretsmanager_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"larder/internal/caller"
	"larder/internal/seal"
	"larder/internal/services/secretsmanager"
	"larder/internal/servicetest"
	"larder/internal/store"
)

const (
	region    = servicetest.Region
	account   = servicetest.Account
	knownKey  = "arn:aws:kms:us-east-1:123456789012:key/1"
	arnPrefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
)

// keys knows one KMS key.
type keys struct{}

func (keys) Wrap(id string, plaintext []byte, _ map[string]string) ([]byte, error) {
	if id != knownKey {
		return nil, &smithy.GenericAPIError{Code: "NotFoundException", Message: "Invalid keyId '" + id + "'"}
	}
	return append([]byte("sealed"), reversed(plaintext)...), nil
}

func (keys) Unwrap(blob []byte, _ map[string]string) ([]byte, error) {
	return reversed(bytes.TrimPrefix(blob, []byte("sealed"))), nil
}

func (keys) Permit(id string, _ caller.Caller, _ map[string]string, _ ...string) error {
	_, err := keys{}.Wrap(id, nil, nil)
	return err
}

func reversed(b []byte) []byte {
	b = slices.Clone(b)
	slices.Reverse(b)
	return b
}

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
	config aws.Config
	now    time.Time
	path   string // of the store
	store  *store.Store
	failed []error
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), path: filepath.Join(t.TempDir(), "state.db")}
	state := must(store.Open(s.path))(t)
	s.store = state
	t.Cleanup(func() {
		if err := state.Close(); err != nil {
			t.Error(err)
		}
	})
	service := secretsmanager.New(secretsmanager.Config{
		Store: state, Sealer: must(seal.New(make([]byte, seal.KeySize)))(t), Account: account, Region: region,
		Keys:   keys{},
		Random: &counter{}, Now: func() time.Time { return s.now },
		Failed: func(err error) { s.failed = append(s.failed, err) },
	})
	s.config = servicetest.Config(t, servicetest.Gateway(t, service.Gateway()))
	s.Client = sdk.NewFromConfig(s.config)
	return s
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

// create makes a secret with a value and returns its ARN.
func (s *server) create(t tb, name, value string) string {
	t.Helper()
	return *must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: &name, SecretString: &value}))(t).ARN
}

// put gives a secret a value and returns the version.
func (s *server) put(t tb, id, value string, stages ...string) string {
	t.Helper()
	return *must(s.PutSecretValue(t.Context(),
		&sdk.PutSecretValueInput{SecretId: &id, SecretString: &value, VersionStages: stages}))(t).VersionId
}

// value reads a secret's value at a stage.
func (s *server) value(t tb, id, stage string) string {
	t.Helper()
	return *must(s.GetSecretValue(t.Context(),
		&sdk.GetSecretValueInput{SecretId: &id, VersionStage: &stage}))(t).SecretString
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
