package app_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"larder/internal/gateway"
	"larder/internal/services/cloudwatch"
	"larder/internal/services/ec2"
	"larder/internal/services/elasticache"
	"larder/internal/services/kms"
	"larder/internal/services/logs"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sns"
	"larder/internal/services/sts"
)

var update = flag.Bool("update", false, "rewrite the generated documents")

// declared are the AWS services as they are declared, without anything behind them: for the list of what is served.
func declared() []gateway.Service {
	return []gateway.Service{
		elasticache.New(elasticache.Config{}).Gateway(),
		ec2.New(ec2.Config{}).Gateway(),
		kms.New(kms.Config{}).Gateway(),
		sns.New(sns.Config{}).Gateway(),
		cloudwatch.New(cloudwatch.Config{}).Gateway(),
		logs.New(logs.Config{}).Gateway(),
		secretsmanager.New(secretsmanager.Config{}).Gateway(),
		sts.Service{}.Gateway(),
	}
}

// docs/COMPATIBILITY.md is written from the action tables, and from notes of what they cannot tell; go test
// ./internal/app -update renews it.
func TestCompatibilityIsCurrent(t *testing.T) {
	const path = "../../docs/COMPATIBILITY.md"
	var want bytes.Buffer
	if err := gateway.WriteCompatibility(&want, declared()); err != nil {
		t.Fatal(err)
	}
	notes, err := os.ReadFile("testdata/compatibility_notes.md")
	if err != nil {
		t.Fatal(err)
	}
	want.WriteString("\n")
	want.Write(notes)
	if *update {
		if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/COMPATIBILITY.md is not what the action tables say (%v): run go test ./internal/app -update",
			err)
	}
}
