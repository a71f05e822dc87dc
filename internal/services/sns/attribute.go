package sns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"larder/internal/iampolicy"
)

// Attributes that are served. DeliveryPolicy is one of topics and of subscriptions.
const (
	policyAttribute         = "Policy"
	deliveryPolicy          = "DeliveryPolicy"
	effectiveDeliveryPolicy = "EffectiveDeliveryPolicy"
	displayName             = "DisplayName"
	kmsMasterKeyID          = "KmsMasterKeyId"
	signatureVersion        = "SignatureVersion"
	tracingConfig           = "TracingConfig"
	fifoTopic               = "FifoTopic"

	filterPolicy       = "FilterPolicy"
	filterPolicyScope  = "FilterPolicyScope"
	rawMessageDelivery = "RawMessageDelivery"
)

const (
	maxDisplayName = 100   // characters
	maxKeyID       = 2048  // characters
	maxPolicy      = 30720 // bytes
)

// A rule says what is wrong with a value of an attribute. An empty value takes the attribute back.
type rule func(value string) string

// topicRules are the attributes of a topic that are served.
func topicRules() map[string]rule {
	rules := map[string]rule{
		policyAttribute:  policyReason,
		deliveryPolicy:   deliveryPolicyReason,
		displayName:      atMost(maxDisplayName),
		kmsMasterKeyID:   atMost(maxKeyID),
		signatureVersion: oneOf("1", "2"),
		tracingConfig:    oneOf("PassThrough"), // Active would have to trace
	}
	// What became of messages is not logged: of none of them.
	for _, protocol := range []string{"Application", "Firehose", "HTTP", "Lambda", "SQS"} {
		rules[protocol+"SuccessFeedbackSampleRate"] = oneOf("0")
	}
	return rules
}

// unservedOfTopics are attributes that AWS's topics have beside those of topicRules and the roles for logs of
// deliveries. FifoTopic is none that a topic can be given later.
func unservedOfTopics() []string {
	return []string{"ArchivePolicy", "ContentBasedDeduplication", "FifoThroughputScope"}
}

// atMost is the rule of an attribute with a text of so many characters.
func atMost(n int) rule {
	return func(v string) string {
		if utf8.RuneCountInString(v) > n {
			return fmt.Sprintf("must have at most %d characters", n)
		}
		return ""
	}
}

// oneOf is the rule of an attribute with few values.
func oneOf(values ...string) rule {
	return func(v string) string {
		if !slices.Contains(values, v) {
			return fmt.Sprintf("%q must be one of %v", v, values)
		}
		return ""
	}
}

// setTopicAttribute sets or takes back one of a topic's attributes.
func setTopicAttribute(attributes map[string]string, name, value string) error {
	wrong, ok := topicRules()[name]
	switch {
	case !ok && (strings.HasSuffix(name, "FeedbackRoleArn") || slices.Contains(unservedOfTopics(), name)):
		return notServed("larder does not serve the attribute %s of a topic", name)
	case !ok:
		return invalidParameter("AttributeName")
	case value == "":
		delete(attributes, name)
		return nil
	}
	if reason := wrong(value); reason != "" {
		return invalidParameter("%s Reason: %s", name, reason)
	}
	attributes[name] = value
	return nil
}

// topicAttributes are the attributes of a topic as it shows them, but for the counts.
func (s *Service) topicAttributes(t topic) (map[string]string, error) {
	out := map[string]string{
		"TopicArn": s.arn(t.Name), "Owner": s.Account, policyAttribute: s.defaultPolicy(t.Name), displayName: "",
	}
	maps.Copy(out, t.Attributes)
	effective, err := effectivePolicy(defaultDelivery, t.Attributes[deliveryPolicy])
	out[effectiveDeliveryPolicy] = effective
	return out, err
}

// defaultPolicy is what a topic has whose policy was not set.
func (s *Service) defaultPolicy(name string) string {
	return fmt.Sprintf(`{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID",`+
		`"Effect":"Allow",`+
		`"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:`+
		`RemovePermission",`+
		`"SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":%q,`+
		`"Condition":{"StringEquals":{"AWS:SourceOwner":%q}}}]}`, s.arn(name), s.Account)
}

// policyReason says what is wrong with an access policy.
func policyReason(text string) string {
	if len(text) > maxPolicy {
		return fmt.Sprintf("Policy has %d bytes; it must have at most %d", len(text), maxPolicy)
	}
	var policy struct{ Statement json.RawMessage }
	var statements []struct{ Effect, Principal, NotPrincipal, Action, NotAction json.RawMessage }
	err := json.Unmarshal([]byte(text), &policy)
	raw := bytes.TrimSpace(policy.Statement)
	if len(raw) > 0 && raw[0] == '{' { // one statement needs no list
		raw = slices.Concat([]byte{'['}, raw, []byte{']'})
	}
	if err != nil || json.Unmarshal(raw, &statements) != nil || len(statements) == 0 {
		return "Policy is not a JSON object with a Statement"
	}
	for i, st := range statements {
		switch {
		case string(st.Effect) != `"Allow"` && string(st.Effect) != `"Deny"`:
			return fmt.Sprintf("Policy statement %d must have the Effect Allow or Deny", i+1)
		case st.Principal == nil && st.NotPrincipal == nil:
			return fmt.Sprintf("Policy statement %d must have a Principal", i+1)
		case st.Action == nil && st.NotAction == nil:
			return fmt.Sprintf("Policy statement %d must have an Action", i+1)
		}
	}
	if _, err := iampolicy.Parse(text); err != nil {
		return "Policy cannot be evaluated: " + err.Error()
	}
	return ""
}
