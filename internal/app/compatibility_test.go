package app_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"larder/internal/app"
	"larder/internal/gateway"
)

var update = flag.Bool("update", false, "rewrite the generated documents")

// docs/COMPATIBILITY.md is written from the action tables; go test ./internal/app -update renews it.
func TestCompatibilityIsCurrent(t *testing.T) {
	const path = "../../docs/COMPATIBILITY.md"
	var want bytes.Buffer
	if err := gateway.WriteCompatibility(&want, app.Services()); err != nil {
		t.Fatal(err)
	}
	want.WriteString(app.CompatibilityNotes)
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/COMPATIBILITY.md is not what the action tables say (%v): run go test ./internal/app -update", err)
	}
}
