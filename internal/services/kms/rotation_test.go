package kms_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"golang.org/x/sys/unix"

	"larder/internal/caller"
)

func TestRotation(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	status := func() *sdk.GetKeyRotationStatusOutput {
		return must(s.GetKeyRotationStatus(t.Context(), &sdk.GetKeyRotationStatusInput{KeyId: &id}))(t)
	}
	if got := status(); got.KeyRotationEnabled || got.NextRotationDate != nil || *got.KeyId != prefix+"key/"+id {
		t.Errorf("got %+v", got)
	}
	must(s.EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: &id}))(t)
	if got := status(); !got.KeyRotationEnabled || *got.RotationPeriodInDays != 365 ||
		!got.NextRotationDate.Equal(s.now.Add(365*day)) {
		t.Errorf("got %+v", got)
	}
	must(s.EnableKeyRotation(t.Context(),
		&sdk.EnableKeyRotationInput{KeyId: &id, RotationPeriodInDays: new(int32(90))}))(t)
	first := s.now.Add(90 * day)

	encrypt := func() *sdk.EncryptOutput {
		return must(s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("mine")}))(t)
	}
	material := func(blob []byte) string {
		out := must(s.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: blob}))(t)
		if string(out.Plaintext) != "mine" {
			t.Errorf("got %q", out.Plaintext)
		}
		return *out.KeyMaterialId
	}
	old := encrypt().CiphertextBlob
	s.now = first.Add(-time.Second)
	if material(encrypt().CiphertextBlob) != material(old) {
		t.Error("the key was rotated before its time")
	}
	s.now = first.Add(200 * day) // two rotations and some days later
	if got := status().NextRotationDate; !got.Equal(first.Add(270 * day)) {
		t.Errorf("the next rotation is on %s", got)
	}
	young := encrypt().CiphertextBlob
	if material(young) == material(old) {
		t.Error("the key was not rotated")
	}
	if got := status().NextRotationDate; !got.Equal(first.Add(270 * day)) {
		t.Errorf("after it the next rotation is on %s", got)
	}
	current := must(s.DescribeKey(t.Context(), &sdk.DescribeKeyInput{KeyId: &id}))(t).KeyMetadata.CurrentKeyMaterialId
	if *current != material(young) {
		t.Errorf("the current material is %s", *current)
	}
	must(s.DisableKeyRotation(t.Context(), &sdk.DisableKeyRotationInput{KeyId: &id}))(t)
	if status().KeyRotationEnabled {
		t.Error("still rotated")
	}
}

// TestAKeyIsUsedWhileItsRotationCannotBeWritten: it encrypts with the last material, and rotates when there is room.
func TestAKeyIsUsedWhileItsRotationCannotBeWritten(t *testing.T) {
	s := newServer(t)
	id := s.create(t)
	must(s.EnableKeyRotation(t.Context(), &sdk.EnableKeyRotationInput{KeyId: &id}))(t)
	s.now = s.now.Add(366 * day)
	s.store.Refuse(func() error { return unix.ENOSPC })
	encrypt := func() string {
		out := must(s.Encrypt(t.Context(), &sdk.EncryptInput{KeyId: &id, Plaintext: []byte("mine")}))(t)
		opened := must(s.Decrypt(t.Context(), &sdk.DecryptInput{CiphertextBlob: out.CiphertextBlob}))(t)
		if string(opened.Plaintext) != "mine" {
			t.Errorf("opened %q", opened.Plaintext)
		}
		return *opened.KeyMaterialId
	}
	last := encrypt()
	if !s.kms.For("sns").HasKey(caller.User(account), id) {
		t.Error("no service can use it")
	}
	if len(s.failed) != 2 || !errors.Is(s.failed[0], unix.ENOSPC) || !strings.Contains(s.failed[0].Error(), id) {
		t.Errorf("told: %v", s.failed)
	}
	s.store.Refuse(nil)
	if encrypt() == last {
		t.Error("with room it is not rotated")
	}
}
