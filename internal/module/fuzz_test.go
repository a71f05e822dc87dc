package module

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad wants an answer to any text: a call without errors, or errors without a call.
func FuzzLoad(f *testing.F) {
	for name := range seedHeadings {
		text, err := os.ReadFile("testdata/seed/" + name + ".tf")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(block(`timeout = local.x`) +
		"locals {\n  x = length(var.y)\n}\nvariable \"y\" {\n  default = []\n  validation {\n    condition = true\n  " +
		"  error_message = \"\"\n  }\n}\n"))
	f.Add([]byte(block(`parameters = [for k, v in { hz = 1 } : { name = k, value = v }]`,
		`tags = merge({}, { a = try(1, 2) })`)))
	f.Add([]byte("x = " + strings.Repeat("[", 200)))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "main.tf")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		call, diags := load(file, Vars{})
		if (call == nil) != diags.HasErrors() {
			t.Fatalf("call is %v, diagnostics %v", call, diags)
		}
		if call != nil {
			r := call.Resources(Known{})
			if changes := Diff(r, observe(r)); len(changes) > 0 && call.Inputs.RedisEngineVersion == "7.0" {
				t.Fatalf("changes are %+v right after creation", changes)
			}
		}
	})
}
