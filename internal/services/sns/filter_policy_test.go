package sns_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/servicetest"
)

// A filter policy keeps away what a subscriber does not want.
func TestFilterPolicies(t *testing.T) {
	s := newServer(t)
	topic := s.topic(t, "mine")
	e := newEndpoint(t, nil)
	stop := s.run(t)
	s.subscribeEndpoint(t, topic, e, map[string]string{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody",
		"FilterPolicy": `{"state":["ALARM",{"prefix":"INS"}],"detail":{"n":[{"numeric":[">",1,"<=",5]}]},"quiet":` +
			`[{"exists":false}]}`})
	for _, body := range []string{`{"state":"ALARM","detail":{"n":2}}`, `{"state":"OK","detail":{"n":2}}`,
		`{"state":"ALARM","detail":{"n":1}}`, "ALARM",
		`{"state":"ALARM","detail":{"n":2},"quiet":true}`, `{"state":["OK","INSUFFICIENT"],"detail":{"n":[9,5]}}`,
		`{"state":"ALARM"}`} {
		s.publish(t, topic, body)
	}
	s.settle(t)
	stop()
	for _, want := range []string{`{"state":"ALARM","detail":{"n":2}}`,
		`{"state":["OK","INSUFFICIENT"],"detail":{"n":[9,5]}}`} {
		if got := e.next(t).body; got != want {
			t.Errorf("got %s", got)
		}
	}
	e.nothing(t)
	for policy, reason := range map[string]string{
		`{"a":1}`: `"a" must be an object or an array`, `{"a":[]}`: "Empty arrays are not allowed",
		// The texts of these were recorded from AWS, which says the place in the policy behind them.
		`{"a":[["b"]]}`: "Match value must be String, number, " +
			"true, false, or null",
		`{"a":[{"near":1}]}`:                  "Unrecognized match type near",
		`{"a":[{"suffix":"b","prefix":"c"}]}`: "Only one key allowed in match expression",
		`{"a":[{"suffix":100}]}`:              "suffix match pattern must be a string",
		`{"a":[{"suffix":["b","c"]}]}`:        "suffix match pattern must be a string",
		`{"a":{"suffix":"b"}}`:                `"suffix" must be an object or an array`,
		`{"a":[{"numeric":[]}]}`:              "Invalid member in numeric match: ]",
		`{"a":[{"numeric":["operator"]}]}`: "Unrecognized numeric range " +
			"operator: operator",
		`{"a":[{"numeric":[1,"<="]}]}`:            "Invalid member in numeric match: 1",
		`{"a":[{"numeric":["=","000"]}]}`:         "Value of equals must be numeric",
		`{"a":[{"numeric":[">="]}]}`:              "Value of >= must be numeric",
		`{"a":[{"numeric":["<",100,">",10]}]}`:    "Too many elements in numeric expression",
		`{"a":[{"numeric":[">=",1,">",2]}]}`:      "Bad numeric range operator: >",
		`{"a":[{"numeric":[">",3,"<",1]}]}`:       "Bottom must be less than top",
		`{"a":[{"numeric":[">",20,"<="]}]}`:       "Value of <= must be numeric",
		`{"a":[{"numeric":[">",20,30]}]}`:         "Bad value in numeric range: 30",
		`{"a":[{"numeric":[">",20,"test"]}]}`:     "Bad numeric range operator: test",
		`{"a":[{"numeric":[">","20"]}]}`:          "Value of > must be numeric",
		`{"a":[{"numeric":[">",2,"<","3"]}]}`:     "Value of < must be numeric",
		`{"a":[{"numeric":[">",2,"<",3,"<",5]}]}`: "Too many terms in numeric range expression",
		`{"a":[{"exists":null}]}`: "exists match pattern must be either " +
			"true or false.",
		`{"a":[` + strings.Repeat(`"b",`, 50) + `"b"],"c":["d","e","f"]}`: "Filter policy is too complex",
		// These are larder's own.
		`{"$or":[{"a":["b"]}]}`: "$or must have two or more objects",
	} {
		_, err := s.Subscribe(t.Context(),
			&sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"), Endpoint: &e.URL,
				Attributes: map[string]string{"FilterPolicy": policy}})
		servicetest.WantError(t, err, "InvalidParameter", "Invalid parameter: Attributes Reason: FilterPolicy: "+reason)
	}
}
