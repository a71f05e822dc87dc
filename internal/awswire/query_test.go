package awswire

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sample has the shapes that ElastiCache's API lacks: maps, flattened lists and
// maps, blobs, numbers with fractions, a union.
type sample struct {
	Attributes map[string]string
	Labels     map[string]*string
	Names      []string
	Blob       []byte
	Ratio      *float64
	Count      int64
	Choice     interface{ isChoice() }
	Since      *time.Time
}

func sampleCodec() *Codec {
	return NewCodec(&Shapes{Namespace: "http://larder.test/", Fields: map[string]Field{
		"sample.Labels": {Flat: true, MapKey: "Name", MapValue: "Value"},
		"sample.Names":  {Key: "Name", Flat: true},
	}})
}

func TestDecodeQuerySample(t *testing.T) {
	form := url.Values{
		"Attributes.entry.1.key":   {"a"},
		"Attributes.entry.1.value": {"1"},
		"Attributes.entry.3.key":   {"b"},
		"Labels.1.Name":            {"x"},
		"Labels.1.Value":           {"y"},
		"Name.2":                   {"second"},
		"Name.10":                  {"tenth"},
		"Blob":                     {"AAH/"},
		"Ratio":                    {"0.25"},
		"Count":                    {"-7"},
		"Since":                    {"2024-02-29T12:00:00+01:00"},
	}
	var got sample
	if err := sampleCodec().DecodeQuery(form, &got); err != nil {
		t.Fatal(err)
	}
	want := sample{
		Attributes: map[string]string{"a": "1", "b": ""},
		Labels:     map[string]*string{"x": aws.String("y")},
		Names:      []string{"second", "tenth"},
		Blob:       []byte{0, 1, 255},
		Ratio:      aws.Float64(0.25),
		Count:      -7,
		Since:      aws.Time(time.Date(2024, 2, 29, 11, 0, 0, 0, time.UTC)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAppendQuerySample(t *testing.T) {
	out := sample{
		Attributes: map[string]string{"b": "2", "a": "<1>"},
		Labels:     map[string]*string{"x": aws.String("y")},
		Names:      []string{"n", ""},
		Blob:       []byte{0, 1, 255},
		Ratio:      aws.Float64(0.25),
		Since:      aws.Time(time.UnixMilli(1)),
	}
	got, err := sampleCodec().AppendQueryResponse([]byte("kept "), "Do", "id&", &out)
	if err != nil {
		t.Fatal(err)
	}
	want := `kept <DoResponse xmlns="http://larder.test/"><DoResult>` +
		`<Attributes><entry><key>a</key><value>&lt;1&gt;</value></entry><entry><key>b</key><value>2</value></entry></Attributes>` +
		`<Labels><Name>x</Name><Value>y</Value></Labels>` +
		`<Name>n</Name><Name></Name><Blob>AAH/</Blob><Ratio>0.25</Ratio><Count>0</Count>` +
		`<Since>1970-01-01T00:00:00.001Z</Since></DoResult>` +
		`<ResponseMetadata><RequestId>id&amp;</RequestId></ResponseMetadata></DoResponse>`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type choice struct{}

func (choice) isChoice() {}

func TestUnionsAreRefused(t *testing.T) {
	if out, err := sampleCodec().AppendQueryResponse(nil, "Do", "", &sample{Choice: choice{}}); err == nil {
		t.Errorf("encoded a union as %s", out)
	}
	if out, err := sampleCodec().AppendJSONResponse(nil, &sample{Choice: choice{}}); err == nil {
		t.Errorf("encoded a union as %s", out)
	}
	var bad *ValueError
	if err := sampleCodec().DecodeJSON([]byte(`{"Choice":{}}`), &sample{}); !errors.As(err, &bad) {
		t.Errorf("decoded a union: %v", err)
	}
	if err := sampleCodec().DecodeQuery(url.Values{"Choice": {"x"}}, &sample{}); !errors.As(err, &bad) {
		t.Errorf("decoded a union: %v", err)
	}
}

func TestDecodeQueryErrors(t *testing.T) {
	unknown := func(name string) error { return &UnknownParameterError{Name: name} }
	value := func(name, value, want string) error { return &ValueError{Name: name, Value: value, Want: want} }
	many := strings.Repeat("x", 100)
	for _, test := range []struct {
		query string
		want  error
	}{
		{"Foo=1", unknown("Foo")},
		{"replicationgroupid=x", unknown("replicationgroupid")},
		{"Tags.Tag.1.Colour=red", unknown("Tags.Tag.1.Colour")},
		{"Tags.Label.1.Key=a", unknown("Tags.Label.1.Key")},
		{"Tags.Tag.1.Key=a&Tags.member.2.Key=b", unknown("Tags.member.2.Key")},
		{"Tags.Tag.0.Key=a", unknown("Tags.Tag.0.Key")},
		{"Tags.Tag.01.Key=a", unknown("Tags.Tag.01.Key")},
		{"Tags.Tag.-1.Key=a", unknown("Tags.Tag.-1.Key")},
		{"Tags.1.Key=a", unknown("Tags.1.Key")},
		{"Tags.Tag=a", unknown("Tags.Tag")},
		{"Engine.Name=redis", unknown("Engine.Name")},
		{strings.Repeat("a.", 1000) + "b=1", unknown(strings.Repeat("a.", 32) + "…")},
		{"Tags=a", value("Tags", "a", "a list, whose elements are given as Tags.Tag.1")},
		{"Tags.Tag.1=a", value("Tags.Tag.1", "a", "a structure, whose members are given as Tags.Tag.1.Name")},
		{"Engine=a&Engine=b", value("Engine", "a,b", "given once")},
		{"Engine=%ff", value("Engine", "\xff", "valid UTF-8")},
		{"NumNodeGroups=three", value("NumNodeGroups", "three", "an integer of 32 bits")},
		{"NumNodeGroups=", value("NumNodeGroups", "", "an integer of 32 bits")},
		{"Port=2147483648", value("Port", "2147483648", "an integer of 32 bits")},
		{"Port=" + many, value("Port", many[:64]+"…", "an integer of 32 bits")},
		{"MultiAZEnabled=yes", value("MultiAZEnabled", "yes", "true or false")},
	} {
		t.Run(shortened(test.query), func(t *testing.T) {
			form, err := url.ParseQuery(test.query)
			if err != nil {
				t.Fatal(err)
			}
			err = NewCodec(ElastiCache()).DecodeQuery(form, &elasticache.CreateReplicationGroupInput{})
			if diff := cmp.Diff(test.want, err); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeQueryAcceptsEitherListName(t *testing.T) {
	for _, name := range []string{"Tag", "member"} {
		form := url.Values{"Tags." + name + ".2147483647.Key": {"last"}, "Tags." + name + ".1.Key": {"first"}}
		var in elasticache.CreateReplicationGroupInput
		if err := NewCodec(ElastiCache()).DecodeQuery(form, &in); err != nil {
			t.Fatal(err)
		}
		want := []types.Tag{{Key: aws.String("first")}, {Key: aws.String("last")}}
		if diff := cmp.Diff(want, in.Tags, cmpopts.IgnoreUnexported(types.Tag{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestDecodeQueryBoundsParameters(t *testing.T) {
	form := url.Values{}
	for i := range maxParameters + 1 {
		form.Set(fmt.Sprintf("SecurityGroupIds.SecurityGroupId.%d", i+1), "x")
	}
	var syntax *SyntaxError
	if err := NewCodec(ElastiCache()).DecodeQuery(form, &elasticache.CreateReplicationGroupInput{}); !errors.As(err,
		&syntax) {
		t.Errorf("got %v, want a SyntaxError that names the limit", err)
	}
}

func TestAppendXMLText(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"plain":               "plain",
		"a<b>&c":              "a<b>&c",
		"line\r\nnext\tcol":   "line\r\nnext\tcol",
		"nul\x00esc\x1b":      "nul\uFFFDesc\uFFFD",
		"bad\xffutf8":         "bad\uFFFDutf8",
		"noncharacter\uFFFE!": "noncharacter\uFFFD!",
		"]]>":                 "]]>",
		"real \uFFFD 🧊":       "real \uFFFD 🧊",
	} {
		var got string
		document := append(appendXMLText([]byte("<s>"), in), "</s>"...)
		if err := xml.Unmarshal(document, &got); err != nil {
			t.Errorf("%q became %s: %v", in, document, err)
		}
		if got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

func TestAppendQueryError(t *testing.T) {
	got := string(AppendQueryError(nil, "http://elasticache.amazonaws.com/doc/2015-02-02/",
		"InvalidParameterValue", "a < b", "6f1c", true))
	want := `<ErrorResponse xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/"><Error><Type>Sender</Type>` +
		`<Code>InvalidParameterValue</Code><Message>a &lt; b</Message></Error><RequestId>6f1c</RequestId></ErrorResponse>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func ec2Codec() *Codec {
	return NewCodec(&Shapes{
		Protocol: EC2Query, Namespace: "http://larder.test/",
		Fields:         map[string]Field{"sample.Names": {Key: "Name"}},
		ResponseFields: map[string]Field{"sample.Names": {Key: "nameSet"}},
	})
}

// TestEC2Sample: what is read flat and in capitals is written in a list and in small letters.
func TestEC2Sample(t *testing.T) {
	var got sample
	form := url.Values{"Name.2": {"b"}, "Name.1": {"a"}, "Count": {"7"}}
	if err := ec2Codec().DecodeQuery(form, &got); err != nil {
		t.Fatal(err)
	}
	body, err := ec2Codec().AppendEC2Response([]byte("kept "), "Do", "id&", &got)
	if err != nil {
		t.Fatal(err)
	}
	want := `kept <DoResponse xmlns="http://larder.test/"><requestId>id&amp;</requestId>` +
		`<nameSet><item>a</item><item>b</item></nameSet><count>7</count></DoResponse>`
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	value := &ValueError{Name: "Name", Value: "a", Want: "a list, whose elements are given as Name.1"}
	if diff := cmp.Diff(error(value), ec2Codec().DecodeQuery(url.Values{"Name": {"a"}}, &got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEC2ResponseWithoutMembers(t *testing.T) {
	got, err := ec2Codec().AppendEC2Response(nil, "Do", "id", &struct{}{})
	const want = `<DoResponse xmlns="http://larder.test/"><requestId>id</requestId><return>true</return></DoResponse>`
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if out, err := ec2Codec().AppendEC2Response(nil, "Do", "", &sample{Choice: choice{}}); err == nil {
		t.Errorf("encoded a union as %s", out)
	}
}

func TestAppendEC2Error(t *testing.T) {
	got := string(AppendEC2Error(nil, "InvalidVpcID.NotFound", "a < b", "6f1c"))
	const want = `<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>a &lt; ` +
		`b</Message></Error></Errors>` +
		`<RequestID>6f1c</RequestID></Response>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
