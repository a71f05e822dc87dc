package main

import (
	"testing"
	"time"
)

func TestWaits(t *testing.T) {
	const log = `2026-11-23T09:32:13.000Z [INFO]  Terraform version: 1.11.4
2026-11-23T09:32:13.100Z [DEBUG] provider: HTTP Response Received: status=200
  body=
  | 2026 is no time
2026-11-23T09:32:43.100Z [DEBUG] provider: HTTP Request Sent
2026-11-23T09:32:43.500Z [DEBUG] that is silence, and no more
2026-11-23T11:32:45.500+0200 [DEBUG] provider: another zone's clock
`
	if got, want := waits([]byte(log)), 32*time.Second; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := waits(nil); got != 0 {
		t.Errorf("an empty log waits %s", got)
	}
}
