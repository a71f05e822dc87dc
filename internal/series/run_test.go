package series

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestRun tests that a sample is durable one flush interval after it was added, on the clock that Run uses.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		config := Config{Dir: dir, Now: time.Now, Failed: func(err error) { t.Error(err) }}
		s := opened(t, config)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		at := time.Now().Unix()
		if err := s.Add(Sample{Key: key("a"), Cell: Single(at, 1)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second)
		stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if err := s.closeFiles(); err != nil { // unlike Close, does not flush
			t.Fatal(err)
		}
		s = opened(t, config)
		defer s.Close()
		if cells, err := s.Cells(key("a"), 0, at+1); err != nil || len(cells) != 1 {
			t.Errorf("got %v %v", cells, err)
		}
	})
}
