package gateway_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"

	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/sigv4"
)

// dashboards knows no dashboard.
func dashboards() gateway.Service {
	return gateway.Service{Shapes: awswire.CloudWatch(), Actions: []gateway.Action{
		gateway.Handle("DescribeAlarms", gateway.Read,
			func(_ context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
				out := &cloudwatch.DescribeAlarmsOutput{}
				for _, name := range in.AlarmNames {
					out.MetricAlarms = append(out.MetricAlarms,
						cwtypes.MetricAlarm{AlarmName: &name, Threshold: new(0.5),
							StateUpdatedTimestamp: new(time.UnixMilli(1772601000500))})
				}
				return out, nil
			}),
		gateway.Handle("GetDashboard", gateway.Read,
			func(_ context.Context, in *cloudwatch.GetDashboardInput) (*cloudwatch.GetDashboardOutput, error) {
				if aws.ToString(in.DashboardName) == "error" {
					return nil, errors.New("disk /dev/sda1 is full")
				}
				if aws.ToString(in.DashboardName) == "invalid" {
					return nil, &smithy.GenericAPIError{Code: "ValidationError", Message: "no",
						Fault: smithy.FaultClient}
				}
				return nil, &cwtypes.DashboardNotFoundError{Message: new("none")}
			}),
	}}
}

func cborServer(t *testing.T) *httptest.Server {
	t.Helper()
	g, err := gateway.New(gateway.Config{
		User: user, Grants: everything,
		Services: []gateway.Service{dashboards()},
		Verifier: &sigv4.Verifier{Secret: func(id string) (string, bool) { return secret, id == keyID }, Now: time.Now},
		Region:   region, NewRequestID: func() string { return "request-1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	return s
}

const cborMedia = "application/cbor"

// ask sends a body in rpcv2Cbor and has the SDK's decoder read the answer.
func ask(t *testing.T, s *httptest.Server, path, body string, header ...string) (answer, cbor.Map) {
	t.Helper()
	r := newRequest(t, http.MethodPost, s.URL+path, body,
		append([]string{"Smithy-Protocol", "rpc-v2-cbor", "Content-Type", cborMedia}, header...)...)
	sign(t, r, body, "monitoring")
	a := do(t, r)
	if a.header.Get("Content-Type") != cborMedia || a.header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		t.Errorf("%s is answered with the headers %v", path, a.header)
	}
	value, err := cbor.Decode([]byte(a.body))
	if err != nil {
		t.Fatalf("%s is answered with %x: %v", path, a.body, err)
	}
	return a, value.(cbor.Map)
}

const granite = "/service/GraniteServiceVersion20100801/operation/"

func TestCBORAnswers(t *testing.T) {
	s := cborServer(t)
	request, err := os.ReadFile(filepath.Join("..", "awswire", "testdata", "cbor", "DescribeAlarms.cbor"))
	if err != nil {
		t.Fatal(err)
	}
	for _, sent := range []struct {
		body   string
		header []string
	}{{string(request), nil}, {packed(string(request)), []string{"Content-Encoding", "gzip"}}} {
		a, value := ask(t, s, granite+"DescribeAlarms", sent.body, sent.header...)
		if a.status != http.StatusOK {
			t.Fatalf("%d %v", a.status, value)
		}
		alarms := value["MetricAlarms"].(cbor.List)
		if at := alarms[0].(cbor.Map)["StateUpdatedTimestamp"].(*cbor.Tag); at.ID != 1 ||
			at.Value != cbor.Float64(1772601000.5) {
			t.Errorf("the time is %v", at)
		}
		if name := alarms[0].(cbor.Map)["AlarmName"]; name != cbor.String("high") {
			t.Errorf("the alarm is %v", name)
		}
	}
}

// TestJSONQueryErrors: over JSON too, an error has the code that awsQuery has, whether its shape has another name or
// not.
func TestJSONQueryErrors(t *testing.T) {
	s := cborServer(t)
	for _, test := range []struct{ name, shape, query string }{
		{"x", "DashboardNotFoundError", "ResourceNotFound;Sender"},
		{"invalid", "ValidationError", "ValidationError;Sender"},
		{"error", "InternalFailure", "InternalFailure;Receiver"},
	} {
		body := `{"DashboardName":"` + test.name + `"}`
		r := newRequest(t, http.MethodPost, s.URL+"/", body,
			"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "GraniteServiceVersion20100801.GetDashboard")
		sign(t, r, body, "monitoring")
		h := do(t, r).header
		if h.Get("X-Amzn-Errortype") != test.shape || h.Get("X-Amzn-Query-Error") != test.query {
			t.Errorf("%s: the headers are %v", test.name, h)
		}
	}
}

// TestCBORFaults: an error has its shape's name, and beside it the code that awsQuery has.
func TestCBORFaults(t *testing.T) {
	s := cborServer(t)
	named := func(name string) string { // {"DashboardName": name}
		return "\xa1\x6dDashboardName" + string(rune(0x60|len(name))) + name
	}
	for _, test := range []struct {
		what, path, body string
		header           []string
		status           int
		shape, query     string
	}{
		{"of the model", granite + "GetDashboard", named("x"), nil, 400, "DashboardNotFoundError",
			"ResourceNotFound;Sender"},
		{"internal", granite + "GetDashboard", named("error"), nil, 500, "InternalFailure", "InternalFailure;Receiver"},
		{"unknown member", granite + "GetDashboard", "\xa1\x61x\x01", nil, 400, "ValidationException",
			"ValidationException;Sender"},
		{"no CBOR", granite + "GetDashboard", "{}", nil, 400, "SerializationException",
			"SerializationException;Sender"},
		{"other media", granite + "GetDashboard", "{}", []string{"Content-Type", "application/json"}, 415,
			"UnsupportedMediaType", "UnsupportedMediaType;Sender"},
		{"other operation", granite + "Dance", "", nil, 400, "UnknownOperationException",
			"UnknownOperationException;Sender"},
		{"other service", "/service/AmazonSNS/operation/Publish", "", nil, 400, "UnknownOperationException",
			"UnknownOperationException;Sender"},
		{"no operation", "/", "", nil, 400, "UnknownOperationException", "UnknownOperationException;Sender"},
	} {
		t.Run(test.what, func(t *testing.T) {
			a, value := ask(t, s, test.path, test.body, test.header...)
			if a.status != test.status || value["__type"] != cbor.String(test.shape) ||
				a.header.Get("X-Amzn-Query-Error") != test.query {
				t.Errorf("%d %v %s (%s)", a.status, value, a.header.Get("X-Amzn-Query-Error"),
					hex.EncodeToString([]byte(a.body)))
			}
		})
	}
}
