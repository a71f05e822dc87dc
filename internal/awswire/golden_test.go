package awswire_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"larder/internal/awswire"
)

// goldens are the request bodies that the SDK's own module ships, by operation.
func goldens(t testing.TB, module string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(moduleDir(t, module), "request_snapshot", "*.request.snap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden requests of %s (%v)", module, err)
	}
	bodies := map[string]string{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// The method, the headers, the body; blank lines between.
		parts := strings.SplitN(string(content), "\n\n", 3)
		if len(parts) != 3 {
			t.Fatalf("%s is not in the form expected", file)
		}
		bodies[strings.TrimSuffix(filepath.Base(file), ".request.snap")] = parts[2]
	}
	return bodies
}

// TestGoldenRequests decodes what AWS's own snapshots say a client sends, and
// has the client say the result again.
func TestGoldenRequests(t *testing.T) {
	for _, s := range sdks {
		for op, body := range goldens(t, s.module) {
			if !s.shapes.Covers(op) {
				continue
			}
			t.Run(s.module+"/"+op, func(t *testing.T) {
				input := s.newInput(op)
				decodeRequest(t, s, op, body, input)
				if diff := cmp.Diff(body, s.request(t, op, input)); diff != "" {
					t.Errorf("the decoded input is not what was sent (-sent +again):\n%s", diff)
				}
			})
		}
	}
}

func decodeRequest(t fataler, s sdk, op, body string, input any) {
	t.Helper()
	codec := awswire.NewCodec(s.shapes)
	if s.shapes.Protocol != awswire.AWSQuery && s.shapes.Protocol != awswire.EC2Query {
		if err := codec.DecodeJSON([]byte(body), input); err != nil {
			t.Fatalf("decode %s: %v", op, err)
		}
		return
	}
	form, err := url.ParseQuery(body)
	if err != nil {
		t.Fatalf("parse %s: %v", body, err)
	}
	if form.Get("Action") != op || form.Get("Version") != s.shapes.Version {
		t.Fatalf("Action %s, Version %s; want %s, %s", form.Get("Action"), form.Get("Version"), op, s.shapes.Version)
	}
	form.Del("Action")
	form.Del("Version")
	if err := codec.DecodeQuery(form, input); err != nil {
		t.Fatalf("decode %s: %v", op, err)
	}
}
