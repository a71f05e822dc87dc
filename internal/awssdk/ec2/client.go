// Package ec2 is the part of the AWS SDK's EC2 client that larder uses: to compile the whole takes longer than all else
// that larder is built of. The structures, and how they are written and read, are the SDK's own source, which shapegen
// copies: TestTheEC2ClientIsTheSDKs there compares them with the module, and `make sdk` what is sent and read.
package ec2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Client calls EC2. Each call is one request: it is not repeated, and its input not checked before it is sent.
type Client struct {
	config aws.Config
	signer *v4.Signer
}

// NewFromConfig makes a client. It needs the configuration's endpoint, region and credentials; without an HTTP client
// it has Go's own.
func NewFromConfig(config aws.Config) *Client {
	if config.HTTPClient == nil {
		config.HTTPClient = http.DefaultClient
	}
	return &Client{config: config, signer: v4.NewSigner()}
}

// serializer and deserializer are the SDK's two halves of an operation.
type (
	serializer   = middleware.SerializeMiddleware
	deserializer = middleware.DeserializeMiddleware
)

// invoke makes one request. An error of the service is a smithy.APIError in a *smithy.OperationError.
func invoke[O any](
	ctx context.Context, c *Client, operation string, input any, write serializer, read deserializer,
) (*O, middleware.Metadata, error) {
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	for _, err := range []error{
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("Endpoint", c.direct), middleware.Before),
		stack.Serialize.Add(write, middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Sign", c.sign), middleware.After),
		stack.Deserialize.Add(read, middleware.After),
		awsmiddleware.AddRequestIDRetrieverMiddleware(stack), awshttp.AddResponseErrorMiddleware(stack),
	} {
		if err != nil {
			return nil, middleware.Metadata{}, err
		}
	}
	handler := middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(c.config.HTTPClient), stack)
	result, metadata, err := handler.Handle(ctx, input)
	if err != nil {
		return nil, metadata, &smithy.OperationError{ServiceID: "EC2", OperationName: operation, Err: err}
	}
	return result.(*O), metadata, nil
}

// direct sends a request to the configuration's endpoint.
func (c *Client) direct(
	ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
) (middleware.SerializeOutput, middleware.Metadata, error) {
	endpoint, err := url.Parse(aws.ToString(c.config.BaseEndpoint))
	if err != nil {
		return middleware.SerializeOutput{}, middleware.Metadata{}, err
	}
	in.Request.(*smithyhttp.Request).URL = endpoint
	return next.HandleSerialize(ctx, in)
}

// sign signs a request with the configuration's credentials.
func (c *Client) sign(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (middleware.FinalizeOutput, middleware.Metadata, error) {
	if err := c.signRequest(ctx, in.Request.(*smithyhttp.Request)); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	return next.HandleFinalize(ctx, in)
}

func (c *Client) signRequest(ctx context.Context, request *smithyhttp.Request) error {
	credentials, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, request.GetStream()); err != nil {
		return err
	}
	if err := request.RewindStream(); err != nil {
		return err
	}
	return c.signer.SignHTTP(ctx, credentials, request.Request, hex.EncodeToString(hash.Sum(nil)), "ec2",
		c.config.Region, time.Now())
}

// startMetricTimer stands in for the SDK's, which measures nothing either where nobody asked for metrics.
func startMetricTimer(context.Context, string) func() { return func() {} }
