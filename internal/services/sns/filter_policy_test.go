package sns_test

import (
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
		"FilterPolicy": `{"state":["ALARM",{"prefix":"INS"}],"detail":{"n":[{"numeric":[">",1,"<=",5]}]},"quiet":[{"exists":false}]}`})
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
		`{"a":1}`: `"a" must be an object or an array`, `{"a":[]}`: `"a" must have a value`,
		`{"a":[{"near":1}]}`:        `"a": larder does not serve the operator near of filter policies`,
		`{"a":[{"numeric":[">"]}]}`: `"a": the operator numeric has other than one or two comparisons, such as [">", 0, "<=", 5]`,
		`{"$or":[{"a":["b"]}]}`:     "$or must have two or more objects",
	} {
		_, err := s.Subscribe(t.Context(),
			&sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"), Endpoint: &e.URL,
				Attributes: map[string]string{"FilterPolicy": policy}})
		servicetest.WantError(t, err, "InvalidParameter", "Invalid parameter: FilterPolicy Reason: "+reason)
	}
}
