package sns

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// defaultDelivery is how a topic's messages are delivered over HTTP unless its DeliveryPolicy says otherwise, in AWS's
// words; times are in seconds.
const defaultDelivery = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":` +
	`3,` +
	`"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},` +
	`"disableSubscriptionOverrides":false,` +
	`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`

// defaultSubscriptionDelivery is the same for one subscription, which has other names for the parts.
const defaultSubscriptionDelivery = `{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,` +
	`"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},` +
	`"sicklyRetryPolicy":null,` +
	`"throttlePolicy":null,"guaranteed":false,"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}`

// deliveryPolicyReason says what is wrong with a topic's delivery policy.
func deliveryPolicyReason(text string) string {
	var policy map[string]map[string]any
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return "DeliveryPolicy must be a JSON object with an object for http"
	}
	known := []string{"defaultHealthyRetryPolicy", "disableSubscriptionOverrides", "defaultThrottlePolicy",
		"defaultRequestPolicy", "defaultSicklyRetryPolicy"}
	for _, protocol := range slices.Sorted(maps.Keys(policy)) {
		if protocol != "http" {
			return fmt.Sprintf("DeliveryPolicy must not have %s: http is the only protocol with a delivery policy",
				protocol)
		}
		for _, part := range slices.Sorted(maps.Keys(policy[protocol])) {
			if !slices.Contains(known, part) {
				return fmt.Sprintf("DeliveryPolicy must not have http.%s; it may have %v", part, known)
			}
		}
	}
	var own struct {
		HTTP struct {
			DefaultHealthyRetryPolicy, DefaultThrottlePolicy, DefaultRequestPolicy, DefaultSicklyRetryPolicy json.RawMessage
			DisableSubscriptionOverrides                                                                     bool
		}
	}
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return "DeliveryPolicy must have true or false for http.disableSubscriptionOverrides"
	}
	return cmp.Or(retryReason(own.HTTP.DefaultHealthyRetryPolicy), throttleReason(own.HTTP.DefaultThrottlePolicy),
		requestReason(own.HTTP.DefaultRequestPolicy), unserved(map[string]json.RawMessage{
			"http.defaultSicklyRetryPolicy": own.HTTP.DefaultSicklyRetryPolicy}))
}

// subscriptionDeliveryReason says what is wrong with a subscription's delivery policy.
func subscriptionDeliveryReason(text string) string {
	var policy map[string]any
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return "DeliveryPolicy must be a JSON object"
	}
	known := []string{"healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "guaranteed", "requestPolicy"}
	for _, part := range slices.Sorted(maps.Keys(policy)) {
		if !slices.Contains(known, part) {
			return fmt.Sprintf("DeliveryPolicy must not have %s; it may have %v", part, known)
		}
	}
	var own struct{ HealthyRetryPolicy, ThrottlePolicy, RequestPolicy, SicklyRetryPolicy, Guaranteed json.RawMessage }
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return "DeliveryPolicy must be a JSON object"
	}
	return cmp.Or(retryReason(own.HealthyRetryPolicy), throttleReason(own.ThrottlePolicy),
		requestReason(own.RequestPolicy),
		unserved(map[string]json.RawMessage{"sicklyRetryPolicy": own.SicklyRetryPolicy, "guaranteed": own.Guaranteed}))
}

// policyText is the policy that holds for a subscription: the default, over it the topic's, and over that the
// subscription's own, unless the topic disables that.
func policyText(of topic, sub subscription) (string, error) {
	var above struct {
		HTTP struct {
			DefaultHealthyRetryPolicy, DefaultThrottlePolicy, DefaultRequestPolicy map[string]any
			DisableSubscriptionOverrides                                           bool
		}
	}
	text := defaultSubscriptionDelivery
	if own := of.Attributes[deliveryPolicy]; own != "" {
		if err := json.Unmarshal([]byte(own), &above); err != nil {
			return "", fmt.Errorf("cannot read the delivery policy of the topic %s: %w", of.Name, err)
		}
		renamed, err := json.Marshal(map[string]any{
			"healthyRetryPolicy": above.HTTP.DefaultHealthyRetryPolicy,
			"throttlePolicy":     above.HTTP.DefaultThrottlePolicy,
			"requestPolicy":      above.HTTP.DefaultRequestPolicy,
		})
		if err != nil {
			return "", err
		}
		if text, err = effectivePolicy(text, string(renamed)); err != nil {
			return "", err
		}
	}
	if above.HTTP.DisableSubscriptionOverrides {
		return text, nil
	}
	return effectivePolicy(text, sub.Attributes[deliveryPolicy])
}

// effectivePolicy lays a delivery policy over the default.
func effectivePolicy(base, over string) (string, error) {
	if over == "" {
		return base, nil
	}
	var below, above map[string]any
	if err := json.Unmarshal([]byte(base), &below); err != nil {
		return "", fmt.Errorf("cannot read the default delivery policy: %w", err)
	}
	if err := json.Unmarshal([]byte(over), &above); err != nil {
		return "", fmt.Errorf("cannot read the stored delivery policy: %w", err)
	}
	overlay(below, above)
	merged, err := json.Marshal(below)
	return string(merged), err
}

// overlay lays one policy over another. What is null is not set.
func overlay(below, above map[string]any) {
	for name, value := range above {
		if value == nil {
			continue
		}
		from, isObject := value.(map[string]any)
		to, both := below[name].(map[string]any)
		if isObject && both {
			overlay(to, from)
		} else {
			below[name] = value
		}
	}
}
