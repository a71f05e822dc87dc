// Package servicetest holds what the tests of every AWS service share: the service behind a real gateway, what an SDK's
// client needs to talk to it, and errors compared.
package servicetest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/sigv4"
	"larder/internal/testkit"
)

// Where the services under test are.
const (
	Region  = "us-east-1"
	Account = "123456789012"
)

const secret = "secret"

// Gateway serves one service, to whoever signs with the credential of Config.
func Gateway(t *testing.T, service gateway.Service) *gateway.Gateway {
	t.Helper()
	if service.Audit != nil {
		coverage.expect(service)
		service.Audit = newAuditor(t, service.Audit)
	}
	g, err := gateway.New(gateway.Config{
		User:     func(string) caller.Caller { return caller.User(Account) },
		Grants:   func(caller.Caller) gateway.Grants { return gateway.Everything() },
		Services: []gateway.Service{service}, Region: Region,
		Verifier:     &sigv4.Verifier{Secret: func(string) (string, bool) { return secret, true }, Now: time.Now},
		NewRequestID: func() string { return "00000000-0000-4000-8000-000000000000" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// Config is what an SDK client needs to talk to what serves the handler, which goes on until the test ends.
func Config(t *testing.T, h http.Handler) aws.Config {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return testkit.Config(map[string]string{
		"AWS_REGION": Region, "AWS_ENDPOINT_URL": s.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY": secret,
	})
}

// WantError checks an error's code and text.
func WantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got error %v, want %s", err, code)
	}
	if got, want := api.ErrorCode()+": "+api.ErrorMessage(), code+": "+message; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
