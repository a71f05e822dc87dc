package kms_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"pgregory.net/rapid"

	"larder/internal/caller"
	"larder/internal/seal"
	"larder/internal/services/kms"
	"larder/internal/servicetest"
	"larder/internal/store"
)

const (
	region  = servicetest.Region
	account = servicetest.Account
	prefix  = "arn:aws:kms:us-east-1:123456789012:"
	day     = 24 * time.Hour
)

// tb is a test, or one run of a property.
type tb interface {
	rapid.TB
	Context() context.Context
}

// server is the service behind a real gateway, with a real client.
type server struct {
	*sdk.Client
	kms    *kms.Service
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
	s.kms = kms.New(kms.Config{
		Store: state, Sealer: must(seal.New(make([]byte, seal.KeySize)))(t), Account: account, Region: region,
		Random: rand.Reader, Now: func() time.Time { return s.now },
		Failed: func(err error) { s.failed = append(s.failed, err) },
	})
	s.Client = sdk.NewFromConfig(servicetest.Config(t, servicetest.Gateway(t, s.kms.Gateway())))
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

// create makes a key and returns its id.
func (s *server) create(t tb) string {
	t.Helper()
	return *must(s.CreateKey(t.Context(), &sdk.CreateKeyInput{}))(t).KeyMetadata.KeyId
}

func (s *server) disable(t tb, id string) {
	t.Helper()
	must(s.DisableKey(t.Context(), &sdk.DisableKeyInput{KeyId: &id}))(t)
}

func (s *server) schedule(t tb, id string) {
	t.Helper()
	must(s.ScheduleKeyDeletion(t.Context(),
		&sdk.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: new(int32(7))}))(t)
}

func (s *server) alias(t tb, name, id string) {
	t.Helper()
	must(s.CreateAlias(t.Context(), &sdk.CreateAliasInput{AliasName: &name, TargetKeyId: &id}))(t)
}

func TestHasKey(t *testing.T) {
	s := newServer(t)
	id, off, going := s.create(t), s.create(t), s.create(t)
	s.alias(t, "alias/mine", id)
	s.disable(t, off)
	s.schedule(t, going)
	for name, want := range map[string]bool{
		id: true, prefix + "key/" + id: true, "alias/mine": true, prefix + "alias/mine": true,
		off: false, going: false, "alias/other": false, prefix + "key/00000000-0000-4000-8000-000000000000": false,
		"": false, "x": false,
	} {
		if got := s.kms.For("sns").HasKey(caller.User(account), name); got != want {
			t.Errorf("HasKey(%q) is %v", name, got)
		}
	}
}

// A key that is lent is not there until somebody asks for it, by its id or its ARN, and stays then.
func TestLentKeys(t *testing.T) {
	const id = "0ba6c1a8-6aab-4a3e-94a4-6d94cbe0e6a9"
	s := newServer(t)
	s.kms.Lent = map[string]string{prefix + "key/" + id: "ours", prefix + "key/mine": "no key can be this"}
	if got := must(s.ListKeys(t.Context(), &sdk.ListKeysInput{}))(t).Keys; len(got) > 0 {
		t.Errorf("nobody asked, and there are %+v", got)
	}
	if !s.kms.For("elasticache").HasKey(caller.User(account), prefix+"key/"+id) {
		t.Error("ElastiCache cannot use it")
	}
	for range 2 { // the second time it is there
		k := must(s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: new(id)}))(t).KeyMetadata
		if *k.Arn != prefix+"key/"+id || *k.Description != "ours" || !k.Enabled ||
			k.KeyManager != types.KeyManagerTypeCustomer {
			t.Errorf("got %+v", k)
		}
	}
	if got := must(s.ListKeys(t.Context(), &sdk.ListKeysInput{}))(t).Keys; len(got) != 1 {
		t.Errorf("there are %+v", got)
	}
	blob := must(s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: new(id), Plaintext: []byte("x")}))(t).CiphertextBlob
	must(s.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: blob}))(t)
	_, err := s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: new(prefix + "key/mine")})
	servicetest.WantError(t, err, "InternalFailure",
		"An internal error has occurred. Please try your query again at a later time.")
}

// A key that is lent is made by whatever is first done with it.
func TestLentKeysAreMadeByAnyAction(t *testing.T) {
	for action, do := range map[string]func(*server, *string) error{
		"policy": func(s *server, id *string) error {
			return failure(s.GetKeyPolicy(t.Context(), &sdk.GetKeyPolicyInput{KeyId: id}))
		},
		"policies": func(s *server, id *string) error {
			return failure(s.ListKeyPolicies(t.Context(), &sdk.ListKeyPoliciesInput{KeyId: id}))
		},
		"disable": func(s *server, id *string) error {
			return failure(s.DisableKey(t.Context(), &sdk.DisableKeyInput{KeyId: id}))
		},
		"alias": func(s *server, id *string) error {
			return failure(s.CreateAlias(t.Context(),
				&sdk.CreateAliasInput{AliasName: new("alias/mine"), TargetKeyId: id}))
		},
		"aliases": func(s *server, id *string) error {
			return failure(s.ListAliases(t.Context(), &sdk.ListAliasesInput{KeyId: id}))
		},
	} {
		t.Run(action, func(t *testing.T) {
			s := newServer(t)
			arn := prefix + "key/" + uuid(1)
			s.kms.Lent = map[string]string{arn: "ours"}
			if err := do(s, &arn); err != nil {
				t.Error(err)
			}
		})
	}
}

// A key's material is not readable in the state file.
func TestMaterialIsSealed(t *testing.T) {
	s := newServer(t)
	secret := bytes.Repeat([]byte{0xA5}, 32)
	s.kms.Random = bytes.NewReader(bytes.Repeat([]byte{0xA5}, 1024))
	id := s.create(t)
	raw := must(os.ReadFile(s.path))(t)
	if !bytes.Contains(raw, []byte(id)) {
		t.Fatal("the state file does not hold the key: the test looks in the wrong place")
	}
	for _, form := range []string{string(secret), "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWl"} {
		if bytes.Contains(raw, []byte(form)) {
			t.Error("the state file holds the key's material")
		}
	}
	s.kms.Random = bytes.NewReader(nil)
	_, err := s.CreateKey(t.Context(), &sdk.CreateKeyInput{})
	servicetest.WantError(t, err, "InternalFailure",
		"An internal error has occurred. Please try your query again at a later time.")
}

func uuid(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// What was wrapped comes back in the same context only, and only while the key is enabled.
func TestWrap(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	context := map[string]string{"for": "a test"}
	blob, err := s.kms.For("sns").Wrap(prefix+"key/"+id, []byte("secret"), context)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.kms.For("sns").Unwrap(blob, context); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := s.kms.For("sns").Unwrap(blob, nil); err == nil {
		t.Error("unwrapped in another context")
	}
	s.disable(t, id)
	if _, err := s.kms.For("sns").Unwrap(blob, context); err == nil {
		t.Error("unwrapped with a disabled key")
	}
	if _, err := s.kms.For("sns").Wrap(id, []byte("secret"), context); err == nil {
		t.Error("wrapped with a disabled key")
	}
}
