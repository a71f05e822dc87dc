package awswire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"larder/internal/awssdk/ec2"
	"larder/internal/awswire"
)

// sdk is one service as its real SDK client sees it.
type sdk struct {
	module string
	shapes *awswire.Shapes
	client func(aws.HTTPClient) any
}

var sdks = []sdk{
	{"ec2", awswire.EC2(), func(h aws.HTTPClient) any {
		return ec2.NewFromConfig(config(h))
	}},
	{"elasticache", awswire.ElastiCache(), func(h aws.HTTPClient) any {
		return elasticache.NewFromConfig(config(h), func(o *elasticache.Options) { o.APIOptions = bareStack() })
	}},
	{"secretsmanager", awswire.SecretsManager(), func(h aws.HTTPClient) any {
		return secretsmanager.NewFromConfig(config(h), func(o *secretsmanager.Options) { o.APIOptions = bareStack() })
	}},
	{"sts", awswire.STS(), func(h aws.HTTPClient) any {
		return sts.NewFromConfig(config(h), func(o *sts.Options) { o.APIOptions = bareStack() })
	}},
}

func config(h aws.HTTPClient) aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("http://larder.test"),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:   h,
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// bareStack drops what would refuse or complete an input before it is serialized.
func bareStack() []func(*middleware.Stack) error {
	return []func(*middleware.Stack) error{func(s *middleware.Stack) error {
		for _, id := range []string{"OperationInputValidation", "OperationIdempotencyTokenAutoFill"} {
			if _, ok := s.Initialize.Get(id); ok {
				if _, err := s.Initialize.Remove(id); err != nil {
					return err
				}
			}
		}
		return nil
	}}
}

// operations calls f in a subtest for every operation that every service's table covers.
func operations(t *testing.T, f func(t *testing.T, s sdk, op string)) {
	for _, s := range sdks {
		for _, op := range s.shapes.Operations {
			if !s.shapes.Covers(op) {
				continue
			}
			t.Run(s.module+"/"+op, func(t *testing.T) { f(t, s, op) })
		}
	}
}

// method is the client's method of an operation: its type names input and output.
func (s sdk) method(h aws.HTTPClient, op string) reflect.Value {
	return reflect.ValueOf(s.client(h)).MethodByName(op)
}

func (s sdk) newInput(op string) any {
	return reflect.New(s.method(nil, op).Type().In(1).Elem()).Interface()
}

func (s sdk) newOutput(op string) any {
	return reflect.New(s.method(nil, op).Type().Out(0).Elem()).Interface()
}

// call runs an operation through the client.
func (s sdk) call(h aws.HTTPClient, op string, input any) (any, error) {
	out := s.method(h, op).Call([]reflect.Value{reflect.ValueOf(context.Background()), reflect.ValueOf(input)})
	err, _ := out[1].Interface().(error)
	return out[0].Interface(), err
}

type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// request is the body that the SDK sends for an input.
func (s sdk) request(t fataler, op string, input any) string {
	t.Helper()
	errSeen := errors.New("request seen")
	var body []byte
	_, err := s.call(doFunc(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			var err error
			if body, err = io.ReadAll(r.Body); err != nil {
				return nil, err
			}
		}
		return nil, errSeen
	}), op, input)
	if !errors.Is(err, errSeen) {
		t.Fatalf("serialize %s: %v", op, err)
	}
	return string(body)
}

// response is what the SDK makes of an answer's body.
func (s sdk) response(t fataler, op string, body []byte) any {
	t.Helper()
	out, err := s.call(doFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK,
			Header:     http.Header{"Content-Type": {r.Header.Get("Content-Type")}},
			Body:       io.NopCloser(bytes.NewReader(body)),
			Request:    r,
		}, nil
	}), op, s.newInput(op))
	if err != nil {
		t.Fatalf("deserialize %s: %v\n%s", op, err, body)
	}
	return out
}

// fataler is what testing.T and rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// moduleDir is where the SDK's module is on this machine.
func moduleDir(t testing.TB, module string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}",
		"github.com/aws/aws-sdk-go-v2/service/"+module).Output()
	if err != nil {
		t.Fatalf("go list -m: %v", err)
	}
	return strings.TrimSpace(string(out))
}
