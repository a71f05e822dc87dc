package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// refusal is a run of refused.tftest.hcl: a call, and the message it has to get.
type refusal struct {
	name, message string
	inputs        map[string]string // as written
	validation    bool              // one input's own; else it takes several
	warning       bool              // the call goes on
}

const refusedRuns = "../../modules/redis/tests/refused.tftest.hcl"

// The messages, word for word, of what an input refuses alone. Nothing but the inputs is needed for them.
func TestValidationMessages(t *testing.T) {
	w := newWorkspace(t, "calls")
	inputs, err := os.ReadFile(filepath.Join(w.root, "modules", "redis", "variables.tf"))
	if err != nil {
		t.Fatal(err)
	}
	w.write("inputs/variables.tf", string(inputs))
	checkMessages(w, "./inputs", readRefusals(t, true))
}

// The messages of what inputs refuse together, and of warnings.
func TestCheckMessages(t *testing.T) {
	w := newWorkspace(t, "calls")
	w.env = append(w.env, "AWS_ENDPOINT_URL="+serveAWS(t))
	checkMessages(w, "../modules/redis", readRefusals(t, false))
}

// checkMessages makes one plan with a call for each refusal.
func checkMessages(w *workspace, source string, refusals []refusal) {
	w.t.Helper()
	var calls strings.Builder
	for _, r := range refusals {
		fmt.Fprintf(&calls, "module %q {\n  source = %q\n", r.name, source)
		for input, value := range r.inputs {
			fmt.Fprintf(&calls, "  %s = %s\n", input, value)
		}
		calls.WriteString("}\n")
	}
	w.write("main.tf", calls.String())
	out, err := w.init().try("plan", "-json", "-input=false")
	if err == nil {
		w.t.Error("the plan succeeds")
	}
	var want []string
	for _, r := range refusals {
		want = append(want, map[bool]string{false: "error", true: "warning"}[r.warning]+": "+r.message)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, messages(w.t, out)); diff != "" {
		w.t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// readRefusals reads the runs of one kind; the comment above a run is the message.
func readRefusals(t *testing.T, validations bool) (all []refusal) {
	t.Helper()
	text, err := os.ReadFile(refusedRuns)
	if err != nil {
		t.Fatal(err)
	}
	file, diags := hclsyntax.ParseConfig(text, refusedRuns, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	defaults := map[string]string{}
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		switch b.Type {
		case "variables":
			defaults = attributes(text, b)
		case "run":
			r := refusal{name: b.Labels[0], inputs: maps.Clone(defaults)}
			failing := attributes(text, b)["expect_failures"]
			r.validation, r.warning = strings.HasPrefix(failing, "[var."), strings.HasPrefix(failing, "[check.")
			for _, inner := range b.Body.Blocks {
				if inner.Type == "variables" {
					maps.Copy(r.inputs, attributes(text, inner))
				}
			}
			above := strings.Split(strings.TrimSuffix(string(text[:b.TypeRange.Start.Byte]), "\n"), "\n")
			r.message = strings.TrimPrefix(above[len(above)-1], "# ")
			if r.validation == validations {
				all = append(all, r)
			}
		}
	}
	if len(all) < 40 {
		t.Fatalf("%s has %d runs of the kind", refusedRuns, len(all))
	}
	return all
}

// attributes returns the attributes of a block as written.
func attributes(text []byte, b *hclsyntax.Block) map[string]string {
	all := map[string]string{}
	for name, a := range b.Body.Attributes {
		all[name] = string(a.Expr.Range().SliceBytes(text))
	}
	return all
}

// messages returns what a plan complains about, sorted.
func messages(t *testing.T, out []byte) (all []string) {
	t.Helper()
	for line := range strings.Lines(string(out)) {
		var entry struct {
			Type       string
			Diagnostic struct{ Severity, Detail string }
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if entry.Type == "diagnostic" {
			detail, _, _ := strings.Cut(entry.Diagnostic.Detail, "\n\nThis was checked by the validation rule at ")
			all = append(all, entry.Diagnostic.Severity+": "+detail)
		}
	}
	slices.Sort(all)
	return all
}
