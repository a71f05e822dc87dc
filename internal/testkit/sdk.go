// Package testkit holds what tests of several packages need: SDK clients of an engine, free addresses, and Terraform with its provider.
package testkit

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config is what an SDK client of any service needs to talk to an engine: env is what `larder env --json` prints.
func Config(env map[string]string) aws.Config {
	return aws.Config{
		Region: env["AWS_REGION"], BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]), RetryMaxAttempts: 1, HTTPClient: wholeRequests{http.DefaultClient},
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], ""),
	}
}

// wholeRequests sends a request's body in one piece with its headers. The SDK closes a body as soon as an answer begins; a
// transport that is still looking for the body's end then takes the connection down, and the rest of the answer with it.
type wholeRequests struct{ *http.Client }

// Do implements aws.HTTPClient.
func (c wholeRequests) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.Client.Do(r)
}
