package engine

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

// TestCopiedBytesAreCounted as they go by, in whatever pieces.
func TestCopiedBytesAreCounted(t *testing.T) {
	t.Parallel()
	var read, written atomic.Int64
	from := countedReader{io.NopCloser(iotest.HalfReader(strings.NewReader("eleven byte"))), &read}
	to := countedWriter{io.Discard, &written}
	for _, want := range []int64{6, 11} {
		if _, err := io.CopyN(to, from, want-written.Load()); err != nil || read.Load() != want || written.Load() != want {
			t.Errorf("%d bytes are read, %d written, want %d: %v", read.Load(), written.Load(), want, err)
		}
	}
}
