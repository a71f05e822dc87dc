package sigv4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"larder/internal/sigv4"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	form   = "Action=DescribeReplicationGroups&Version=2015-02-02"
)

var now = time.Date(2023, 1, 1, 0, 10, 0, 0, time.UTC)

func verifier() *sigv4.Verifier {
	return &sigv4.Verifier{
		Secret: func(id string) (string, bool) { return secret, id == keyID },
		Now:    func() time.Time { return now },
	}
}

// fataler is what testing.TB and rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func newRequest(t fataler, method, target string, header http.Header, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://127.0.0.1:4566"+target, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	return r
}

func hash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// signed signs r with the SDK's own signer and passes it through HTTP.
func signed(t fataler, r *http.Request, body string, creds aws.Credentials, at time.Time) *http.Request {
	t.Helper()
	err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hash(body), "elasticache", "us-east-1", at)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return received(t, r)
}

// presigned is signed for the other form: the signature in the query.
func presigned(t fataler, target string, creds aws.Credentials, at time.Time) *http.Request {
	t.Helper()
	r := newRequest(t, http.MethodGet, target, nil, "")
	uri, header, err := v4.NewSigner().PresignHTTP(context.Background(), creds, r, hash(""), "elasticache", "us-east-1",
		at)
	if err != nil {
		t.Fatalf("presign: %v", err)
	}
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatalf("presign: %v", err)
	}
	return received(t, newRequest(t, http.MethodGet, u.RequestURI(), header, ""))
}

// received is the request as a server reads it off the connection.
func received(t fataler, r *http.Request) *http.Request {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		t.Fatalf("write: %v", err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return got
}

func verify(t fataler, r *http.Request) (sigv4.Identity, error) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read the body: %v", err)
	}
	return verifier().Verify(r, body)
}

func example() aws.Credentials { return aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret} }

func TestVerify(t *testing.T) {
	want := sigv4.Identity{AccessKeyID: keyID, Region: "us-east-1", Service: "elasticache", SignedAt: now}
	t.Run("header", func(t *testing.T) {
		r := newRequest(t, http.MethodPost, "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			form)
		got, err := verify(t, signed(t, r, form, example(), now))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("presigned", func(t *testing.T) {
		got, err := verify(t, presigned(t, "/?"+form, example(), now))
		if err != nil {
			t.Fatal(err)
		}
		want := want
		want.Presigned = true
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// TestVerifyAWSExample is a signature by neither the SDK nor us: the worked
// example in AWS's own description of Signature Version 4.
func TestVerifyAWSExample(t *testing.T) {
	v := &sigv4.Verifier{
		Secret: func(string) (string, bool) { return "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", true },
		Now:    func() time.Time { return time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC) },
	}
	r := newRequest(t, http.MethodGet, "/?Action=ListUsers&Version=2010-05-08", http.Header{
		"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"},
		"X-Amz-Date":   {"20150830T123600Z"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
			"SignedHeaders=content-type;host;x-amz-date, " +
			"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	}, "")
	r.Host = "iam.amazonaws.com"
	if _, err := v.Verify(r, nil); err != nil {
		t.Error(err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	const mismatch = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	post := func(header http.Header) *http.Request { return newRequest(t, http.MethodPost, "/", header, form) }
	at := func(d time.Duration) *http.Request { return signed(t, post(nil), form, example(), now.Add(d)) }
	altered := func(change func(*http.Request)) *http.Request {
		r := at(0)
		change(r)
		return r
	}
	authorization := func(old, new string) *http.Request {
		return altered(func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		})
	}
	with := func(id, secret, token string) *http.Request {
		return signed(t, post(nil), form,
			aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, now)
	}
	for _, test := range []struct {
		name   string
		r      *http.Request
		code   string
		status int
		text   string
	}{
		{"unsigned", received(t, post(nil)), "MissingAuthenticationToken", 403,
			"Request is missing Authentication Token"},
		{"basic", received(t, post(http.Header{"Authorization": {"Basic dTpw"}})), "MissingAuthenticationToken", 403,
			""},
		{"unknown key", with("AKIDOTHER", secret, ""), "InvalidClientTokenId", 403,
			"The security token included in the request is invalid."},
		{"session token", with(keyID, secret, "token"), "InvalidClientTokenId", 403,
			"The security token included in the request is invalid."},
		{"wrong secret", with(keyID, "other", ""), "SignatureDoesNotMatch", 403, mismatch},
		{"5 minutes old", at(-5 * time.Minute), "", 0, ""},
		{"5 minutes ahead", at(5 * time.Minute), "", 0, ""},
		{"old", at(-10 * time.Minute), "SignatureDoesNotMatch", 403,
			"Signature expired: 20230101T000000Z is now earlier than 20230101T000500Z (20230101T001000Z - 5 min.)"},
		{"ahead", at(10 * time.Minute), "SignatureDoesNotMatch", 403,
			"Signature not yet current: 20230101T002000Z is still later than 20230101T001500Z (20230101T001000Z + 5 min.)"},
		{"hash of another body", signed(t, post(http.Header{"X-Amz-Content-Sha256": {hash("x")}}), form, example(),
			now),
			"SignatureDoesNotMatch", 403, mismatch},
		{"unsigned payload", signed(t, post(http.Header{"X-Amz-Content-Sha256": {"UNSIGNED-PAYLOAD"}}), form, example(),
			now),
			"SignatureDoesNotMatch", 403, mismatch},
		{"target added", altered(func(r *http.Request) { r.Header.Set("X-Amz-Target", "secretsmanager.DeleteSecret") }),
			"SignatureDoesNotMatch", 403, "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
		{"host not signed", authorization(";host", ""), "SignatureDoesNotMatch", 403,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"another algorithm", authorization("SHA256", "SHA512"), "IncompleteSignature", 400,
			"Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'. The supported one is 'AWS4-HMAC-SHA256'."},
		{"nothing in it", altered(func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 a=b")
			r.Header.Del("X-Amz-Date")
		}),
			"IncompleteSignature", 400,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' " +
				"parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of a " +
				"'X-Amz-Date' header."},
		{"not pairs", altered(func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 hello") }),
			"IncompleteSignature", 400,
			"'hello' not a valid key=value pair (missing equal-sign) in Authorization header."},
		{"short scope", authorization("/aws4_request", ""), "IncompleteSignature", 400,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got " +
				"'AKIDEXAMPLE/20230101/us-east-1/elasticache'"},
		{"terminator", authorization("aws4_request", "aws5_request"), "SignatureDoesNotMatch", 403,
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
		{"scope of another day", authorization("/20230101/", "/20230102/"), "SignatureDoesNotMatch", 403,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20230102' != " +
				"'20230101', from '20230101T001000Z'."},
		{"another region", authorization("us-east-1", "us-east-2"), "SignatureDoesNotMatch", 403, mismatch},
		{"odd date", altered(func(r *http.Request) { r.Header.Set("X-Amz-Date", "yesterday") }), "IncompleteSignature",
			400,
			"Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"signed twice", altered(func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=00" }),
			"IncompleteSignature", 400, ""},
		{"query syntax", altered(func(r *http.Request) { r.URL.RawQuery = "%zz" }), "IncompleteSignature", 400, ""},
		{"presigned, used late", presigned(t, "/?"+form, example(), now.Add(-6*time.Minute)), "RequestExpired", 400,
			"Request has expired."},
		{"presigned for longer", presigned(t, "/?X-Amz-Expires=600&"+form, example(), now.Add(-6*time.Minute)), "", 0,
			""},
		{"presigned for too long", presigned(t, "/?X-Amz-Expires=604801&"+form, example(), now), "IncompleteSignature",
			400,
			"X-Amz-Expires must be a number of seconds, at most 604800."},
		{"presigned, incomplete", received(t, newRequest(t, http.MethodGet, "/?X-Amz-Signature=00", nil, "")),
			"IncompleteSignature", 400,
			"AWS query-string parameters must include 'X-Amz-Algorithm', once."},
		{"presigned, a line break in the service", received(t, newRequest(t, http.MethodGet,
			"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20230101%2Fr%2Fs%0A%2Faws4_request&X-Amz-Date=20230101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature="+
				hash(""), nil, "")), "IncompleteSignature", 400, "'s\n' is not a valid name in a Credential or in SignedHeaders."},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := verify(t, test.r)
			var refused *sigv4.Error
			if test.code == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want a *sigv4.Error", err)
			}
			if refused.Code != test.code || refused.Status != test.status || test.text != "" &&
				refused.Message != test.text {
				t.Errorf("got  %d %v\nwant %d %s: %s", refused.Status, err, test.status, test.code, test.text)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	r := signed(b, newRequest(b, http.MethodPost, "/",
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form), form, example(), now)
	v, body := verifier(), []byte(form)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, body); err != nil {
			b.Fatal(err)
		}
	}
}
