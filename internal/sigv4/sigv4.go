// Package sigv4 finds out who signed a request: it verifies AWS Signature
// Version 4, in the Authorization header or presigned into the query.
//
// It has its own canonicalization, by the specification, because a request's
// headers arrive as clients and proxies leave them, not as the SDK's signer
// would have sent them.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

// maxSkew is how far a signature's time may be from ours, either way.
const maxSkew = 5 * time.Minute

// Identity is what a valid signature proves.
type Identity struct {
	AccessKeyID string
	// Region and Service are the signature's scope.
	Region, Service string
	SignedAt        time.Time
	// Presigned requests carry their signature's parameters in the query.
	Presigned bool
}

// Verifier verifies signatures. It is safe for concurrent use.
type Verifier struct {
	// Secret returns the secret access key of an access key ID, if there is one.
	Secret func(accessKeyID string) (secret string, ok bool)
	// Now is the clock that signatures are held against.
	Now func() time.Time

	keys keyCache
}

// Check returns who a request says it is signed by, which nothing proves before
// Verify. It refuses what Verify would refuse whatever the body is: an unknown
// access key, a date out of range, headers that are not signed. Its errors are of
// type *Error.
func (v *Verifier) Check(r *http.Request) (claimed Identity, err error) {
	sig, _, err := v.claim(r)
	if err != nil {
		return Identity{}, err
	}
	return sig.identity(), nil
}

// claim reads what a request says of its signature, and the secret that it has to be made with.
func (v *Verifier) claim(r *http.Request) (sig *signature, secret string, err error) {
	if sig, err = parse(r); err != nil {
		return nil, "", err
	}
	if r.Header.Get("X-Amz-Security-Token") != "" || sig.query.Has("X-Amz-Security-Token") {
		return nil, "", errInvalidToken
	}
	secret, ok := v.Secret(sig.accessKeyID)
	if !ok {
		return nil, "", errInvalidToken
	}
	if err := sig.checkTime(v.Now().UTC()); err != nil {
		return nil, "", err
	}
	return sig, secret, sig.checkSignedHeaders(r)
}

// Verify returns who signed the request, whose whole body is given. Its errors
// are of type *Error.
func (v *Verifier) Verify(r *http.Request, body []byte) (Identity, error) {
	sig, secret, err := v.claim(r)
	if err != nil {
		return Identity{}, err
	}
	hash := sha256.Sum256(body)
	bodyHash := hex.EncodeToString(hash[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != bodyHash {
		return Identity{}, errMismatch
	}
	canonical := sha256.Sum256(canonicalRequest(r, sig, bodyHash))
	scope := keyScope{secret: secret, date: sig.date, region: sig.region, service: sig.service}
	key, cached := v.keys.get(scope)
	if !cached {
		key = scope.derive()
	}
	want := hex.EncodeToString(sign(key, sig.stringToSign(canonical[:])))
	if subtle.ConstantTimeCompare([]byte(want), []byte(sig.signature)) != 1 {
		return Identity{}, errMismatch
	}
	if !cached {
		// Only now: who lacks the secret cannot push keys out.
		v.keys.put(scope, key)
	}
	return sig.identity(), nil
}

func sign(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
