package cli

import (
	"context"
	"strings"
	"testing"
)

func TestAnInterruptedStartIsNoTimeout(t *testing.T) {
	d := newDesk(t)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	_, err := d.awaitEngine(ctx, nil, func() string { return "" })
	if err == nil || !strings.Contains(err.Error(), "interrupted") || !strings.Contains(err.Error(), "larder down") {
		t.Errorf("got %v", err)
	}
}
