// Package pki is the local certificate authority: it vouches for the nodes, so that clients verify them as they verify
// AWS's.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/netip"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	// A node gets a new certificate whenever it starts, and Apple's clients refuse more than 825 days.
	nodeLife = 820 * 24 * time.Hour
	// renewBefore is how long before its end a node's certificate is replaced.
	renewBefore = 30 * 24 * time.Hour
	// backdate allows for clients whose clock is behind, and for the engine's being ahead when it issued.
	backdate = 24 * time.Hour
)

// Authority signs certificates for nodes.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority with a fresh key.
func NewAuthority(now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return certify(key, now.Add(-backdate), now.Add(authorityLife))
}

// certify makes an authority of a key.
func certify(key *ecdsa.PrivateKey, from, until time.Time) (*Authority, error) {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "larder local CA", Organization: []string{"larder"}},
		NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("cannot make the local CA: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	return &Authority{certificate, key}, err
}

// ParseAuthority reads what CertificatePEM and KeyPEM wrote.
func ParseAuthority(certificatePEM, keyPEM []byte) (*Authority, error) {
	c, _ := pem.Decode(certificatePEM)
	k, _ := pem.Decode(keyPEM)
	if c == nil || k == nil {
		return nil, fmt.Errorf("cannot read the local CA: not PEM")
	}
	certificate, err := x509.ParseCertificate(c.Bytes)
	if err != nil {
		return nil, fmt.Errorf("cannot read the local CA's certificate: %w", err)
	}
	key, err := x509.ParseECPrivateKey(k.Bytes)
	if err != nil {
		return nil, fmt.Errorf("cannot read the local CA's key: %w", err)
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, fmt.Errorf("cannot use the local CA: its certificate is of another key")
	}
	return &Authority{certificate, key}, nil
}

// Renewed returns the authority itself while its certificate is good for longer than any that it issues now. After
// that, and while the clock says that it is not good yet, it returns one with the same name and key and another
// certificate: what the key has signed can be verified with either. The new one is good from when the old one was, lest
// a clock that was wrong for a while takes anything away.
func (a *Authority) Renewed(now time.Time) (*Authority, error) {
	from, until := a.certificate.NotBefore, a.certificate.NotAfter
	if !now.Before(from) && now.Add(nodeLife).Before(until) {
		return a, nil
	}
	if begin := now.Add(-backdate); begin.Before(from) {
		from = begin
	}
	if end := now.Add(authorityLife); end.After(until) {
		until = end
	}
	return certify(a.key, from, until)
}

// Fresh tells whether a certificate that was issued then is good, and not soon to end. The zero time is when one was
// issued of which that is not known: it is not fresh.
func Fresh(issued, now time.Time) bool {
	return !now.Before(issued.Add(-backdate)) && now.Before(issued.Add(nodeLife-renewBefore))
}

// CertificatePEM is what clients trust.
func (a *Authority) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// KeyPEM is the authority's secret.
func (a *Authority) KeyPEM() ([]byte, error) { return keyPEM(a.key) }

// Pool holds the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// Issue makes a key and a certificate for the node of that id (at most 64 characters, X.509's limit for a common name),
// which is reached under those names and addresses.
func (a *Authority) Issue(
	now time.Time, id string, names []string, addrs []netip.Addr,
) (certificatePEM, secretKeyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: id}, DNSNames: names,
		NotBefore: now.Add(-backdate), NotAfter: now.Add(nodeLife),
		KeyUsage: x509.KeyUsageDigitalSignature,
		// Nodes are clients of each other when they replicate.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, addr := range addrs {
		template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot issue a certificate for %s: %w", id, err)
	}
	secretKeyPEM, err = keyPEM(key)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), secretKeyPEM, err
}

// Certify makes a certificate, in PEM, for a key that signs messages under that name.
func (a *Authority) Certify(now time.Time, name string, public crypto.PublicKey) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(-backdate), NotAfter: now.Add(nodeLife), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
	if err != nil {
		return nil, fmt.Errorf("cannot certify the key of %s: %w", name, err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func keyPEM(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalECPrivateKey(key)
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), err
}

// serial is random, so that two authorities of one name never vouch for the same number.
func serial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b)
	return new(big.Int).SetBytes(b)
}
