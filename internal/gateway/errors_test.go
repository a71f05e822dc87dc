package gateway_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
)

const (
	form   = "application/x-www-form-urlencoded"
	json11 = "application/x-amz-json-1.1"
)

// packed is text in gzip.
func packed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

func TestQueryErrors(t *testing.T) {
	s := serve(t)
	for _, test := range []struct {
		name, method, target, body string
		header                     []string
		service                    string // empty: unsigned
		status                     int
		code, message              string
	}{
		{"unsigned", "POST", "/", "Action=X", []string{"Content-Type", form}, "", 403, "MissingAuthenticationToken",
			"Request is missing Authentication Token"},
		{"malformed signature", "POST", "/", "",
			[]string{"Authorization", "AWS4-HMAC-SHA256 x=y", "X-Amz-Date",
				"20230101T000000Z"}, "", 400, "IncompleteSignature",
			"Authorization header requires 'Credential' parameter."},
		{"unknown operation", "POST", "/", "Action=Foo&Version=2015-02-02", []string{"Content-Type", form},
			"elasticache", 400, "InvalidAction",
			"Could not find operation Foo for version 2015-02-02"},
		{"another version", "POST", "/", "Action=DescribeReplicationGroups&Version=2014-01-01",
			[]string{"Content-Type", form}, "elasticache", 400, "InvalidAction",
			"Could not find operation DescribeReplicationGroups for version 2014-01-01"},
		{"not served", "POST", "/", "Action=CreateServerlessCache&Version=2015-02-02", []string{"Content-Type", form},
			"elasticache", 400, "InvalidAction",
			"larder does not serve elasticache:CreateServerlessCache; docs/COMPATIBILITY.md lists what it serves"},
		{"unknown service", "POST", "/", "Action=ListUsers", []string{"Content-Type", form}, "iam", 400,
			"InvalidAction",
			"larder does not serve iam; it serves elasticache, secretsmanager, sts"},
		{"no action", "POST", "/", "Version=2015-02-02", []string{"Content-Type", form}, "elasticache", 400,
			"MissingAction",
			"the request has no Action: the parameter names the operation to run"},
		{"two actions", "POST", "/?Action=A", "Action=B", []string{"Content-Type", form}, "elasticache", 400,
			"InvalidQueryParameter",
			"the parameter Action is given more than once"},
		{"unknown parameter", "POST", "/", "Action=DescribeReplicationGroups&Colour=red",
			[]string{"Content-Type", form}, "elasticache", 400, "InvalidQueryParameter",
			"the parameter Colour is not known to this operation"},
		{"bad value", "GET", "/?Action=DescribeReplicationGroups&MaxRecords=many", "", nil, "elasticache", 400,
			"MalformedInput",
			`the value "many" of parameter MaxRecords is not an integer of 32 bits`},
		{"not a form", "POST", "/", "Action=%zz", []string{"Content-Type", form}, "elasticache", 404,
			"MalformedQueryString", "the body is not a form"},
		{"method", "PUT", "/", "Action=X", []string{"Content-Type", form}, "elasticache", 405, "MethodNotAllowed",
			"PUT is not a method of this API; use POST or GET"},
		{"media type", "POST", "/", "Action=X", []string{"Content-Type", "text/plain"}, "elasticache", 415,
			"UnsupportedMediaType",
			`the Content-Type "text/plain" is not one of this API; use application/x-www-form-urlencoded`},
		{"compressed", "POST", "/", "Action=X", []string{"Content-Type", form, "Content-Encoding", "br"}, "elasticache",
			415, "UnsupportedMediaType",
			"larder does not decode request bodies in Content-Encoding br; send it plain or in gzip"},
		{"not gzip", "POST", "/", "Action=X", []string{"Content-Type", form, "Content-Encoding", "gzip"}, "elasticache",
			400, "MalformedInput",
			"the body is not what its Content-Encoding gzip says"},
		{"a bomb", "POST", "/", packed(strings.Repeat("Action=X&", 1<<18)),
			[]string{"Content-Type", form, "Content-Encoding", "gzip"}, "elasticache", 413, "RequestEntityTooLarge",
			"the request's body is larger than the limit of 1048576 bytes"},
		{"unpacked", "POST", "/", packed("Action=Foo&Version=2015-02-02"),
			[]string{"Content-Type", form, "Content-Encoding", "gzip"}, "elasticache", 400, "InvalidAction",
			"Could not find operation Foo for version 2015-02-02"},
		{"path", "POST", "/bucket", "Action=X", []string{"Content-Type", form}, "elasticache", 400, "InvalidAction",
			"/bucket is no path of an AWS API here: every operation is served on /"},
		{"protocol", "POST", "/", "Action=GetSecretValue", []string{"Content-Type", form}, "secretsmanager", 400,
			"InvalidAction",
			"secretsmanager is asked in awsJson1_1, not in the protocol of this request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRequest(t, test.method, s.URL+test.target, test.body, test.header...)
			if test.service != "" {
				sign(t, r, test.body, test.service)
			}
			got := do(t, r)
			if got.status != test.status ||
				!strings.Contains(got.body, "<Code>"+test.code+"</Code><Message>"+test.message) {
				t.Errorf("got %d %s\nwant %d %s: %s", got.status, got.body, test.status, test.code, test.message)
			}
			if id := got.header.Get("x-amzn-RequestId"); !strings.Contains(got.body, "<RequestId>"+id+"</RequestId>") ||
				id == "" {
				t.Errorf("the header's request ID %q is not in %s", id, got.body)
			}
			if got.header.Get("Content-Type") != "text/xml" {
				t.Errorf("the content type is %s", got.header.Get("Content-Type"))
			}
		})
	}
}

func TestJSONErrors(t *testing.T) {
	s := serve(t)
	for _, test := range []struct {
		name, method, target, body string
		media, service             string
		status                     int
		want                       string
	}{
		{"unsigned", "POST", "secretsmanager.GetSecretValue", "{}", json11, "", 400,
			`{"__type":"MissingAuthenticationTokenException","message":"Request is missing Authentication Token"}`},
		{"unknown operation", "POST", "secretsmanager.Foo", "{}", json11, "secretsmanager", 400,
			`{"__type":"UnknownOperationException","message":"Could not find operation Foo for version 2017-10-17"}`},
		{"not served", "POST", "secretsmanager.RotateSecret", "{}", json11, "secretsmanager", 400,
			`{"__type":"UnknownOperationException","message":"larder does not serve secretsmanager:RotateSecret; ` +
				`docs/COMPATIBILITY.md lists what it serves"}`},
		{"target of another service", "POST", "TrentService.GetSecretValue", "{}", json11, "secretsmanager", 400,
			`{"__type":"UnknownOperationException","message":"the X-Amz-Target TrentService is not of secretsmanager, whose ` +
				`targets begin with secretsmanager"}`},
		{"no operation", "POST", "secretsmanager", "{}", json11, "secretsmanager", 400,
			`{"__type":"UnknownOperationException","message":"the X-Amz-Target header names no operation; it has the form ` +
				`Service.Operation"}`},
		{"unknown member", "POST", "secretsmanager.GetSecretValue", `{"SecretName":"x"}`, json11, "secretsmanager", 400,
			`{"__type":"ValidationException","message":"the parameter SecretName is not known to this operation"}`},
		{"bad value", "POST", "secretsmanager.GetSecretValue", `{"SecretId":1}`, json11, "secretsmanager", 400,
			`{"__type":"SerializationException","message":"the value \"1\" of parameter SecretId is not a string"}`},
		{"not JSON", "POST", "secretsmanager.GetSecretValue", `{`, json11, "secretsmanager", 400,
			`{"__type":"SerializationException","message":"the body is not JSON: unexpected EOF"}`},
		{"refused", "POST", "secretsmanager.GetSecretValue", `{"SecretId":"token","VersionStage":"x"}`,
			"application/x-amz-json-1.0", "secretsmanager", 400,
			`{"__type":"ValidationException","message":"larder does not serve GetSecretValue's VersionStage: versions are ` +
				`kept for a day"}`},
		{"method", "GET", "secretsmanager.GetSecretValue", "", json11, "secretsmanager", 405,
			`{"__type":"MethodNotAllowed","message":"GET is not a method of this API; use POST"}`},
		{"query string", "POST", "secretsmanager.GetSecretValue", `{}`, json11, "secretsmanager", 400,
			`{"__type":"ValidationException","message":"the query string is not part of this API; parameters go into the ` +
				`body"}`},
		{"protocol", "POST", "AmazonElastiCacheV9.DescribeReplicationGroups", "{}", json11, "elasticache", 400,
			`{"__type":"UnknownOperationException","message":"elasticache is asked in awsQuery, not in the protocol of this ` +
				`request"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			url := s.URL + "/"
			if test.name == "query string" {
				url += "?SecretId=token"
			}
			r := newRequest(t, test.method, url, test.body, "Content-Type", test.media, "X-Amz-Target", test.target)
			if test.service != "" {
				sign(t, r, test.body, test.service)
			}
			got := do(t, r)
			if got.status != test.status || got.body != test.want {
				t.Errorf("got  %d %s\nwant %d %s", got.status, got.body, test.status, test.want)
			}
			if code := got.header.Get("X-Amzn-Errortype"); !strings.Contains(test.want, `"`+code+`"`) {
				t.Errorf("X-Amzn-Errortype is %q", code)
			}
			if got.header.Get("Content-Type") != test.media || got.header.Get("X-Amzn-Requestid") == "" {
				t.Errorf("the headers are %v", got.header)
			}
		})
	}
}

func TestWrongRegion(t *testing.T) {
	s := serve(t)
	r := newRequest(t, "POST", s.URL, "Action=X", "Content-Type", form)
	signFor(t, r, "Action=X", "elasticache", "us-west-2")
	got := do(t, r)
	const want = "Credential should be scoped to a valid region, not 'us-west-2': larder serves eu-central-1 here. Set " +
		"AWS_REGION=eu-central-1."
	if got.status != http.StatusForbidden ||
		!strings.Contains(got.body, "<Code>SignatureDoesNotMatch</Code><Message>"+want) {
		t.Errorf("got %+v", got)
	}
}

func TestLargeBody(t *testing.T) {
	s := serve(t)
	for name, size := range map[string]int{"just too large": 1<<20 + 1, "10 MiB": 10 << 20} {
		t.Run(name, func(t *testing.T) {
			body := strings.Repeat("x", size)
			r := newRequest(t, "POST", s.URL, body, "Content-Type", form)
			sign(t, r, body, "elasticache")
			got := do(t, r)
			if got.status != http.StatusRequestEntityTooLarge ||
				!strings.Contains(got.body, "the limit of 1048576 bytes") {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	t.Run("just not", func(t *testing.T) {
		body := "Action=DescribeReplicationGroups&ReplicationGroupId="
		body += strings.Repeat("x", 1<<20-len(body))
		r := newRequest(t, "POST", s.URL, body, "Content-Type", form)
		sign(t, r, body, "elasticache")
		if got := do(t, r); got.status != http.StatusNotFound {
			t.Errorf("got %d", got.status)
		}
	})
	t.Run("of unknown length", func(t *testing.T) {
		body := strings.Repeat("x", 1<<20+1)
		r := newRequest(t, "POST", s.URL, body)
		sign(t, r, body, "elasticache")
		r.ContentLength = -1
		if got := do(t, r); got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("got %d", got.status)
		}
	})
}

func TestInternalFailures(t *testing.T) {
	for _, test := range []struct{ how, logged string }{
		{"panic", "the roof is on fire"},
		{"error", "disk /dev/sda1 is full"},
		{"nothing", "the handler returned neither an output nor an error"},
	} {
		t.Run(test.how, func(t *testing.T) {
			s := serve(t)
			body := "Action=DeleteCacheParameterGroup&CacheParameterGroupName=" + test.how
			r := newRequest(t, "POST", s.URL, body, "Content-Type", form)
			sign(t, r, body, "elasticache")
			got := do(t, r)
			const want = `<ErrorResponse xmlns="http://elasticache.amazonaws.com/doc/2015-02-02/"><Error><Type>Receiver</Type>` +
				`<Code>InternalFailure</Code><Message>An internal error has occurred. Please try your query again at a later ` +
				`time.</Message></Error>` +
				`<RequestId>request-1</RequestId></ErrorResponse>`
			if got.status != http.StatusInternalServerError || got.body != want {
				t.Errorf("got %+v", got)
			}
			s.Close() // waits for the log
			if log := s.log.String(); !strings.Contains(log, test.logged) ||
				!strings.Contains(log, "request_id=request-1") {
				t.Errorf("the log is %s", log)
			}
			if log := s.log.String(); test.how == "panic" && !strings.Contains(log, "gateway_test.broken") {
				t.Errorf("no stack in %s", log)
			}
		})
	}
}

func TestServesOnAfterAPanic(t *testing.T) {
	s := serve(t)
	for _, test := range []struct {
		how    string
		status int
	}{{"panic", 500}, {"none", 200}} {
		body := "Action=DeleteCacheParameterGroup&CacheParameterGroupName=" + test.how
		r := newRequest(t, "POST", s.URL, body, "Content-Type", form)
		sign(t, r, body, "elasticache")
		if got := do(t, r); got.status != test.status {
			t.Errorf("%s: got %+v", test.how, got)
		}
	}
}

func TestRequestLog(t *testing.T) {
	s := serve(t)
	body := "Action=DescribeReplicationGroups&ReplicationGroupId=none"
	r := newRequest(t, "POST", s.URL, body, "Content-Type", form)
	sign(t, r, body, "elasticache")
	do(t, r)
	s.Close()
	const want = "level=DEBUG msg=request service=elasticache action=DescribeReplicationGroups status=404 " +
		"code=ReplicationGroupNotFoundFault request_id=request-1 duration="
	if !strings.Contains(s.log.String(), want) {
		t.Errorf("the log is %s", s.log)
	}
}
