package app

import (
	"log/slog"
	"os"
	"strings"
	"testing"
)

// TestAFileWhereADirectoryBelongsIsNamed, with what to do, before the engine does anything.
func TestAFileWhereADirectoryBelongsIsNamed(t *testing.T) {
	for _, name := range []string{"nodes", "snapshots", "metrics", "logs", "mail"} {
		h := Home(t.TempDir())
		for _, file := range []string{"larder.db", name} {
			if err := os.WriteFile(h.path(file), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := h.prepare(slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), h.path(name)+" is a file") ||
			!strings.Contains(err.Error(), "Move") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Home(t.TempDir()).prepare(slog.New(slog.DiscardHandler)); err != nil {
		t.Errorf("without any: %v", err)
	}
}
