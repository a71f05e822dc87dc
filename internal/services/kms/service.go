// Package kms serves the KMS API. Keys really encrypt: AES-256 in Galois/Counter Mode, with key material that is kept
// sealed.
package kms

import (
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/seal"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Sealer          *seal.Sealer
	Account, Region string
	// Lent says what keys are for that are made when somebody first asks for them, by ARN: those that deployments stand
	// on where nobody made one. Nil lends none.
	Lent map[string]string
	// Random makes ids, key material, data keys and nonces.
	Random io.Reader
	Now    func() time.Time
	// Failed gets what goes wrong beside a request that is answered all the same.
	Failed func(error)
}

// Service answers the KMS API.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Why parts of the API are not served.
const (
	symmetric  = "larder's keys are symmetric"
	ownKeys    = "larder makes the key material itself"
	regional   = "larder copies nothing from one region to another"
	noGrants   = "grants are not served"
	noEnclaves = "Nitro enclaves are not served"
	justDryRun = "a dry run checks the whole request"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	return gateway.Service{Shapes: awswire.KMS(), Front: front(), Audit: audit.Log{Store: s.Store},
		Actions: []gateway.Action{
			gateway.Handle("CreateKey", gateway.Write, s.createKey,
				gateway.Refuse("CustomKeyStoreId", ownKeys),
				gateway.Only("CustomerMasterKeySpec", symmetric, string(types.CustomerMasterKeySpecSymmetricDefault)),
				gateway.Only("KeySpec", symmetric, string(types.KeySpecSymmetricDefault)),
				gateway.Only("KeyUsage", symmetric, string(types.KeyUsageTypeEncryptDecrypt)),
				gateway.Only("MultiRegion", regional, "false"),
				gateway.Only("Origin", ownKeys, string(types.OriginTypeAwsKms)),
				gateway.Refuse("XksKeyId", ownKeys)),
			gateway.Handle("DescribeKey", gateway.Read, s.describeKey, gateway.Refuse("GrantTokens", noGrants)),
			gateway.Handle("ListKeys", gateway.List, s.listKeys),
			gateway.Handle("UpdateKeyDescription", gateway.Write, s.updateKeyDescription),
			gateway.Handle("EnableKey", gateway.Write, s.enableKey),
			gateway.Handle("DisableKey", gateway.Write, s.disableKey),
			gateway.Handle("ScheduleKeyDeletion", gateway.Write, s.scheduleKeyDeletion),
			gateway.Handle("CancelKeyDeletion", gateway.Write, s.cancelKeyDeletion),

			gateway.Handle("ListGrants", gateway.List, s.listGrants),
			gateway.Handle("ListRetirableGrants", gateway.List, s.listRetirableGrants),
			gateway.Handle("ListKeyPolicies", gateway.List, s.listKeyPolicies),
			gateway.Handle("GetKeyPolicy", gateway.Read, s.getKeyPolicy),
			gateway.Handle("PutKeyPolicy", gateway.Permissions, s.putKeyPolicy),
			gateway.Handle("GetKeyRotationStatus", gateway.Read, s.getKeyRotationStatus),
			gateway.Handle("EnableKeyRotation", gateway.Write, s.enableKeyRotation),
			gateway.Handle("DisableKeyRotation", gateway.Write, s.disableKeyRotation),

			gateway.Handle("CreateAlias", gateway.Write, s.createAlias),
			gateway.Handle("UpdateAlias", gateway.Write, s.updateAlias),
			gateway.Handle("DeleteAlias", gateway.Write, s.deleteAlias),
			gateway.Handle("ListAliases", gateway.List, s.listAliases),

			gateway.Handle("TagResource", gateway.Tagging, s.tagResource),
			gateway.Handle("UntagResource", gateway.Tagging, s.untagResource),
			gateway.Handle("ListResourceTags", gateway.List, s.listResourceTags),

			gateway.Handle("Encrypt", gateway.Write, s.encrypt, gateway.Refuse("GrantTokens", noGrants),
				symmetricOnly("EncryptionAlgorithm")),
			gateway.Handle("Decrypt", gateway.Write, s.decrypt,
				gateway.Refuse("GrantTokens", noGrants), gateway.Refuse("DryRunModifiers", justDryRun),
				gateway.Refuse("Recipient", noEnclaves), symmetricOnly("EncryptionAlgorithm")),
			gateway.Handle("ReEncrypt", gateway.Write, s.reEncrypt,
				gateway.Refuse("GrantTokens", noGrants), gateway.Refuse("DryRunModifiers", justDryRun),
				symmetricOnly("SourceEncryptionAlgorithm"), symmetricOnly("DestinationEncryptionAlgorithm")),
			gateway.Handle("GenerateRandom", gateway.Write, s.generateRandom,
				gateway.Refuse("CustomKeyStoreId", ownKeys), gateway.Refuse("Recipient", noEnclaves)),
			gateway.Handle("GenerateDataKey", gateway.Write, s.generateDataKey,
				gateway.Refuse("GrantTokens", noGrants), gateway.Refuse("Recipient", noEnclaves)),
			gateway.Handle("GenerateDataKeyWithoutPlaintext", gateway.Write, s.generateDataKeyWithoutPlaintext,
				gateway.Refuse("GrantTokens", noGrants)),
		}}
}

func symmetricOnly(field string) gateway.Refusal {
	return gateway.Only(field, symmetric, string(types.EncryptionAlgorithmSpecSymmetricDefault))
}

// ensure makes an enabled key of that ARN unless there is one. One that an earlier larder made, whose policy let no
// service in, gets the policy of lent keys.
func (s *Service) ensure(arn, description string) error {
	var k key
	err := s.Store.View(func(tx *store.Tx) (err error) {
		k, err = s.find(tx, &arn)
		return err
	})
	if !isNotFound(err) && (err != nil || k.Policy != s.defaultPolicy()) {
		return err
	}
	return s.Store.Update(func(tx *store.Tx) error {
		k, err := s.find(tx, &arn)
		if err == nil && k.Policy == s.defaultPolicy() {
			k.Policy = s.lentPolicy()
			return keys.Put(tx, k.ID, k)
		}
		if !isNotFound(err) {
			return err
		}
		id, err := s.resource(&arn)
		if err != nil {
			return err
		}
		if !validID.MatchString(id) {
			return fmt.Errorf("cannot make a key of the ARN %s: it must end in a UUID", arn)
		}
		made, err := s.newKey(id)
		if err != nil {
			return err
		}
		made.Description, made.Policy = description, s.lentPolicy()
		return keys.Put(tx, made.ID, made)
	})
}
