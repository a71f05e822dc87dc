package module

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// at renders a place as file:line.
func at(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// show renders a reference as it is written, as far as names go.
func show(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			b.WriteString("[...]")
		}
	}
	return b.String()
}

// listing says what does exist, for a message about a name that does not.
func listing(prefix string, names []string) string {
	if len(names) == 0 {
		return "there is none"
	}
	full := make([]string, len(names))
	for i, n := range names {
		full[i] = prefix + n
	}
	return "there is " + strings.Join(full, ", ")
}

// suggest returns "; did you mean x?" when a known name is within a few letters of the one written, else "".
func suggest(name string, known []string) string {
	near := nearest(name, known, 3)
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}

// nearest returns up to two known names within the given number of edits, the closest first.
func nearest(name string, known []string, edits int) []string {
	type candidate struct {
		name     string
		distance int
	}
	var near []candidate
	for _, k := range known {
		if d := levenshtein.Distance(name, k, nil); d > 0 && d <= edits {
			near = append(near, candidate{k, d})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var names []string
	for _, c := range near[:min(2, len(near))] {
		names = append(names, c.name)
	}
	return names
}

// maxShown is how many characters of a value a message repeats.
const maxShown = 80

// render shows a value as it would be written, shortened.
func render(v cty.Value) string {
	var text string
	switch {
	case v.IsNull():
		text = "null"
	case v.Type() == cty.String:
		text = strconv.Quote(v.AsString())
	default:
		raw, err := ctyjson.Marshal(v, v.Type())
		if err != nil {
			return "the value" // nothing to quote, such as an unknown
		}
		text = string(raw)
	}
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "..."
	}
	return text
}
