package sns

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// timeFormat is how a message says its time, in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// field is a member of the JSON object that subscribers get, which has an order.
type field struct {
	name  string
	value any
}

// envelope is the JSON object around a message: what a subscriber gets unless it wants the message raw.
func (s *Service) envelope(of topic, sub subscription, m message) ([]byte, error) {
	version := of.Attributes[signatureVersion]
	if version == "" {
		version = "1"
	}
	signed := m.signed(sub.Protocol, s.subscribeURL(m))
	key, err := s.signingKey()
	if err != nil {
		return nil, err
	}
	signature, err := key.sign(version, canonical(signed))
	if err != nil {
		return nil, fmt.Errorf("cannot sign a message: %w", err)
	}
	fields := m.order(signed)
	fields = append(fields, field{"SignatureVersion", version}, field{"Signature", signature},
		field{"SigningCertURL", s.Endpoint + key.path()})
	if m.Kind == notification {
		fields = append(fields, field{"UnsubscribeURL", s.unsubscribeURL(sub)})
	}
	if len(m.Attributes) > 0 {
		fields = append(fields, field{"MessageAttributes", m.Attributes})
	}
	return encode(fields)
}

// signed are the fields that the signature is of, in the order of their names.
func (m message) signed(protocol, subscribeURL string) []field {
	fields := []field{{"Message", m.bodyFor(protocol)}, {"MessageId", m.ID}}
	switch {
	case m.Kind == confirmation:
		fields = append(fields, field{"SubscribeURL", subscribeURL})
	case m.Subject != nil:
		fields = append(fields, field{"Subject", *m.Subject})
	}
	fields = append(fields, field{"Timestamp", m.Time.UTC().Format(timeFormat)})
	if m.Kind == confirmation {
		fields = append(fields, field{"Token", m.Token})
	}
	return append(fields, field{"TopicArn", m.Topic}, field{"Type", m.Kind})
}

// order puts the signed fields in the order in which AWS sends them.
func (message) order(signed []field) []field {
	var out []field
	for _, name := range []string{"Type", "MessageId", "Token", "TopicArn", "Subject", "Message", "SubscribeURL",
		"Timestamp"} {
		for _, f := range signed {
			if f.name == name {
				out = append(out, f)
			}
		}
	}
	return out
}

// canonical is the text that is signed: each name and value on a line of its own.
func canonical(fields []field) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		fmt.Fprintf(&b, "%s\n%s\n", f.name, f.value)
	}
	return b.Bytes()
}

// encode writes the object as AWS does, with a member on each line.
func encode(fields []field) ([]byte, error) {
	var b bytes.Buffer
	for i, f := range fields {
		b.WriteString(map[bool]string{true: "{\n", false: ",\n"}[i == 0])
		value := json.NewEncoder(&b)
		value.SetEscapeHTML(false)
		fmt.Fprintf(&b, "  %q : ", f.name)
		if err := value.Encode(f.value); err != nil {
			return nil, err
		}
		b.Truncate(b.Len() - 1) // the encoder's line feed
	}
	b.WriteString("\n}")
	return b.Bytes(), nil
}

func (s *Service) subscribeURL(m message) string {
	return s.Endpoint + "/?" + ordered("Action", "ConfirmSubscription", "TopicArn", m.Topic, "Token", m.Token)
}

func (s *Service) unsubscribeURL(sub subscription) string {
	return s.Endpoint + "/?" + ordered("Action", "Unsubscribe", "SubscriptionArn", s.arn(sub.key()))
}

// ordered is a query string of names and values.
func ordered(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(parts, "&")
}

// sign makes a signature of either version: SHA-1 or SHA-256 with RSA.
func (k signingKey) sign(version string, text []byte) (string, error) {
	hash, sum := crypto.SHA1, sha1Sum(text)
	if version == "2" {
		digest := sha256.Sum256(text)
		hash, sum = crypto.SHA256, digest[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.private, hash, sum)
	return base64.StdEncoding.EncodeToString(signature), err
}

// sha1Sum is what SignatureVersion 1 signs; SetTopicAttributes chooses 2.
func sha1Sum(text []byte) []byte {
	sum := sha1.Sum(text)
	return sum[:]
}

func encodeBinary(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
