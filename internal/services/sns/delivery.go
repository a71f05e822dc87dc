package sns

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// defaultDelivery is how a topic's messages are delivered over HTTP unless its DeliveryPolicy says otherwise, in AWS's words; times
// are in seconds.
const defaultDelivery = `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,` +
	`"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,` +
	`"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`

// defaultSubscriptionDelivery is the same for one subscription, which has other names for the parts.
const defaultSubscriptionDelivery = `{"healthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,` +
	`"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"sicklyRetryPolicy":null,` +
	`"throttlePolicy":null,"guaranteed":false,"requestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}`

// deliveryPolicyReason says what is wrong with a topic's delivery policy.
func deliveryPolicyReason(text string) string {
	var policy map[string]map[string]any
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return "DeliveryPolicy must be a JSON object with an object for http"
	}
	known := []string{"defaultHealthyRetryPolicy", "disableSubscriptionOverrides", "defaultThrottlePolicy", "defaultRequestPolicy", "defaultSicklyRetryPolicy"}
	for _, protocol := range slices.Sorted(maps.Keys(policy)) {
		if protocol != "http" {
			return fmt.Sprintf("DeliveryPolicy must not have %s: http is the only protocol with a delivery policy", protocol)
		}
		for _, part := range slices.Sorted(maps.Keys(policy[protocol])) {
			if !slices.Contains(known, part) {
				return fmt.Sprintf("DeliveryPolicy must not have http.%s; it may have %v", part, known)
			}
		}
	}
	var http struct {
		HTTP struct{ DefaultHealthyRetryPolicy json.RawMessage }
	}
	if err := json.Unmarshal([]byte(text), &http); err != nil {
		return "DeliveryPolicy must be a JSON object with an object for http"
	}
	return retryReason(http.HTTP.DefaultHealthyRetryPolicy)
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
	var own struct{ HealthyRetryPolicy json.RawMessage }
	if err := json.Unmarshal([]byte(text), &own); err != nil {
		return "DeliveryPolicy must be a JSON object"
	}
	return retryReason(own.HealthyRetryPolicy)
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

func overlay(below, above map[string]any) {
	for name, value := range above {
		from, isObject := value.(map[string]any)
		to, both := below[name].(map[string]any)
		if isObject && both {
			overlay(to, from)
		} else {
			below[name] = value
		}
	}
}
