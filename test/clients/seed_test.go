package clients_test

import (
	"os"
	"strings"
	"testing"
)

// seedDir has the seed as it was written, and its configurations as files.
const seedDir = "../../internal/module/testdata/seed/"

// fenced returns the example of that language under that heading of the seed, as it is written there.
func fenced(t *testing.T, heading, language string) string {
	t.Helper()
	seed, err := os.ReadFile(seedDir + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(seed), "\n"+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	_, code, opened := strings.Cut(section, "```"+language+"\n")
	code, _, closed := strings.Cut(code, "```\n")
	if !found || !opened || !closed {
		t.Fatalf("the seed has no %s example under %q", language, heading)
	}
	return code
}
