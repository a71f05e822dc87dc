// Package awsclient configures the AWS SDK's clients for an engine.
package awsclient

import (
	"bytes"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Config is what a client of any service needs to talk to the engine at an endpoint.
func Config(region, endpoint, accessKeyID, secretAccessKey string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &endpoint,
		Credentials:      credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, ""),
		HTTPClient:       Whole(http.DefaultClient),
		RetryMaxAttempts: 1, // the engine is on this machine: what fails once fails again
	}
}

// Whole has a client send each request in one piece; see wholeRequests.
func Whole(c *http.Client) aws.HTTPClient { return wholeRequests{c} }

// wholeRequests sends a request's body in one piece with its headers. The SDK closes a body as soon as an answer
// begins; a transport that is still looking for the body's end then takes the connection down, and the rest of the
// answer with it.
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
