package kms

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"larder/internal/caller"
	"larder/internal/seal"
)

// Client is KMS as one AWS service uses it for its callers: with their keys, and with the service's own default key.
// Its refusals have the codes of KMS, and texts that services pass on.
type Client struct {
	kms     *Service
	service string
}

// For is the client of an AWS service: "sns".
func (s *Service) For(service string) Client { return Client{s, service} }

// HasKey tells whether there is an enabled key of that id, ARN, alias or alias ARN that the service may use for a
// caller.
func (c Client) HasKey(by caller.Caller, id string) bool {
	return c.Permit(id, by, nil, "GenerateDataKey") == nil
}

func (c Client) user(action string) user { return user{action: action, service: c.service} }

// Wrap encrypts something for the service with an enabled key, given by id, ARN, alias or alias ARN.
func (c Client) Wrap(id string, plaintext []byte, context map[string]string) ([]byte, error) {
	k, err := c.kms.encryptionKey(c.user("Encrypt"), &id)
	if err != nil {
		return nil, c.passedOn(err)
	}
	return c.kms.seal(k, plaintext, context)
}

// Unwrap decrypts what Wrap made in the same context. Its key must be enabled.
func (c Client) Unwrap(blob []byte, context map[string]string) ([]byte, error) {
	k, err := c.kms.decryptionKey(c.user("Decrypt"), blob, nil)
	if err != nil {
		return nil, c.passedOn(err)
	}
	plaintext, err := c.kms.open(k, blob, context)
	return plaintext, c.passedOn(err)
}

// refusal is a refusal of KMS with the text that a service shows its own callers.
type refusal struct {
	smithy.APIError
	text string
}

// Error gives the code and the text.
func (r refusal) Error() string { return r.ErrorCode() + ": " + r.text }

// ErrorMessage gives the text.
func (r refusal) ErrorMessage() string { return r.text }

// Unwrap gives the SDK's error.
func (r refusal) Unwrap() error { return r.APIError }

// Is tells whether the refusal is seal.ErrNoKey: there is no such key, or no longer.
func (r refusal) Is(target error) bool {
	return target == seal.ErrNoKey && r.ErrorCode() == "NotFoundException"
}

// passedOn gives a refusal the text that services on AWS pass on to their callers: it says that KMS refused, and why.
func (c Client) passedOn(err error) error {
	said := smithy.APIError(nil)
	if !errors.As(err, &said) {
		return err
	}
	id, failed := c.kms.newID()
	if failed != nil {
		return errors.Join(err, failed)
	}
	message := said.ErrorMessage()
	if message == "" {
		message = "null"
	}
	return refusal{said,
		fmt.Sprintf("%s (Service: AWSKMS; Status Code: 400; Error Code: %s; Request ID: %s; Proxy: null)",
			message, said.ErrorCode(), id)}
}
