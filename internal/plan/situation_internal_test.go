package plan

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// possible tells whether facts can be so together.
func possible(so [facts]bool) bool {
	return so[heldBySome] || !so[heldByPrimary] && !so[olderThanSilent]
}

// TestExactlyOneSituationIsSo whatever is so, and each may come about.
func TestExactlyOneSituationIsSo(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for bits := range 1 << facts {
		var so [facts]bool
		for f := range facts {
			so[f] = bits&(1<<f) != 0
		}
		if !possible(so) {
			continue
		}
		var are []string
		for _, s := range situations {
			if s.is(so) {
				are = append(are, s.name)
				seen[s.name] = true
			}
		}
		if len(are) != 1 {
			t.Fatalf("%s are so: %q", words(so), are)
		}
	}
	for _, s := range situations {
		if !seen[s.name] {
			t.Errorf("%q never comes about", s.name)
		}
	}
}

func words(so [facts]bool) (are []string) {
	for f, is := range so {
		if is {
			are = append(are, factTexts[f])
		}
	}
	return are
}

// TestSituationsPageIsCurrent compares the page with the table; -update writes it.
func TestSituationsPageIsCurrent(t *testing.T) {
	t.Parallel()
	const path = "../../docs/SITUATIONS.md"
	want := page()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("%s is not current; run go test ./internal/plan -update (-want +got):\n%s", path, diff)
	}
}

func page() string {
	var b strings.Builder
	fmt.Fprint(&b, "# What a plan does about a shard's primary\n\nDrawn from the table in `internal/plan/situation.go` "+
		"(`go test ./internal/plan -update`). Exactly one row is so at any time, whatever is\nseen of the nodes: a test "+
		"tries every combination of the facts. The facts are of the recorded primary and of who else has the shard's "+
		"data.\n\n| situation | these are so | these are not | what is done |\n|---|---|---|---|\n")
	list := func(some []fact) string {
		some = slices.Clone(some)
		slices.Sort(some)
		var texts []string
		for _, f := range some {
			texts = append(texts, factTexts[f])
		}
		return strings.Join(texts, ", ")
	}
	for _, s := range situations {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.name, list(s.yes), list(s.no), s.does)
	}
	return b.String()
}
