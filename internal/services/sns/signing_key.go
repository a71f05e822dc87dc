package sns

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"larder/internal/store"
)

// signers holds the key that messages are signed with, and those before it.
const signers = store.Table[signer]("sns-signers")

// signer is a key and its certificate, as they are kept. Its key in the table is Name.
type signer struct {
	Name        string
	Certificate []byte // PEM
	Key         []byte // PKCS #1, sealed
	Until       time.Time
}

// Certifier vouches for keys.
type Certifier interface {
	// Certify makes a certificate, in PEM, for a key that signs under that name.
	Certify(now time.Time, name string, public crypto.PublicKey) ([]byte, error)
}

// signingKey is a signer ready to sign.
type signingKey struct {
	name    string
	private *rsa.PrivateKey
}

const (
	keyBits    = 2048
	signerName = "sns.amazonaws.com"
	certPrefix = "/SimpleNotificationService-"
	certSuffix = ".pem"
)

func (k signingKey) path() string { return certPrefix + k.name + certSuffix }

// good tells whether subscribers take the signer's certificate now. One that was made while the clock was ahead they do
// not take yet.
func (k signer) good(now time.Time) bool {
	certificate, err := k.certificate()
	return err == nil && !now.Before(certificate.NotBefore) && now.Before(certificate.NotAfter)
}

func (k signer) certificate() (*x509.Certificate, error) {
	block, _ := pem.Decode(k.Certificate)
	if block == nil {
		return nil, errors.New("the certificate of SNS's key is not PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func signerAAD(name string) string { return "sns-signer/" + name }

// signingKey returns the key to sign with, made the first time and when no other's certificate is good.
func (s *Service) signingKey() (signingKey, error) {
	s.signing.Lock()
	defer s.signing.Unlock()
	var known signer
	err := s.Store.View(func(tx *store.Tx) error {
		all, err := signers.List(tx)
		for _, k := range all {
			if k.good(s.Now()) && k.Until.After(known.Until) {
				known = k
			}
		}
		return err
	})
	if err != nil {
		return signingKey{}, err
	}
	if known.Name == "" {
		return s.newSigner()
	}
	raw, err := s.Sealer.Open(signerAAD(known.Name), known.Key)
	if err != nil {
		return signingKey{}, err
	}
	private, err := x509.ParsePKCS1PrivateKey(raw)
	return signingKey{known.Name, private}, err
}

func (s *Service) newSigner() (signingKey, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return signingKey{}, err
	}
	certificate, err := s.Certifier.Certify(s.Now(), signerName, private.Public())
	if err != nil {
		return signingKey{}, err
	}
	made := signer{Certificate: certificate}
	parsed, err := made.certificate()
	if err != nil {
		return signingKey{}, err
	}
	made.Name, made.Until = fmt.Sprintf("%x", sha256.Sum256(parsed.Raw))[:32], parsed.NotAfter
	made.Key = s.Sealer.Seal(signerAAD(made.Name), x509.MarshalPKCS1PrivateKey(private))
	err = s.Store.Update(func(tx *store.Tx) error { return signers.Put(tx, made.Name, made) })
	return signingKey{made.Name, private}, err
}

// certificate returns what is served under a signing key's path.
func (s *Service) certificate(path string) ([]byte, bool) {
	name, isOne := strings.CutPrefix(path, certPrefix)
	name, ends := strings.CutSuffix(name, certSuffix)
	if !isOne || !ends {
		return nil, false
	}
	var found signer
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = signers.Get(tx, name)
		return err
	})
	return found.Certificate, err == nil
}
