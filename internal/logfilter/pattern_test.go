package logfilter_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"larder/internal/logfilter"
)

const (
	apache = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	trail  = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],` +
		`"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c","ThisFlag":true,` +
		`"errorCode":400,"latency":49.5,"number":[1000],"count":"3","text":"say \"hello\"","Duration (us)":12000}`
	users = `{"user":{"id":1,"email":"John.Stiles@example.com"},"users":[{"id":2,"email":"John.Doe@example.com"},` +
		`{"id":3,"email":"Jane.Doe@example.com"}],"actions":["GET","PUT","DELETE"],"coordinates":[[0,1,2],[4,5,6],[7,8,9]]}`
)

// TestPatterns has the examples of the AWS documentation, with the results that it states.
func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern  string
		yes, not []string
	}{
		{"", []string{"", "anything"}, nil},
		{`"   "`, []string{"", "anything"}, nil},
		{"ERROR", []string{"[ERROR 400] BAD REQUEST", "[ERROR 420] INVALID ARGUMENTS"},
			[]string{"[INFO 200] OK", "an error", ""}},
		{"ERROR ARGUMENTS", []string{"[ERROR 419] MISSING ARGUMENTS"},
			[]string{"[ERROR 400] BAD REQUEST", "ARGUMENTS"}},
		{"?ERROR ?ARGUMENTS", []string{"[ERROR 400] BAD REQUEST", "ARGUMENTS"}, []string{"[INFO 200] OK"}},
		{"?ERROR ?ARGUMENTS REQUEST", []string{"[INFO] REQUEST FAILED"}, []string{"[ERROR] MISSING ARGUMENTS"}},
		{`"INTERNAL SERVER ERROR"`, []string{"[ERROR 500] INTERNAL SERVER ERROR"},
			[]string{"[ERROR 500] INTERNAL  SERVER ERROR"}},
		{`"[ERROR]" Exception`, []string{"16,142 [ERROR] Unhanded exception: InvalidQueryException"},
			[]string{"[ERROR] Terminating"}},
		{"ERROR -ARGUMENTS", []string{"[ERROR 400] BAD REQUEST"}, []string{"[ERROR 419] MISSING ARGUMENTS", "[INFO]"}},
		{`-"BAD REQUEST"`, []string{"BAD", ""}, []string{"[ERROR 400] BAD REQUEST"}},
		{`"say \"no\" \\"`, []string{`they say "no" \ yes`}, []string{"they say no"}},

		{"%AUTHORIZED%", []string{"[ERROR 401] UNAUTHORIZED REQUEST"}, []string{"authorized"}},
		{"%^[hc]at%", []string{"hat trick", "cat"}, []string{"a hat"}},
		{"%colou?r%", []string{"color", "colour"}, []string{"colouur"}},
		{"%^a{3,5}$%", []string{"aaa", "aaaaa"}, []string{"aa"}},
		{"%^starting|^shutting down%", []string{"shutting down now"}, []string{"now shutting down"}},
		{`%10\.10\.0\.1%`, []string{"from 10.10.0.1"}, []string{"from 10010,051"}},
		{`%\x3A%`, []string{"key:value"}, []string{"key=value"}},
		{`%\d\s\w%`, []string{"7 a"}, []string{"a 7"}},

		{`{ $.eventType = "UpdateTrail" }`, []string{trail},
			[]string{users, "eventType UpdateTrail", "", `"eventType"`, trail + "}"}},
		{`{ $.eventType = UpdateTrail }`, []string{trail, ` {"eventType": "Updat\u0065Trail"} `}, nil},
		{`{ $.eventType = "Update*" && $.eventType = "*Trail" && $.eventType = "U*d*l" }`, []string{trail}, nil},
		{`{ $.sourceIPAddress != 123.123.* }`, []string{trail}, []string{users}},
		{`{ $.sourceIPAddress != 111.111.* }`, nil, []string{trail}},
		{`{ $.arrayKey[0] = "value" }`, []string{trail}, []string{users}},
		{`{ $.arrayKey[1] = "value" }`, nil, []string{trail}},
		{`{ $.arrayKey = "value" }`, nil, []string{trail}},
		{`{ $.eventType = %Trail% }`, []string{trail}, nil},
		{`{ $.arrayKey[*] = %val.{2}% }`, []string{trail}, nil},
		{`{ $.* = %111\.111\.111\.1[0-9]{1,2}% }`, []string{trail}, []string{users}},
		{`{ $.['cluster.name'] = "c" }`, []string{trail}, nil},
		{`{ $.cluster.name = "c" }`, nil, []string{trail}},
		{`{ $.SomeObject IS NULL }`, []string{trail}, []string{users}},
		{`{ $.eventType IS NULL }`, nil, []string{trail}},
		{`{ $.SomeOtherObject NOT EXISTS }`, []string{trail, "{}"}, []string{"no JSON"}},
		{`{ $.SomeObject not exists }`, []string{users}, []string{trail}},
		{`{ $.ThisFlag IS TRUE }`, []string{trail}, []string{users, `{"ThisFlag":"true"}`}},
		{`{ $.ThisFlag IS FALSE }`, nil, []string{trail}},
		{`{ $.objectList[1].id = 2 }`, []string{trail}, nil},
		{`{ $.objectList[*].id = 2 }`, []string{trail}, nil},
		{`{ $.errorCode = 400}`, []string{trail, `{"errorCode":4e2}`}, []string{`{"errorCode":401}`}},
		{`{ $.errorCode = 4* }`, []string{trail}, []string{`{"errorCode":500}`}},
		{`{ $.errorCode >= 400 && $.latency < 50 && $.latency > 49 && $.errorCode <= 4e2 }`, []string{trail}, nil},
		{`{ $.number[0] = 1e+3 }`, []string{trail}, nil},
		{`{ $.number[0] != 1e-3 }`, []string{trail}, nil},
		{`{ $.count = "3" }`, []string{trail, `{"count":3}`}, nil},
		{`{ $.text = "say \"hello\"" }`, []string{trail}, nil},
		{`{ $.['Duration (us)'] > 10000 }`, []string{trail},
			[]string{`{"Duration (us)":9}`, `{"Duration (us)":"long"}`}},
		{`{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }`, []string{users}, []string{trail}},
		{`{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && ` +
			`$.actions[2] = "nonmatch" }`, []string{users}, nil},
		{`{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && ` +
			`$.actions[2] = "nonmatch" }`, nil, []string{users}},
		{`{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }`, nil, []string{users}},

		{"[ip, user, username, timestamp, request, status_code, bytes]", []string{apache}, []string{"too few fields"}},
		{`[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]`,
			[]string{apache}, nil},
		{"[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]",
			[]string{apache}, nil},
		{"[ip, user, username, timestamp, request, status_code, bytes > 1000]", []string{apache}, nil},
		{"[..., request =*.html*, status_code = 4*,]", []string{apache}, nil},
		{"[..., status_code >= 400 && status_code < 404, bytes]", nil, []string{apache}},
		{`[..., request = "GET /index.html HTTP/1.0", status, bytes]`, []string{apache}, nil},
		{"[ip, ..., bytes=1534]", []string{apache}, []string{"1534"}},
		{"[w1=ERROR, w2]", []string{"ERROR 09/25/2014 12:00:02 Failed to process"},
			[]string{"INFO ERROR", "ERROR", ""}},
		{"[w1=ERROR || w1=WARNING, w2]", []string{"WARNING Invalid user request"}, []string{"INFO GET"}},
		{"[w1!=ERROR && w1!=WARNING, w2]", []string{"INFO GET"}, []string{"ERROR Failed", "WARNING x"}},
		{"[]", []string{apache, ""}, nil},
	} {
		p, err := logfilter.Parse(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		for _, m := range test.yes {
			if !p.Match([]byte(m)) {
				t.Errorf("%s does not match %s", test.pattern, m)
			}
		}
		for _, m := range test.not {
			if p.Match([]byte(m)) {
				t.Errorf("%s matches %s", test.pattern, m)
			}
		}
	}
}

func TestMalformedPatterns(t *testing.T) {
	for pattern, why := range map[string]string{
		`"no end`: "has no end", `"a\`: "has no end", "hello-world": "invalid character(s) in term 'hello-world'",
		"-":     "no term behind it",
		"%(a)%": "not supported", "%something!%": "not supported", "%café%": "not supported",
		"%%": "something before it", "%abc": "must have an end",
		`%\p%`: "backslash", "%[abc%": "%[abc%", "%a% %b% %c%": "at most 2",
		"{ $.a = }": "no value", "{ $.a }": "no operator", "{ $.a = 1": "want }", "{ $.a = 1 } x": "goes on",
		"{ a = 1 }":    "want a selector",
		"{ $.a == 1 }": "no value", "{ $.a = 1 && }": "want a selector", "{ ($.a = 1 }": "want )",
		"{ $.a IS MAYBE }": "want NULL", "{ $.a EXISTS }": "no operator",
		"{ $.a[x] = 1 }": "no index", "{ $.a[-1] = 1 }": "no index", "{ $.a[0 = 1 }": "no end",
		"{ $.['a = 1 }": "no end", `{ $.a > "b" }`: "= and != only",
		"{ $.a > b }": "compares numbers", "{ $..a = 1 }": "no name behind its point", "{ $a = 1 }": "want a point",
		"{ $.*[*] = 1 }": "one wildcard",
		"{ $.a[*]=1 || $.b[*]=1 || $.c[*]=1 || $.d[*]=1 }": "at most 3",
		"[a, ..., b, ...]": "one ellipsis", "[a, a]": "twice", "[a = ]": "no value", "[a, b": "no operator",
		"[...": "want , or ]", "[a] x": "goes on", "[1a]": "no name of a field",
		"[a=1 || b=1]": "begin with its name", strings.Repeat("a", 1025): "at most 1024",
	} {
		if _, err := logfilter.Parse(pattern); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: the error is %v, want %s", pattern, err, why)
		}
	}
}

// TestValues has the values of TestMetricFilter's examples.
func TestValues(t *testing.T) {
	for pattern, want := range map[string]map[string]string{
		"[ip, id, user, timestamp, request, status = 404, size]": {"$ip": "127.0.0.1", "$id": "Prod", "$user": "frank",
			"$timestamp": "10/Oct/2000:13:25:15 -0700", "$request": "GET /index.html HTTP/1.0", "$status": "404",
			"$size": "1534"},
		"[..., size]": {"$1": "127.0.0.1", "$2": "Prod", "$3": "frank", "$4": "10/Oct/2000:13:25:15 -0700",
			"$5": "GET /index.html HTTP/1.0", "$6": "404", "$size": "1534"},
		"[ip, rest]": {"$ip": "127.0.0.1",
			"$rest": `Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`},
		"frank": nil,
	} {
		p, err := logfilter.Parse(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.Values(apache)); diff != "" {
			t.Errorf("%s: %s", pattern, diff)
		}
	}
	for _, test := range []struct{ pattern, message, name, want string }{
		{"[..., size]", apache, "$size", "1534"}, {"[..., size]", apache, "$3", "frank"},
		{"[..., size]", apache, "$9", ""},
		{"{ $.errorCode > 1 }", trail, "$.latency", "49.5"},
		{"{ $.errorCode > 1 }", trail, "$.eventType", "UpdateTrail"},
		{"{ $.errorCode > 1 }", trail, "$.objectList", ""}, {"{ $.errorCode > 1 }", trail, "$.none", ""},
		{"ERROR", "ERROR", "$.a", ""},
	} {
		p, err := logfilter.Parse(test.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := p.Value(test.message, test.name); got != test.want || ok != (test.want != "") {
			t.Errorf("%s of %s is %q (%v), want %q", test.name, test.message, got, ok, test.want)
		}
	}
}

// TestWildcardsAreAnything tests that an asterisk stands for anything, in any text.
func TestWildcardsAreAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.StringMatching(`[ab]?[ab*]{1,6}`).Draw(t, "wanted")
		text := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "text")
		p, err := logfilter.Parse(`{ $.v = "` + wanted + `" }`)
		if err != nil {
			t.Fatal(err)
		}
		message, err := json.Marshal(map[string]string{"v": text})
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile("^" + strings.ReplaceAll(wanted, "*", ".*") + "$").MatchString(text)
		if p.Match(message) != want {
			t.Fatalf("%q like %q is %v", text, wanted, !want)
		}
	})
}

// TestContainsIsTrue tests that matching messages contain what Contains says, and that no pattern and no message causes
// a panic.
func TestContainsIsTrue(t *testing.T) {
	piece := rapid.SampledFrom([]string{"{", "}", "[", "]", "$.a", " = ", "!=", "&&", "||", "...", "%a%", `"`, "-", "?",
		"a", "b", "1", "*", " ", ",", "(", ")",
		"IS NULL", "NOT EXISTS", "\\", ".['a']", "$.*", "é", `{ $.a = "b" }`, "[a, b]"})
	messages := []string{"", "a", "a b", `{"a":"b"}`, `{"a":1}`, `{"a":null}`, `{"\u0061":"b"}`, "[a] b", `"a`, "[",
		"é a", `[{"a":1}]`}
	rapid.Check(t, func(t *rapid.T) {
		p, err := logfilter.Parse(strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), ""))
		if err != nil {
			return
		}
		message := []byte(rapid.SampledFrom(messages).Draw(t, "message"))
		if !p.Match(message) {
			return
		}
		p.Values(string(message))
		for _, text := range p.Contains {
			if !bytes.Contains(message, []byte(text)) {
				t.Fatalf("%s matches and has no %q", message, text)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	record := []byte(`{"CacheClusterId":"uex-payments-prod-redis-001","CacheNodeId":"0001","Id":17,` +
		`"Timestamp":1605631822,"Duration (us)":12000,` +
		`"Command":"GET ... (1 more arguments)","ClientAddress":"10.0.1.17:55452","ClientName":"worker"}`)
	for _, pattern := range []string{`HGETALL`, `{ $.Command = "HGETALL*" }`, `{ $.['Duration (us)'] > 50000 }`,
		`[..., a = x*]`, `%HGET[A-Z]+%`} {
		p, err := logfilter.Parse(pattern)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(pattern, func(b *testing.B) {
			for b.Loop() {
				if p.Match(record) {
					b.Fatal("it matches")
				}
			}
		})
	}
}
