package sns

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWaitAfterTheClockWentBack: what was put off by a clock that was ahead is due, and not only when that time comes
// again.
func TestWaitAfterTheClockWentBack(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	put := func(at time.Time) delivery { return delivery{Set: at, Due: at.Add(20 * time.Second)} }
	if got := put(now.Add(-5 * time.Second)).wait(now); got != 15*time.Second {
		t.Errorf("it waits %s", got)
	}
	if got := put(now.Add(time.Hour)).wait(now); got > 0 {
		t.Errorf("after the clock went back it waits %s", got)
	}
}

// TestErrorsHaveNoURL: what is logged of a failed delivery has nothing of the subscriber's URL.
func TestErrorsHaveNoURL(t *testing.T) {
	for _, endpoint := range []string{"http://127.0.0.1:1/hook?token=secret", "http://user:secret@127.0.0.1:1/secret",
		"http://%secret"} {
		response, err := http.Post(endpoint, "", nil)
		if err == nil {
			response.Body.Close()
			t.Fatalf("%s answers", endpoint)
		}
		if got := withoutURL(err).Error(); !strings.Contains(err.Error(), "secret") || strings.Contains(got, "secret") {
			t.Errorf("the error is %s", got)
		}
	}
}
