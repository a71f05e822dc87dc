package cli

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// What go-redis has to say of a node that cannot be dialled is a record of the engine's log, and one for --debug.
func TestWhatGoRedisSaysIsForDebugging(t *testing.T) {
	d := newHarness(t)
	d.listen = "nowhere"
	for level, want := range map[slog.Level]string{slog.LevelInfo: "",
		slog.LevelDebug: "level=DEBUG msg=go-redis says="} {
		var log bytes.Buffer
		if err := d.serve(t.Context(), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})),
			false); err == nil {
			t.Fatal("an engine listens nowhere")
		}
		refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no such node") }
		c := redis.NewClient(&redis.Options{Dialer: refuse, DialerRetries: 1, MaxRetries: -1})
		if err := c.Ping(t.Context()).Err(); err == nil {
			t.Error("the node answers")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if got := log.String(); !strings.Contains(got, want) || want == "" && got != "" || want != "" &&
			!strings.Contains(got, "no such node") {
			t.Errorf("at %s: %q", level, got)
		}
	}
}

func TestAnInterruptedStartIsNoTimeout(t *testing.T) {
	d := newHarness(t)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	_, err := d.awaitEngine(ctx, nil, func() string { return "" })
	if err == nil || !strings.Contains(err.Error(), "interrupted") || !strings.Contains(err.Error(), "larder down") {
		t.Errorf("got %v", err)
	}
}

func TestWhatServeReadsOfTheEnvironment(t *testing.T) {
	for given, want := range map[string]time.Duration{"": 0, "5s": 5 * time.Second, "1m": time.Minute} {
		if got, err := metricsInterval(given); got != want || err != nil {
			t.Errorf("%q: %s, %v", given, got, err)
		}
	}
	var usage usageError
	for _, given := range []string{"7", "7s", "often", "0s", "500ms", "2m"} {
		_, err := metricsInterval(given)
		if !errors.As(err, &usage) || !strings.Contains(err.Error(),
			"want whole seconds that a minute is a multiple of, with their unit, such as") {
			t.Errorf("%q: %v", given, err)
		}
	}
	if _, err := restoreLost("yesterday's"); !errors.As(err, &usage) {
		t.Error(err)
	}
	for _, given := range []string{"30", "0s", "long"} {
		if _, err := busyLimit(given); !errors.As(err, &usage) {
			t.Errorf("%q: %v", given, err)
		}
	}
}
