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
	"pgregory.net/rapid"

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
	kms  *kms.Service
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
	s.kms = kms.New(kms.Config{
		Store: state, Sealer: must(seal.New(make([]byte, seal.KeySize)))(t), Account: account, Region: region,
		Random: rand.Reader, Now: func() time.Time { return s.now },
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
	must(s.ScheduleKeyDeletion(t.Context(), &sdk.ScheduleKeyDeletionInput{KeyId: &id, PendingWindowInDays: new(int32(7))}))(t)
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
		off: false, going: false, "alias/other": false, prefix + "key/00000000-0000-4000-8000-000000000000": false, "": false, "x": false,
	} {
		if got := s.kms.HasKey(name); got != want {
			t.Errorf("HasKey(%q) is %v", name, got)
		}
	}
}

func TestEnsure(t *testing.T) {
	s := newServer(t)
	const arn = prefix + "key/0ba6c1a8-6aab-4a3e-94a4-6d94cbe0e6a9"
	var blob []byte
	for range 2 { // the second time it is there
		if err := s.kms.Ensure(arn, "ours"); err != nil {
			t.Fatal(err)
		}
		k := must(s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: new(arn)}))(t).KeyMetadata
		if *k.Arn != arn || *k.Description != "ours" || !k.Enabled {
			t.Errorf("got %+v", k)
		}
		if blob == nil {
			blob = must(s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: new(arn), Plaintext: []byte("x")}))(t).CiphertextBlob
		}
	}
	must(s.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: blob}))(t)
	for _, bad := range []string{"arn:aws:kms:us-east-2:123456789012:key/0ba6c1a8-6aab-4a3e-94a4-6d94cbe0e6a9", prefix + "key/mine"} {
		if err := s.kms.Ensure(bad, ""); err == nil {
			t.Errorf("made a key of the ARN %s", bad)
		}
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
	servicetest.WantError(t, err, "InternalFailure", "An internal error has occurred. Please try your query again at a later time.")
}

func uuid(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// What was wrapped comes back in the same context only, and only while the key is enabled.
func TestWrap(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	context := map[string]string{"for": "a test"}
	blob, err := s.kms.Wrap(prefix+"key/"+id, []byte("secret"), context)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.kms.Unwrap(blob, context); err != nil || string(got) != "secret" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := s.kms.Unwrap(blob, nil); err == nil {
		t.Error("unwrapped in another context")
	}
	s.disable(t, id)
	if _, err := s.kms.Unwrap(blob, context); err == nil {
		t.Error("unwrapped with a disabled key")
	}
	if _, err := s.kms.Wrap(id, []byte("secret"), context); err == nil {
		t.Error("wrapped with a disabled key")
	}
}
