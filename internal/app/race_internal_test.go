package app

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// begin takes the steps of an engine's start up to its identity, and ends like one that is killed.
func (h Home) begin(inside *atomic.Int32) (accessKey string, err error) {
	held, err := h.take(time.Now(), slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	defer held.Close()
	if n := inside.Add(1); n > 1 {
		return "", fmt.Errorf("%d engines hold the directory", n)
	}
	defer inside.Add(-1)
	state, err := h.openState()
	if err != nil {
		return "", err
	}
	id, sealer, err := h.load(state, time.Now())
	err = errors.Join(err, makeFolder(h.nodes()))
	if err == nil {
		_, err = id.authority(sealer)
	}
	return id.AccessKeyID, errors.Join(err, state.Close())
}

// Engines that race to start on one directory, new or in use, are in it one at a time, and are all the same
// installation.
func TestEnginesRaceToStart(t *testing.T) {
	for range 3 {
		h := Home(t.TempDir())
		var first string
		for range 3 { // the first of them makes the installation
			keys := make([]string, 3)
			var inside atomic.Int32
			var racers sync.WaitGroup
			for i := range keys {
				racers.Go(func() {
					var err error
					if keys[i], err = h.begin(&inside); err != nil {
						t.Error(err)
					}
				})
			}
			racers.Wait()
			if first == "" {
				first = keys[0]
			}
			for _, key := range keys {
				if key != first || !strings.HasPrefix(key, "AKIA") {
					t.Fatalf("the engines are of the installations %q and %q", first, key)
				}
			}
		}
	}
}
