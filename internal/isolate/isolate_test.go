package isolate_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"larder/internal/isolate"
)

// TestOneItemThatPanics: the others are worked on, and the stack is told once, however often it happens.
func TestOneItemThatPanics(t *testing.T) {
	var guard isolate.Guard
	plain := errors.New("plain")
	done := ""
	var none map[string]int
	work := func(item string) error {
		return guard.Do(item, func() error {
			if item == "b" {
				none[item] = 1
			}
			if item == "c" {
				return plain
			}
			done += item
			return nil
		})
	}
	for round := range 3 {
		for _, item := range []string{"a", "b", "c", "d"} {
			err := work(item)
			failure, panicked := errors.AsType[*isolate.PanicError](err)
			if panicked != (item == "b") || item == "c" && !errors.Is(err, plain) {
				t.Errorf("%s: %v", item, err)
			}
			if panicked && (len(failure.Stack) > 0) != (round == 0) {
				t.Errorf("round %d: its stack has %d bytes", round, len(failure.Stack))
			}
			if panicked && (!strings.Contains(err.Error(), "assignment to entry in nil map") || failure.Item != "b") {
				t.Errorf("it is said: %v", err)
			}
		}
	}
	if done != "adadad" {
		t.Errorf("done is %s", done)
	}
}

// TestRunEndsAloneAndSaysSo: what panics in a goroutine is in the log, with its stack.
func TestRunEndsAloneAndSaysSo(t *testing.T) {
	var g isolate.Guard
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	if !g.Run(logger, "x", func() {}) || log.Len() > 0 {
		t.Errorf("without a panic: %q", &log)
	}
	if g.Run(logger, "the alarm x", func() { panic("injected") }) {
		t.Error("a panic is not told")
	}
	if text := log.String(); !strings.Contains(text, "the alarm x") || !strings.Contains(text, "injected") ||
		!strings.Contains(text, "isolate_test.go") {
		t.Errorf("the log has %q", text)
	}
}
