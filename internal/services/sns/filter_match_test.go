package sns_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/servicetest"
)

// alarmBody is what an alarm's message has of its dimensions.
func alarmBody(dimensions string) string {
	return `{"AlarmName":"cpu","NewStateValue":"ALARM",` +
		`"Trigger":{"MetricName":"CPUUtilization","Dimensions":[` + dimensions + `]}}`
}

func dimension(name, value string) string { return fmt.Sprintf(`{"value":%q,"name":%q}`, value, name) }

// A filter policy on the body looks into the objects of arrays, and takes a dotted name as nested ones.
func TestFilterPoliciesOnTheBody(t *testing.T) {
	const member = `{"Trigger":{"Dimensions":{"name":["CacheClusterId"],"value":[{"prefix":"mine-"}]}}}`
	mine := dimension("CacheClusterId", "mine-001")
	for _, test := range []struct {
		name, policy, body string
		want               bool
	}{
		{"an object of an array", member, alarmBody(dimension("CacheNodeId", "0001") + "," + mine), true},
		{"none of the array's objects", member, alarmBody(dimension("CacheClusterId", "other-001")), false},
		{"two objects, each with a half", member,
			alarmBody(dimension("CacheClusterId", "other-001") + "," + dimension("Region", "mine-x")), false},
		{"an array without objects", member, alarmBody(`"mine-001",null`), false},
		{"an empty array", member, alarmBody(""), false},
		{"an array of arrays", member, alarmBody("[[" + mine + "]]"), true},
		{"dotted names", `{"Trigger.Dimensions.name":["CacheClusterId"],"Trigger":{"Dimensions.value":["mine-001"]}}`,
			alarmBody(mine), true},
		{"dotted, in two objects", `{"Trigger.Dimensions.name":["CacheNodeId"],"Trigger.Dimensions.value":["mine-001"]}`,
			alarmBody(dimension("CacheNodeId", "0001") + "," + mine), false},
		{"dotted in the body", `{"a":{"b":{"c":["x"]}}}`, `{"a.b":{"c":"x"}}`, true},
		{"all dotted in the body", `{"a":{"b.c":["x"]}}`, `{"a.b.c":"x","a":{"d":1}}`, true},
		{"dotted in both", `{"a.b":["x"]}`, `{"a.b":"x"}`, true},
		{"a name beside its dotted one", `{"a":["x"],"a.b":["y"]}`, `{"a":"x","a.b":"y"}`, true},
		{"an alternative", `{"$or":[{"a":["x"]},{"b":{"c":["y"]}}]}`, `{"b":[{"c":"z"},{"c":"y"}]}`, true},
		{"no alternative", `{"$or":[{"a":["x"]},{"b":{"c":["y"]}}]}`, `{"b":[{"c":"z"}],"a":"y"}`, false},
		{"an alternative within", `{"d":{"s":["x"],"$or":[{"a":[1]},{"b":[2]}]}}`, `{"d":[{"s":"x"},{"s":"x","b":2}]}`, true},
		{"alternatives in another object", `{"d":{"s":["x"],"$or":[{"a":[1]},{"b":[2]}]}}`,
			`{"d":[{"s":"x"},{"s":"y","b":2}]}`, false},
		{"missing within", `{"a":{"b":[{"exists":false}]}}`, `{"a":[{"c":1}]}`, true},
		{"missing with what it is in", `{"a":{"b":[{"exists":false}]}}`, `{"c":1}`, true},
		{"missing in one object only", `{"a":{"b":[{"exists":false}]}}`, `{"a":[{"c":1},{"b":1}]}`, false},
		{"missing in an empty body", `{"a":[{"exists":false}]}`, `{}`, false},
		{"there", `{"a":{"b":[{"exists":true}]}}`, `{"a":[{"c":1},{"b":false}]}`, true},
		{"null is not there", `{"a":[{"exists":true}]}`, `{"a":null}`, false},
		{"an empty text is not there", `{"a":[{"exists":true}]}`, `{"a":""}`, false},
		{"no leaf", `{"a":[{"exists":true}]}`, `{"a":{"b":1}}`, false},
		{"anything but, of no leaf", `{"a":[{"anything-but":["x"]}]}`, `{"a":{"b":1}}`, false},
		{"anything but", `{"a":[{"anything-but":["x",1]}]}`, `{"a":["x",2]}`, true},
		{"anything but a prefix", `{"a":[{"anything-but":{"prefix":"x"}}]}`, `{"a":"xy"}`, false},
		{"a suffix", `{"a":{"b":[{"suffix":".xml"}]}}`, `{"a":{"b":"x.xml"}}`, true},
		{"a number in an array", `{"a":{"b":[{"numeric":["=",3.0]}]}}`, `{"a":[{"b":[1,3]}]}`, true},
		{"a text of digits is no number", `{"a":[3]}`, `{"a":"3"}`, false},
		{"two objects, not one", `{"a":["x"]}`, `{"a":"x"} {}`, false},
		{"no policy", `{}`, `{}`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			topic := s.topic(t, "mine")
			e := newEndpoint(t, nil)
			stop := s.run(t)
			s.subscribeEndpoint(t, topic, e, map[string]string{"RawMessageDelivery": "true",
				"FilterPolicyScope": "MessageBody", "FilterPolicy": test.policy})
			s.publish(t, topic, test.body)
			s.settle(t)
			stop()
			if test.want {
				if got := e.next(t).body; got != test.body {
					t.Errorf("got %s", got)
				}
			}
			e.nothing(t)
		})
	}
}

// TestFilterPolicyLimits: bounds are AWS's, by its own counts.
func TestFilterPolicyLimits(t *testing.T) {
	const noNesting = "Filter policy scope MessageAttributes does not support nested filter policy"
	const tooMany = "FilterPolicy: Filter policy can not have more than 5 keys"
	const complex = "FilterPolicy: Filter policy is too complex"
	nested := `{"key_a":{"key_b":{"key_c":` + values(4) + `}},"key_d":{"key_e":` +
		values(3) + `},"key_f":` + values(2) + `}`
	for policy, refusal := range map[string]string{
		`{"a":{"b":["x"]}}`:                                             noNesting,
		`{"$or":[{"a":["x"]},{"b":{"c":["x"]}}]}`:                       noNesting,
		`{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]}`: tooMany,
		`{"a":` + values(151) + `}`:                                     complex,
		`{"a":` + values(100) + `,"b":` + values(51) + `}`:              complex,
		`{"a":` + values(150) + `}`:                                     "",
		alternatives(4, 4, 4):                                           complex, // 4*6 + 4*4*4 + 4*4*4
		alternatives(3, 4, 7):                                           "",      // 3*6 + 3*4*4 + 3*4*7
		`{"a.b.c":["x"],"a":["x"],"$or":[{"b":["x"]},{"c":["x"]}]}`:     "",
		`{"a":[{"anything-but":{"exists":false}}]}`: "FilterPolicy: Unsupported anything-but pattern: " +
			"exists",
		`{"a":{"suffix":"b"},"b":{"c":["x"]}}`: `FilterPolicy: "suffix" must be an object or an ` +
			`array`,
	} {
		wantFilter(t, policy, "MessageAttributes", refusal)
		wantFilter(t, policy, "", refusal)
	}
	for policy, refusal := range map[string]string{
		`{"a":{"b":["x"]}}`: "",
		`{"a":{"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"],"g":["x"]}}`: "",
		nested: "", // 4*3 * 3*2 * 2 = 144
		strings.Replace(nested, values(2), values(3), 1): complex, // 216
		`{"$or":[{"m":` + values(3) + `},{"n":` + values(2) + `}],"d":{"s":` + values(2) + `,"$or":[{"o":["x"]},{"t":` +
			values(3) + `}]}}`: complex, // 3*4*2 + 3*4*6 + 2*4*2 + 2*4*6 = 160
		`{"a":{"b":1}}`: `FilterPolicy: "b" must be an object or an array`,
	} {
		wantFilter(t, policy, "MessageBody", refusal)
	}
}

// values is a list of that many values.
func values(n int) string {
	return "[" + strings.TrimSuffix(strings.Repeat(`"v",`, n), ",") + "]"
}

func alternatives(source, kind, space int) string {
	return fmt.Sprintf(`{"source":%s,"$or":[{"name":%s},{"kind":%s,"$or":[{"id":%s},{"space":%s}]}]}`,
		values(source), values(6), values(kind), values(4), values(space))
}

// wantFilter subscribes with a policy in a scope, and sets it later.
func wantFilter(t *testing.T, policy, scope, refusal string) {
	t.Helper()
	s := newServer(t)
	topic := s.topic(t, "mine")
	_, err := s.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"),
		Endpoint:   new("http://127.0.0.1:1/"),
		Attributes: map[string]string{"FilterPolicy": policy, "FilterPolicyScope": scope}})
	wantRefusal(t, policy, err, "Attributes Reason: ", refusal)
	arn := s.subscribe(t, topic, "http", "http://127.0.0.1:2/")
	set := func(name, value string) error {
		_, err := s.SetSubscriptionAttributes(t.Context(),
			&sdk.SetSubscriptionAttributesInput{SubscriptionArn: &arn, AttributeName: &name, AttributeValue: &value})
		return err
	}
	if err := set("FilterPolicyScope", scope); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, policy, set("FilterPolicy", policy), "", refusal)
}

func wantRefusal(t *testing.T, policy string, err error, where, refusal string) {
	t.Helper()
	if refusal != "" {
		servicetest.WantError(t, err, "InvalidParameter", "Invalid parameter: "+where+refusal)
	} else if err != nil {
		t.Errorf("%s: %v", policy, err)
	}
}

// TestNestedPolicyKeepsItsScope: the scope cannot be taken from a policy that needs it; other attributes can be set.
func TestNestedPolicyKeepsItsScope(t *testing.T) {
	const noNesting = "Filter policy scope MessageAttributes does not support nested filter policy"
	s := newServer(t)
	topic := s.topic(t, "mine")
	arn := s.subscribe(t, topic, "http", "http://127.0.0.1:1/")
	set := func(name, value string) error {
		_, err := s.SetSubscriptionAttributes(t.Context(),
			&sdk.SetSubscriptionAttributesInput{SubscriptionArn: &arn, AttributeName: &name, AttributeValue: &value})
		return err
	}
	for _, step := range []struct{ name, value, refusal string }{
		{"FilterPolicy", `{"a":{"b":["x"]}}`, noNesting},
		{"FilterPolicyScope", "MessageBody", ""}, {"FilterPolicy", `{"a":{"b":["x"]}}`, ""},
		{"FilterPolicyScope", "MessageAttributes", noNesting},
		{"RawMessageDelivery", "true", ""}, {"FilterPolicy", "{}", ""}, {"FilterPolicyScope", "MessageAttributes", ""},
	} {
		wantRefusal(t, step.name+" "+step.value, set(step.name, step.value), "", step.refusal)
	}
}
