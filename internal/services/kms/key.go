package kms

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	smithyrand "github.com/aws/smithy-go/rand"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/store"
)

// The tables: keys by id, until they are deleted, and aliases by name.
const (
	keys    = store.Table[key]("kms-keys")
	aliases = store.Table[alias]("kms-aliases")
)

// key is a KMS key.
type key struct {
	ID          string
	Description string
	Policy      string
	Tags        map[string]string
	State       types.KeyState
	Created     time.Time
	Deletion    time.Time  // when it will be gone; zero unless it is pending deletion
	Materials   []material // the last one encrypts, all of them decrypt
	Rotation    rotation
	// Service is the AWS service whose default key it is: "sns". It is empty for a customer's key.
	Service string
}

// material is one generation of a key's secret.
type material struct {
	ID      string // 64 hexadecimal digits
	Sealed  []byte // for the place that materialAAD names
	Created time.Time
}

const (
	materialSize = 32 // bytes: AES-256
	materialID   = 32 // bytes
	day          = 24 * time.Hour
)

// materialAAD is what a key's material is sealed for.
func materialAAD(key, material string) string { return "kms/key/" + key + "/" + material }

func (k *key) current() material { return k.Materials[len(k.Materials)-1] }

// newKey makes an enabled key with its first material.
func (s *Service) newKey(id string) (key, error) {
	k := key{ID: id, State: types.KeyStateEnabled, Policy: s.defaultPolicy(), Tags: map[string]string{},
		Created: s.Now()}
	return k, s.addMaterial(&k, k.Created)
}

// addMaterial gives a key another generation of its secret.
func (s *Service) addMaterial(k *key, at time.Time) error {
	id, secret := make([]byte, materialID), make([]byte, materialSize)
	for _, b := range [][]byte{id, secret} {
		if _, err := io.ReadFull(s.Random, b); err != nil {
			return fmt.Errorf("cannot make material for the key %s: %w", k.ID, err)
		}
	}
	m := material{ID: hex.EncodeToString(id), Created: at}
	m.Sealed = s.Sealer.Seal(materialAAD(k.ID, m.ID), secret)
	k.Materials = append(k.Materials, m)
	return nil
}

// newID makes a random UUID, version 4.
func (s *Service) newID() (string, error) {
	id, err := smithyrand.NewUUID(s.Random).GetUUID()
	if err != nil {
		return "", fmt.Errorf("cannot make a key id: %w", err)
	}
	return id, nil
}

func (s *Service) arn(resource string) string {
	return fmt.Sprintf("arn:aws:kms:%s:%s:%s", s.Region, s.Account, resource)
}

func (s *Service) keyARN(id string) string { return s.arn("key/" + id) }

var validID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// multiRegionID is what the ids of keys in several regions are like, of which there are none here.
var multiRegionID = regexp.MustCompile(`^mrk-[0-9a-f]{32}$`)

// resource takes an id or an ARN of this account apart: "key/ID", "alias/NAME" or a bare key id.
func (s *Service) resource(id *string) (string, error) {
	if id == nil {
		return "", notFound("Invalid keyId ''")
	}
	if !strings.HasPrefix(*id, "arn:") {
		return *id, nil
	}
	resource, ok := strings.CutPrefix(*id, s.arn(""))
	if !ok {
		return "", notFound("Invalid arn %s", s.stranger(*id))
	}
	if id, ok := strings.CutPrefix(resource, "key/"); ok {
		return id, nil
	}
	return resource, nil
}

// stranger is what is said of an ARN that is not of this account and region: its region, where that is another one.
func (s *Service) stranger(arn string) string {
	parsed, err := awsarn.Parse(arn)
	if err != nil || parsed.Service != "kms" || parsed.Region == s.Region {
		return arn
	}
	return parsed.Region
}

// find returns the key of that id or ARN.
func (s *Service) find(tx *store.Tx, id *string) (key, error) {
	name, err := s.resource(id)
	if err != nil {
		return key{}, err
	}
	if !validID.MatchString(name) && !multiRegionID.MatchString(name) {
		return key{}, notFound("Invalid keyId '%s'", name)
	}
	k, err := keys.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && s.gone(k) {
		return key{}, notFound("Key '%s' does not exist", s.keyARN(name))
	}
	return k, err
}

// resolve returns the key of that id, ARN, alias or alias ARN.
func (s *Service) resolve(tx *store.Tx, id *string) (key, error) {
	name, err := s.resource(id)
	if err != nil || !strings.HasPrefix(name, aliasPrefix) {
		return s.find(tx, id)
	}
	missing := notFound("Alias %s is not found.", s.arn(name))
	a, err := aliases.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return key{}, missing
	}
	if err != nil {
		return key{}, err
	}
	k, err := s.find(tx, &a.Target)
	if isNotFound(err) { // the key is gone, and its aliases with it
		return key{}, missing
	}
	return k, err
}

func (s *Service) gone(k key) bool { return !k.Deletion.IsZero() && !s.Now().Before(k.Deletion) }

// alive refuses what cannot be done with a key that is pending deletion.
func (s *Service) alive(k key) error {
	if k.State == types.KeyStatePendingDeletion {
		return &types.KMSInvalidStateException{Message: new(s.keyARN(k.ID) + " is pending deletion.")}
	}
	return nil
}

// usable refuses what needs an enabled key.
func (s *Service) usable(k key) error {
	if k.State == types.KeyStateDisabled {
		return &types.DisabledException{Message: new(s.keyARN(k.ID) + " is disabled.")}
	}
	return s.alive(k)
}

// change changes a customer's key that is not pending deletion, in one transaction, as action asks for.
func (s *Service) change(ctx context.Context, action string, id *string, change func(*key) error) error {
	return s.changeAny(ctx, action, id, func(k *key) error {
		if err := s.alive(*k); err != nil {
			return err
		}
		return change(k)
	})
}

// changeAny changes a customer's key in whichever state it is.
func (s *Service) changeAny(ctx context.Context, action string, id *string, change func(*key) error) error {
	if err := s.lend(id); err != nil {
		return err
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if err := s.purge(tx); err != nil {
			return err
		}
		k, err := s.find(tx, id)
		if err != nil {
			return err
		}
		if err := s.admit(user{by: caller.Of(ctx), action: action}, k); err != nil {
			return err
		}
		if err := change(&k); err != nil {
			return err
		}
		return keys.Put(tx, k.ID, k)
	})
}

// view reads a key by its id or ARN, as action asks for.
func (s *Service) view(ctx context.Context, action string, id *string) (k key, err error) {
	if err := s.lend(id); err != nil {
		return key{}, err
	}
	err = s.Store.View(func(tx *store.Tx) (err error) {
		if k, err = s.find(tx, id); err != nil {
			return err
		}
		return s.admit(user{by: caller.Of(ctx), action: action}, k)
	})
	return k, err
}

// purge drops the keys that are gone, and their aliases.
func (s *Service) purge(tx *store.Tx) error {
	all, err := keys.List(tx)
	if err != nil {
		return err
	}
	for _, k := range all {
		if !s.gone(k) {
			continue
		}
		if err := errors.Join(keys.Delete(tx, k.ID), s.purgeAliases(tx, k.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) purgeAliases(tx *store.Tx, target string) error {
	all, err := aliases.List(tx)
	for _, a := range all {
		if a.Target == target {
			err = errors.Join(err, aliases.Delete(tx, a.Name))
		}
	}
	return err
}
