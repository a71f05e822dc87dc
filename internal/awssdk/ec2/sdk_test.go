//go:build wholesdk

package ec2_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/google/go-cmp/cmp"

	"larder/internal/awsclient"
	"larder/internal/awssdk/ec2"
)

// exchange is what one call sent.
type exchange struct{ body, region, contentType string }

// recorder answers every request with a document, and keeps what was asked.
func recorder(t *testing.T, status int, answer string) (string, *exchange) {
	var seen exchange
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		fields := strings.Split(scope, "/")
		seen = exchange{string(body), strings.Join(fields[2:4], "/"), r.Header.Get("Content-Type")}
		w.WriteHeader(status)
		io.Copy(w, bytes.NewBufferString(answer))
	}))
	t.Cleanup(server.Close)
	return server.URL, &seen
}

// TestEachOperationIsTheSDKs, which `make sdk` runs as the whole client takes minutes to compile, compares each
// operation's request, and what is read of an answer, with the whole SDK's.
func TestEachOperationIsTheSDKs(t *testing.T) {
	answer := `<R xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><nextToken>n</nextToken>` +
		`<groupId>sg-1</groupId><return>true</return><vpc><vpcId>vpc-1</vpcId><state>available</state></vpc>` +
		`<subnet><subnetId>subnet-1</subnetId></subnet></R>`
	mine := reflect.TypeFor[*ec2.Client]()
	for i := range mine.NumMethod() {
		name := mine.Method(i).Name
		for status, answer := range map[int]string{200: answer, 400: `<Response><Errors><Error><Code>Some.Code</Code>` +
			`<Message>a text</Message></Error></Errors><RequestID>r</RequestID></Response>`} {
			endpoint, seen := recorder(t, status, answer)
			config := awsclient.Config("eu-west-1", endpoint, "id", "secret")
			gotOut, gotErr := call(t, ec2.NewFromConfig(config), name)
			got := *seen
			wantOut, wantErr := call(t, sdk.NewFromConfig(config), name)
			if diff := cmp.Diff(*seen, got, cmp.AllowUnexported(exchange{})); diff != "" {
				t.Errorf("%s sent something else (-SDK +larder):\\n%s", name, diff)
			}
			if diff := cmp.Diff(wantOut, gotOut); diff != "" {
				t.Errorf("%s read something else (-SDK +larder):\\n%s", name, diff)
			}
			if _, end, _ := strings.Cut(gotErr, "api error "); (wantErr == "") != (gotErr == "") ||
				!strings.HasSuffix(wantErr, end) {
				t.Errorf("%s: %q, and the SDK says %q", name, gotErr, wantErr)
			}
		}
	}
}

// call calls an operation with an input of which each text, number and list is set, and returns what it answered.
func call(t *testing.T, client any, name string) (answer, failure string) {
	method := reflect.ValueOf(client).MethodByName(name)
	input := reflect.New(method.Type().In(1).Elem())
	fill(input.Elem(), 0)
	out := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), input})
	if !out[1].IsNil() {
		return "", out[1].Interface().(error).Error()
	}
	out[0].Elem().FieldByName("ResultMetadata").SetZero()
	text, err := json.Marshal(out[0].Interface())
	if err != nil {
		t.Fatal(err)
	}
	return string(text), ""
}

// fill sets a value and what it consists of, as deep as inputs go.
func fill(v reflect.Value, depth int) {
	const deepest = 6
	switch v.Kind() {
	case reflect.Pointer:
		if depth < deepest {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), depth+1)
		fill(v.Index(1), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), depth+1)
			}
		}
	case reflect.String:
		v.SetString("a & <b>")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	}
}
