package sns

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// retryPolicy is how often and when a delivery is tried again, in the words of AWS's delivery policies. Times are in seconds.
type retryPolicy struct {
	MinDelayTarget, MaxDelayTarget                                        float64
	NumRetries, NumNoDelayRetries, NumMinDelayRetries, NumMaxDelayRetries int
	BackoffFunction                                                       string
}

// Bounds of a policy. Source: "Creating an HTTP/S delivery policy" in SNS's guide.
const (
	maxRetries = 100
	maxDelay   = 3600
)

// requestPolicy says how a request is made.
type requestPolicy struct{ HeaderContentType string }

// httpPolicy is what holds for a subscription: the topic's, and over it the subscription's own.
type httpPolicy struct {
	HealthyRetryPolicy retryPolicy
	RequestPolicy      requestPolicy
}

func policyOf(of topic, sub subscription) (httpPolicy, error) {
	text, err := effectivePolicy(defaultDelivery, of.Attributes[deliveryPolicy])
	if err != nil {
		return httpPolicy{}, err
	}
	var topics struct {
		HTTP struct {
			DefaultHealthyRetryPolicy    json.RawMessage
			DefaultRequestPolicy         json.RawMessage
			DisableSubscriptionOverrides bool
		}
	}
	if err := json.Unmarshal([]byte(text), &topics); err != nil {
		return httpPolicy{}, fmt.Errorf("cannot read the delivery policy of the topic %s: %w", of.Name, err)
	}
	base := fmt.Sprintf(`{"healthyRetryPolicy":%s,"requestPolicy":%s}`, topics.HTTP.DefaultHealthyRetryPolicy, topics.HTTP.DefaultRequestPolicy)
	own := sub.Attributes[deliveryPolicy]
	if topics.HTTP.DisableSubscriptionOverrides {
		own = ""
	}
	if text, err = effectivePolicy(base, own); err != nil {
		return httpPolicy{}, err
	}
	var out httpPolicy
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return httpPolicy{}, fmt.Errorf("cannot read the delivery policy of the subscription %s: %w", sub.key(), err)
	}
	return out, nil
}

func retries(of topic, sub subscription) (retryPolicy, error) {
	p, err := policyOf(of, sub)
	return p.HealthyRetryPolicy, err
}

// retryReason says what is wrong with a retry policy; absent parts are the default's.
func retryReason(raw json.RawMessage) string {
	p := retryPolicy{MinDelayTarget: 20, MaxDelayTarget: 20, NumRetries: 3, BackoffFunction: "linear"}
	if len(raw) == 0 {
		return ""
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return "DeliveryPolicy has a retry policy of another form"
	}
	early := p.NumNoDelayRetries + p.NumMinDelayRetries + p.NumMaxDelayRetries
	switch {
	case p.NumRetries < 0 || p.NumRetries > maxRetries:
		return fmt.Sprintf("DeliveryPolicy numRetries must be from 0 to %d", maxRetries)
	case min(p.NumNoDelayRetries, p.NumMinDelayRetries, p.NumMaxDelayRetries) < 0 || early > p.NumRetries:
		return "DeliveryPolicy numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries must be at least 0, and together at most numRetries"
	case p.MinDelayTarget < 0 || p.MaxDelayTarget < p.MinDelayTarget || p.MaxDelayTarget > maxDelay:
		return fmt.Sprintf("DeliveryPolicy minDelayTarget must be at most maxDelayTarget, and that at most %d", maxDelay)
	}
	return oneOf("linear", "arithmetic", "geometric", "exponential")(p.BackoffFunction)
}

// delay is how long to wait after so many tries failed beyond the first, and whether there is another one. The phases are AWS's: at
// once, after the least delay, with growing delays, after the greatest.
func (p retryPolicy) delay(tries int) (time.Duration, bool) {
	if tries >= p.NumRetries {
		return 0, false
	}
	growing := p.NumRetries - p.NumNoDelayRetries - p.NumMinDelayRetries - p.NumMaxDelayRetries
	seconds := p.MaxDelayTarget
	switch n := tries - p.NumNoDelayRetries; {
	case n < 0:
		seconds = 0
	case n < p.NumMinDelayRetries:
		seconds = p.MinDelayTarget
	case n < p.NumMinDelayRetries+growing:
		seconds = p.backoff(n-p.NumMinDelayRetries, growing)
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// backoff is the n-th of the growing delays, from 0.
func (p retryPolicy) backoff(n, of int) float64 {
	if of < 2 {
		return p.MinDelayTarget
	}
	at := float64(n) / float64(of-1) // from 0 to 1
	switch p.BackoffFunction {
	case "arithmetic":
		at *= at
	case "geometric":
		at = (math.Pow(2, at*4) - 1) / 15
	case "exponential":
		at = (math.Exp(at*6) - 1) / (math.Exp(6) - 1)
	}
	return p.MinDelayTarget + at*(p.MaxDelayTarget-p.MinDelayTarget)
}
