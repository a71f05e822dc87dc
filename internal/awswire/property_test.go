package awswire_test

import (
	"reflect"
	"testing"
	"time"
	"unicode"

	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"larder/internal/awswire"
)

// TestRequests: whatever a client sends, decoding loses nothing of it.
func TestRequests(t *testing.T) {
	operations(t, func(t *testing.T, s sdk, op string) {
		rapid.Check(t, func(t *rapid.T) {
			input := s.newInput(op)
			fill(t, reflect.ValueOf(input).Elem(), s.shortestList())
			body := s.request(t, op, input)
			decoded := s.newInput(op)
			decodeRequest(t, s, op, body, decoded)
			if diff := cmp.Diff(body, s.request(t, op, decoded)); diff != "" {
				t.Fatalf("the decoded input is not what was sent (-sent +again):\n%s", diff)
			}
		})
	})
}

// TestResponses: whatever a handler answers, the SDK's client reads the same.
func TestResponses(t *testing.T) {
	operations(t, func(t *testing.T, s sdk, op string) {
		// TestEmpty has what becomes of empty lists; without a service's name they are as the handler gave them.
		unnamed := *s.shapes
		unnamed.ServiceID = ""
		codec := awswire.NewCodec(&unnamed)
		rapid.Check(t, func(t *rapid.T) {
			output := s.newOutput(op)
			fill(t, reflect.ValueOf(output).Elem(), 0)
			body, err := encodeResponse(codec, s, op, output)
			if err != nil {
				t.Fatalf("encode %s: %v", op, err)
			}
			if diff := cmp.Diff(output, s.response(t, op, body), sdkTypes, s.times()); diff != "" {
				t.Fatalf("the client read something else (-answered +read):\n%s\n%s", diff, body)
			}
		})
	})
}

func encodeResponse(codec *awswire.Codec, s sdk, op string, output any) ([]byte, error) {
	switch s.shapes.Protocol {
	case awswire.AWSQuery:
		return codec.AppendQueryResponse(nil, op, "request-1", output)
	case awswire.EC2Query:
		return codec.AppendEC2Response(nil, op, "request-1", output)
	}
	return codec.AppendJSONResponse(nil, output)
}

// times is how exactly the client reads times: of JSON's epoch seconds the SDK
// truncates what a float64 makes of 0.975, and so loses a millisecond at times.
func (s sdk) times() cmp.Option {
	if s.shapes.Protocol == awswire.AWSQuery || s.shapes.Protocol == awswire.EC2Query {
		return cmp.Options{}
	}
	return cmpopts.EquateApproxTime(time.Millisecond)
}

// sdkTypes compares the members of SDK structures, without what the SDK adds.
var sdkTypes = cmp.Options{
	cmpopts.IgnoreTypes(middleware.Metadata{}),
	cmp.FilterPath(func(p cmp.Path) bool {
		field, ok := p.Last().(cmp.StructField)
		return ok && field.Name() == "noSmithyDocumentSerde"
	}, cmp.Ignore()),
	cmpopts.EquateNaNs(),
}

// text has what XML and JSON escape, and letters of several lengths in UTF-8.
var text = rapid.StringOf(rapid.OneOf(
	rapid.SampledFrom([]rune("<>&\"'\t\n\r]]>\\/ \u2028\u00a0é語🧊")),
	rapid.RuneFrom(nil, unicode.L, unicode.N, unicode.P, unicode.S),
))

// shortestList is the length of the shortest list that the client sends: ec2Query
// cannot say that a list is there and empty.
func (s sdk) shortestList() int {
	if s.shapes.Protocol == awswire.EC2Query {
		return 1
	}
	return 0
}

// fill gives every member of a structure a random value, or none; but at least
// one member has one: awsQuery cannot say that a structure is there and empty.
func fill(t *rapid.T, v reflect.Value, shortest int) {
	var members []reflect.StructField
	for _, f := range reflect.VisibleFields(v.Type()) {
		if f.IsExported() && f.Name != "ResultMetadata" {
			members = append(members, f)
		}
	}
	if len(members) == 0 {
		return
	}
	sure := rapid.IntRange(0, len(members)-1).Draw(t, "sure")
	for i, f := range members {
		if i == sure || rapid.Bool().Draw(t, f.Name+"?") {
			fillValue(t, v.FieldByIndex(f.Index), f.Name, shortest)
		}
	}
}

func fillValue(t *rapid.T, v reflect.Value, name string, shortest int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		ms := rapid.Int64Range(0, 4_000_000_000_000).Draw(t, name)
		v.Set(reflect.ValueOf(time.UnixMilli(ms).UTC()))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(t, v.Elem(), name, shortest)
	case reflect.Struct:
		fill(t, v, shortest)
	case reflect.Slice:
		fillSlice(t, v, name, shortest)
	case reflect.Map:
		fillMap(t, v, name, shortest)
	case reflect.String:
		v.SetString(text.Draw(t, name))
		if v.Type() != reflect.TypeFor[string]() && v.Len() == 0 {
			v.SetString("none") // an empty enum is an absent one
		}
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(rapid.Int32().Draw(t, name)))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, name))
	default:
		t.Fatalf("%s is a %s, which the test cannot fill", name, v.Type())
	}
}

func fillSlice(t *rapid.T, v reflect.Value, name string, shortest int) {
	n := rapid.IntRange(shortest, 2).Draw(t, "len "+name)
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, name))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		fillValue(t, v.Index(i), name, shortest)
	}
}

func fillMap(t *rapid.T, v reflect.Value, name string, shortest int) {
	v.Set(reflect.MakeMap(v.Type()))
	for range rapid.IntRange(0, 2).Draw(t, "len "+name) {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillValue(t, key, name, shortest)
		fillValue(t, value, name, shortest)
		v.SetMapIndex(key, value)
	}
}
