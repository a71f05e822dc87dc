// Package secretsmanager serves the Secrets Manager API. Secret values are kept sealed, each for its own place.
package secretsmanager

import (
	"fmt"
	"io"
	"sync"
	"time"

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
	Keys            Keys
	// Random makes the ends of ARNs, and passwords.
	Random io.Reader
	Now    func() time.Time
	// Failed gets what goes wrong beside a request that is answered all the same.
	Failed func(error)
}

// Service answers the Secrets Manager API.
type Service struct {
	Config
	// changing is held while secrets change: values are sealed between a secret's reading and its writing, which are
	// two transactions.
	changing sync.Mutex
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c} }

// Why parts of the API are not served.
const (
	regional  = "larder copies nothing from one region to another"
	noPartner = "secrets of other vendors are not served"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	shapes, front := awswire.SecretsManager(), front()
	actions := s.actions()
	for i, action := range actions {
		actions[i] = action.Guarded(s.guardSecret)
	}
	return gateway.Service{Shapes: shapes, Front: front, ErrorMessage: "Message", Actions: actions,
		Audit: audit.Log{Store: s.Store}}
}

// actions are what is served of the API.
func (s *Service) actions() []gateway.Action {
	return []gateway.Action{
		gateway.Handle("CreateSecret", gateway.Write, s.createSecret,
			gateway.Refuse("AddReplicaRegions", regional),
			gateway.Refuse("ForceOverwriteReplicaSecret", regional),
			gateway.Refuse("Type", noPartner)),
		gateway.Handle("DescribeSecret", gateway.Read, s.describeSecret),
		gateway.Handle("ListSecrets", gateway.List, s.listSecrets),
		gateway.Handle("UpdateSecret", gateway.Write, s.updateSecret, gateway.Refuse("Type", noPartner)),
		gateway.Handle("DeleteSecret", gateway.Write, s.deleteSecret),
		gateway.Handle("RestoreSecret", gateway.Write, s.restoreSecret),

		gateway.Handle("GetSecretValue", gateway.Read, s.getSecretValue),
		gateway.Handle("BatchGetSecretValue", gateway.Read, s.batchGetSecretValue),
		gateway.Handle("PutSecretValue", gateway.Write, s.putSecretValue,
			gateway.Refuse("RotationToken", "rotation is not served")),
		gateway.Handle("ListSecretVersionIds", gateway.Read, s.listVersions),
		gateway.Handle("UpdateSecretVersionStage", gateway.Write, s.updateVersionStage),
		gateway.Handle("GetRandomPassword", gateway.Read, s.getRandomPassword),

		gateway.Handle("GetResourcePolicy", gateway.Read, s.getResourcePolicy),
		gateway.Handle("PutResourcePolicy", gateway.Permissions, s.putResourcePolicy),
		gateway.Handle("DeleteResourcePolicy", gateway.Permissions, s.deleteResourcePolicy),

		gateway.Handle("TagResource", gateway.Tagging, s.tagResource),
		gateway.Handle("UntagResource", gateway.Tagging, s.untagResource),
	}
}

// suffixLength is how many random characters an ARN ends in.
const suffixLength = 6

func (s *Service) arnPrefix() string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:", s.Region, s.Account)
}

// newARN makes the ARN of a secret: a secret made later under the same name has another one.
func (s *Service) newARN(name string) (string, error) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	suffix := make([]byte, 0, suffixLength)
	var b [1]byte
	for len(suffix) < suffixLength {
		if _, err := io.ReadFull(s.Random, b[:]); err != nil {
			return "", fmt.Errorf("cannot make an ARN for the secret %s: %w", name, err)
		}
		if i := int(b[0] >> 2); i < len(alphabet) { // the top six bits; 62 and 63 are drawn again
			suffix = append(suffix, alphabet[i])
		}
	}
	return s.arnPrefix() + name + "-" + string(suffix), nil
}
