package gateway_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"testing"
)

// sentence reads the text of an error as the clients of each protocol do.
var sentence = map[string]func(answer) (code, message string, err error){
	"restXml of S3": func(a answer) (string, string, error) {
		var e struct {
			XMLName xml.Name `xml:"Error"`
			Code    string
			Message string
		}
		err := xml.Unmarshal([]byte(a.body), &e)
		return e.Code, e.Message, err
	},
	"XML": func(a answer) (string, string, error) {
		var e struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Code    string   `xml:"Error>Code"`
			Message string   `xml:"Error>Message"`
		}
		err := xml.Unmarshal([]byte(a.body), &e)
		return e.Code, e.Message, err
	},
	"restJson": func(a answer) (string, string, error) {
		var e struct {
			Message string `json:"message"`
		}
		err := json.Unmarshal([]byte(a.body), &e)
		return a.header.Get("X-Amzn-Errortype"), e.Message, err
	},
	"awsJson": func(a answer) (string, string, error) {
		var e struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		err := json.Unmarshal([]byte(a.body), &e)
		return e.Type, e.Message, err
	},
}

// TestRefusalsOfServices: each service that larder does not serve is refused by its name, in the form that its clients
// read.
func TestRefusalsOfServices(t *testing.T) {
	const rpc, rest = "InvalidAction", "UnknownOperationException"
	s := serve(t)
	for _, c := range []struct {
		service, method, target, body string
		header                        []string
		form, code, media             string
	}{
		{"s3", "GET", "/", "", nil, "restXml of S3", rpc, "application/xml"},
		{"s3", "GET", "/?list-type=2&prefix=a", "", nil, "restXml of S3", rpc, "application/xml"},
		{"s3", "PUT", "/bucket", "<CreateBucketConfiguration/>", []string{"Content-Type", "application/xml"},
			"restXml of S3", rpc, "application/xml"},
		{"s3", "PUT", "/bucket/a%20b/c", "data", nil, "restXml of S3", rpc, "application/xml"},
		{"s3", "DELETE", "/bucket", "", nil, "restXml of S3", rpc, "application/xml"},
		{"s3", "POST", "/bucket?delete", "<Delete/>", []string{"Content-Type", "application/xml"}, "restXml of S3", rpc,
			"application/xml"},
		{"s3express", "GET", "/", "", nil, "restXml of S3", rpc, "application/xml"},
		{"s3", "GET", "/v20180820/configuration/publicAccessBlock", "", nil, "XML", rpc, "text/xml"},
		{"route53", "GET", "/2013-04-01/hostedzone", "", nil, "XML", rpc, "text/xml"},
		{"cloudfront", "DELETE", "/2020-05-31/distribution/E1", "", nil, "XML", rpc, "text/xml"},
		{"lambda", "GET", "/2015-03-31/functions", "", nil, "restJson", rest, "application/json"},
		{"lambda", "POST", "/2015-03-31/functions", "{}", []string{"Content-Type", "application/json"}, "restJson",
			rest, "application/json"},
		{"apigateway", "PATCH", "/restapis/a", "{}", []string{"Content-Type", "application/json"}, "restJson", rest,
			"application/json"},
		{"eks", "DELETE", "/clusters/a", "", nil, "restJson", rest, "application/json"},
		{"mediastore", "GET", "/", "", nil, "restJson", rest, "application/json"},
		{"mediastore", "GET", "/?Path=a", "", nil, "restJson", rest, "application/json"},
		{"mediastore", "POST", "/", "{}", []string{"Content-Type", "application/json"}, "restJson", rest,
			"application/json"},
		{"sqs", "POST", "/123456789012/mine", "Action=ReceiveMessage", []string{"Content-Type", form}, "XML", rpc,
			"text/xml"},
		{"iam", "POST", "/", "Action=ListRoles&Version=2010-05-08", []string{"Content-Type", form}, "XML", rpc,
			"text/xml"},
		{"rds", "GET", "/?Action=DescribeDBInstances", "", nil, "XML", rpc, "text/xml"},
		{"dynamodb", "POST", "/", "{}",
			[]string{"Content-Type", "application/x-amz-json-1.0", "X-Amz-Target", "DynamoDB_20120810.ListTables"},
			"awsJson", rest, "application/x-amz-json-1.0"},
		{"events", "POST", "/", "{}", []string{"Content-Type", json11, "X-Amz-Target", "AWSEvents.ListRules"},
			"awsJson", rest, json11},
	} {
		t.Run(c.service+" "+c.method+" "+c.target, func(t *testing.T) {
			r := newRequest(t, c.method, s.URL+c.target, c.body, c.header...)
			sign(t, r, c.body, c.service)
			got := do(t, r)
			code, message, err := sentence[c.form](got)
			want := "larder does not serve " + c.service + "; it serves elasticache, secretsmanager, sts"
			if err != nil || got.status != http.StatusBadRequest || code != c.code || message != want ||
				got.header.Get("Content-Type") != c.media {
				t.Errorf("got %d %s %s, read as %q: %q, %v\nwant 400 %s: %s", got.status,
					got.header.Get("Content-Type"), got.body, code, message, err, c.code, want)
			}
		})
	}
}

// TestRefusalWithoutABody: the answer to a HEAD says why in the header that the Go SDK's errors repeat.
func TestRefusalWithoutABody(t *testing.T) {
	s := serve(t)
	r := newRequest(t, "HEAD", s.URL+"/bucket", "")
	sign(t, r, "", "s3")
	got := do(t, r)
	if got.status != http.StatusNotImplemented || got.header.Get("X-Amz-Request-Id") == "" ||
		got.header.Get("X-Amz-Id-2") != "larder does not serve s3; it serves elasticache, secretsmanager, sts" {
		t.Errorf("got %d %v", got.status, got.header)
	}
}

// TestRefusedSignatureOfS3: what is wrong with a signature is said in the form that the service's clients read, too.
func TestRefusedSignatureOfS3(t *testing.T) {
	s := serve(t)
	r := newRequest(t, "GET", s.URL+"/bucket", "")
	signFor(t, r, "", "s3", "nowhere-1")
	got := do(t, r)
	if code, _, err := sentence["restXml of S3"](got); err != nil || code != "SignatureDoesNotMatch" ||
		got.status != http.StatusForbidden {
		t.Errorf("got %d %s: %v", got.status, got.body, err)
	}
}
