package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTablesAreFresh fails when an SDK upgrade, or a change here, was not
// followed by go generate.
func TestTablesAreFresh(t *testing.T) {
	for _, s := range services {
		t.Run(s.module, func(t *testing.T) {
			want, err := generate(s)
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(filepath.Join("..", s.file()))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s is stale: run go generate ./internal/awswire (-want +got):\n%s", s.file(), diff)
			}
		})
	}
}
