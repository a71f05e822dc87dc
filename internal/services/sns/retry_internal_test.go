package sns

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The phases of a policy come in AWS's order.
func TestRetryDelays(t *testing.T) {
	for _, test := range []struct {
		policy retryPolicy
		want   []int // seconds
	}{
		{retryPolicy{MinDelayTarget: 20, MaxDelayTarget: 20, NumRetries: 3, BackoffFunction: "linear"},
			[]int{20, 20, 20}},
		{retryPolicy{MinDelayTarget: 10, MaxDelayTarget: 40, NumRetries: 9, NumNoDelayRetries: 1, NumMinDelayRetries: 2,
			NumMaxDelayRetries: 2, BackoffFunction: "linear"},
			[]int{0, 10, 10, 10, 20, 30, 40, 40, 40}},
		{retryPolicy{}, nil},
	} {
		var got []int
		for tries := 0; ; tries++ {
			delay, again := test.policy.delay(tries)
			if !again {
				break
			}
			got = append(got, int(delay/time.Second))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.policy, got, test.want)
		}
	}
}

// Whatever the function, delays grow from the least to the greatest.
func TestDelaysGrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := retryPolicy{NumRetries: rapid.IntRange(2, 100).Draw(t, "retries"),
			MinDelayTarget: rapid.Float64Range(0, 100).Draw(t, "min"),
			BackoffFunction: rapid.SampledFrom([]string{"linear", "arithmetic", "geometric", "exponential"}).Draw(t,
				"function")}
		p.MaxDelayTarget = p.MinDelayTarget + rapid.Float64Range(0, 3000).Draw(t, "more")
		var last time.Duration
		for tries := range p.NumRetries {
			delay, _ := p.delay(tries)
			if delay < last || delay.Seconds() < p.MinDelayTarget-1e-6 || delay.Seconds() > p.MaxDelayTarget+1e-6 {
				t.Fatalf("try %d waits %s after %s", tries, delay, last)
			}
			last = delay
		}
	})
}
