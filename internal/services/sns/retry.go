package sns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"mime"
	"slices"
	"time"
)

// retryPolicy is how often and when a delivery is tried again, in the words of AWS's delivery policies. Times are in
// seconds.
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

// throttlePolicy bounds how many requests a subscriber gets a second; 0 is no bound.
type throttlePolicy struct{ MaxReceivesPerSecond int }

// httpPolicy is what holds for a subscription.
type httpPolicy struct {
	HealthyRetryPolicy retryPolicy
	RequestPolicy      requestPolicy
	ThrottlePolicy     throttlePolicy
}

// mailPolicy is how mail is delivered, which no policy changes. Source: "Message delivery retries" in SNS's guide.
var mailPolicy = httpPolicy{HealthyRetryPolicy: retryPolicy{
	MinDelayTarget: 10, MaxDelayTarget: 600, NumRetries: 50, NumMinDelayRetries: 2, NumMaxDelayRetries: 38,
	BackoffFunction: "exponential",
}}

// pause is how long to wait between two requests.
func (p httpPolicy) pause() time.Duration {
	if p.ThrottlePolicy.MaxReceivesPerSecond == 0 {
		return 0
	}
	return time.Second / time.Duration(p.ThrottlePolicy.MaxReceivesPerSecond)
}

func policyOf(of topic, sub subscription) (out httpPolicy, err error) {
	if !sub.isHTTP() {
		return mailPolicy, nil
	}
	text, err := policyText(of, sub)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return out, fmt.Errorf("cannot read the delivery policy of the subscription %s: %w", sub.key(), err)
	}
	return out, nil
}

// strictly decodes a part of a policy that has no other members than into. An absent part leaves into as it is.
func strictly(raw json.RawMessage, into any) bool {
	if len(raw) == 0 {
		return true
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	return in.Decode(into) == nil
}

// retryReason says what is wrong with a retry policy; absent parts are the default's.
func retryReason(raw json.RawMessage) string {
	p := retryPolicy{MinDelayTarget: 20, MaxDelayTarget: 20, NumRetries: 3, BackoffFunction: "linear"}
	if !strictly(raw, &p) {
		return "DeliveryPolicy has a retry policy of another form"
	}
	early := p.NumNoDelayRetries + p.NumMinDelayRetries + p.NumMaxDelayRetries
	switch {
	case p.NumRetries < 0 || p.NumRetries > maxRetries:
		return fmt.Sprintf("DeliveryPolicy numRetries must be from 0 to %d", maxRetries)
	case min(p.NumNoDelayRetries, p.NumMinDelayRetries, p.NumMaxDelayRetries) < 0 || early > p.NumRetries:
		return "DeliveryPolicy numNoDelayRetries, numMinDelayRetries and numMaxDelayRetries must be at least 0, and " +
			"together at most numRetries"
	case p.MinDelayTarget < 0 || p.MaxDelayTarget < p.MinDelayTarget || p.MaxDelayTarget > maxDelay:
		return fmt.Sprintf("DeliveryPolicy minDelayTarget must be at most maxDelayTarget, and that at most %d",
			maxDelay)
	}
	if reason := oneOf("linear", "arithmetic", "geometric", "exponential")(p.BackoffFunction); reason != "" {
		return "DeliveryPolicy backoffFunction " + reason
	}
	if total := p.total(); total > maxDelay*time.Second {
		return fmt.Sprintf("DeliveryPolicy has retries for %s; they must take at most %d seconds", total, maxDelay)
	}
	return ""
}

// throttleReason says what is wrong with a throttle policy.
func throttleReason(raw json.RawMessage) string {
	p := throttlePolicy{MaxReceivesPerSecond: 1}
	if !strictly(raw, &p) || p.MaxReceivesPerSecond < 1 {
		return "DeliveryPolicy has a throttle policy of another form than a maxReceivesPerSecond of 1 or more"
	}
	return ""
}

// contentTypes are those that a message may be sent as. Source: "Creating an HTTP/S delivery policy" in SNS's guide.
func contentTypes() []string {
	return []string{"text/css", "text/csv", "text/html", "text/plain", "text/xml", "application/atom+xml",
		"application/json", "application/octet-stream",
		"application/soap+xml", "application/x-www-form-urlencoded", "application/xhtml+xml", "application/xml"}
}

// requestReason says what is wrong with a request policy.
func requestReason(raw json.RawMessage) string {
	p := requestPolicy{HeaderContentType: "text/plain"}
	if !strictly(raw, &p) {
		return "DeliveryPolicy has a request policy of another form than a headerContentType"
	}
	kind, _, err := mime.ParseMediaType(p.HeaderContentType)
	if reason := oneOf(contentTypes()...)(kind); err != nil || reason != "" {
		return fmt.Sprintf("DeliveryPolicy headerContentType must be one of %v", contentTypes())
	}
	return ""
}

// unserved says which part of a policy is not served, when one is set: they are of an older generation of policies.
func unserved(parts map[string]json.RawMessage) string {
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		if v := string(parts[name]); v != "" && v != "null" && v != "false" {
			return fmt.Sprintf("larder does not serve DeliveryPolicy %s", name)
		}
	}
	return ""
}

// total is how long all retries of a delivery wait.
func (p retryPolicy) total() (sum time.Duration) {
	for tries := 0; ; tries++ {
		delay, again := p.delay(tries)
		if !again {
			return sum
		}
		sum += delay
	}
}

// delay is how long to wait after so many tries failed beyond the first, and whether there is another one. The phases
// are AWS's: at once, after the least delay, with growing delays, after the greatest.
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
