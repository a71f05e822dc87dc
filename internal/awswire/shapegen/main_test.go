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

// TestTheEC2ClientIsTheSDKs fails when the copied part of the SDK's EC2 client has something else than the SDK, or
// lacks or has too much of it.
func TestTheEC2ClientIsTheSDKs(t *testing.T) {
	want, err := generateEC2()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", ec2Subset)
	for name, source := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(source), string(got)); diff != "" {
			t.Errorf("%s is stale: run go generate ./internal/awswire (-want +got):\n%s", name, diff)
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		name := filepath.Base(path)
		if byHand := map[string]bool{"client.go": true, "sdk_test.go": true}; want[name] == nil && !byHand[name] {
			t.Errorf("%s is no part of what is wanted: remove it", path)
		}
	}
}
