package awswire

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

func TestJSONSample(t *testing.T) {
	want := sample{
		Attributes: map[string]string{"a": "1", "b": ""},
		Labels:     map[string]*string{},
		Names:      []string{"x", "y"},
		Blob:       []byte{0, 1, 255},
		Ratio:      aws.Float64(math.Inf(-1)),
		Count:      math.MaxInt64,
		Since:      aws.Time(time.UnixMilli(1700000000123).UTC()),
	}
	body, err := sampleCodec().AppendJSONResponse(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	const wire = `{"Attributes":{"a":"1","b":""},"Labels":{},"Name":["x","y"],"Blob":"AAH/",` +
		`"Ratio":"-Infinity","Count":9223372036854775807,"Since":1700000000.123}`
	if diff := cmp.Diff(wire, string(body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var got sample
	if err := sampleCodec().DecodeJSON(body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeJSONErrors(t *testing.T) {
	unknown := func(name string) error { return &UnknownParameterError{Name: name} }
	value := func(name, value, want string) error { return &ValueError{Name: name, Value: value, Want: want} }
	for _, test := range []struct {
		body string
		want error
	}{
		{`{"name":"x"}`, unknown("name")},
		{`{"Tags":[{"Key":"a"},{"Kay":"b"}]}`, unknown("Tags.1.Kay")},
		{`{"Name":7}`, value("Name", "7", "a string")},
		{`{"Name":{}}`, value("Name", "{}", "a string")},
		{`{"Tags":{}}`, value("Tags", "{}", "a list")},
		{`{"Tags":["a"]}`, value("Tags.0", `"a"`, "an object")},
		{`{"Tags":[null]}`, value("Tags.0", "null", "an object")},
		{`{"SecretBinary":"***"}`, value("SecretBinary", "***", "base64")},
		{`{"SecretBinary":[1]}`, value("SecretBinary", "[1]", "a base64 string")},
		{`{"ForceOverwriteReplicaSecret":"true"}`, value("ForceOverwriteReplicaSecret", `"true"`, "a boolean")},
		{`[]`, &SyntaxError{Reason: "the body is not a JSON object"}},
		{`null`, &SyntaxError{Reason: "the body is not a JSON object"}},
		{`{} {}`, &SyntaxError{Reason: "the body goes on after its JSON value"}},
		{`{"Name"`, &SyntaxError{Reason: "the body is not JSON: unexpected EOF"}},
	} {
		t.Run(test.body, func(t *testing.T) {
			err := NewCodec(SecretsManager()).DecodeJSON([]byte(test.body), &secretsmanager.CreateSecretInput{})
			if diff := cmp.Diff(test.want, err); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeJSONTimes(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"Since":0}`:               true,
		`{"Since":1.7e9}`:           true,
		`{"Since":-1.5}`:            true,
		`{"Since":1e300}`:           false,
		`{"Since":1e999}`:           false,
		`{"Since":"2024-01-01"}`:    false,
		`{"Since":null}`:            true,
		`{"Ratio":"Infinity"}`:      true,
		`{"Ratio":"inf"}`:           false,
		`{"Count":1.5}`:             false,
		`{"Count":1e2}`:             false,
		`{"Attributes":{"a":null}}`: false,
	} {
		var bad *ValueError
		err := sampleCodec().DecodeJSON([]byte(body), &sample{})
		if ok && err != nil || !ok && !errors.As(err, &bad) {
			t.Errorf("%s: got %v; is it good? %v", body, err, ok)
		}
	}
}

func TestDecodeJSONEmptyBody(t *testing.T) {
	for _, body := range []string{"", " \n", "{}"} {
		if err := NewCodec(SecretsManager()).DecodeJSON([]byte(body), &secretsmanager.ListSecretsInput{}); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestAppendJSONError(t *testing.T) {
	got := string(AppendJSONError(nil, "ResourceNotFoundException", "message", `no "x"`))
	if want := `{"__type":"ResourceNotFoundException","message":"no \"x\""}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
