package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadmeIsCurrent(t *testing.T) {
	for readme, tables := range readmes {
		have, err := os.ReadFile(filepath.Join("..", readme))
		if err != nil {
			t.Fatal(err)
		}
		want, err := render("..", string(have), tables)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(have)); diff != "" {
			t.Errorf("%s is not what the module says; run go generate ./modules/redis (-want +have):\n%s", readme, diff)
		}
	}
}

func TestEveryBlockIsInItsSection(t *testing.T) {
	inputs, err := parse("../variables.tf", "variable")
	if err != nil {
		t.Fatal(err)
	}
	if first, last := inputs[0], inputs[len(inputs)-1]; first.section != "Required" || last.section != "Other" {
		t.Errorf("the sections of %s and %s are %q and %q", first.name, last.name, first.section, last.section)
	}
	for _, in := range inputs {
		if (in.section == "Required") != (in.def == "") || in.typ == "" {
			t.Errorf("%s stands under %q with the type %q and the default %q", in.name, in.section, in.typ, in.def)
		}
	}
}

func TestRenderNeedsItsMarkers(t *testing.T) {
	_, err := render("..", "# A README without markers\n", []string{"inputs"})
	if err == nil || !strings.Contains(err.Error(), "begin inputs") {
		t.Errorf("the error is %v", err)
	}
}

func TestOneLine(t *testing.T) {
	if got, want := oneLine("object({\n    cpu = optional(number)\n    hit_rate   = optional(number)\n  })"), "object({ cpu = optional(number), hit_rate = optional(number) })"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
