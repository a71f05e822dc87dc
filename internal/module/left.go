package module

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"larder/internal/hclread"
)

// What a configuration has beside what larder up makes is left to Terraform: resources, data sources and other modules.
// It is looked at only where an input needs it, and then has to be given.

// leftBlocks are the types of blocks that are left to Terraform, and how many labels each has.
var leftBlocks = map[string]int{"resource": 2, "data": 2, "check": 1, "moved": 0, "import": 0, "removed": 0,
	"ephemeral": 2}

// leave notes what is left to Terraform, by the reference that leads to it.
func (c *Config) leave(b *hclsyntax.Block) hcl.Diagnostics {
	if want := leftBlocks[b.Type]; len(b.Labels) != want {
		return hcl.Diagnostics{hclread.ErrorAt(b.TypeRange, "a %s block has %d labels, this one has %d", b.Type, want,
			len(b.Labels))}
	}
	reference := strings.Join(b.Labels, ".")
	switch b.Type {
	case "resource":
	case "data", "module", "ephemeral":
		reference = b.Type + "." + reference
	default: // which nothing can refer to
		return nil
	}
	if first, ok := c.left[reference]; ok {
		return duplicate(b.LabelRanges[len(b.LabelRanges)-1], b.Type, b.Labels[len(b.Labels)-1], first)
	}
	c.left[reference] = b.TypeRange
	return nil
}

// steps are the names of a reference, before the first index: data.aws_vpc.main.id of data.aws_vpc.main.id or
// data.aws_vpc.main.id[0].
func steps(t hcl.Traversal) (names []string) {
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, s.Name)
		case hcl.TraverseAttr:
			names = append(names, s.Name)
		default:
			return names
		}
	}
	return names
}

// leftBy is what of the things that are left to Terraform a reference leads to; empty where it leads to none.
func (c *Config) leftBy(t hcl.Traversal) string {
	names := steps(t)
	for n := min(len(names), 3); n >= 2; n-- {
		if reference := strings.Join(names[:n], "."); c.left[reference] != (hcl.Range{}) {
			return reference
		}
	}
	return ""
}

// overrides are the values that were given for what is left to Terraform, as a tree of the references' names.
type overrides struct {
	value cty.Value // of a leaf
	under map[string]*overrides
}

// override reads values in the form REFERENCE=VALUE, each as an expression that refers to nothing, or as it stands.
func (c *Config) override(given []string) (diags hcl.Diagnostics) {
	for _, text := range given {
		reference, raw, ok := strings.Cut(text, "=")
		names := strings.Split(strings.TrimSpace(reference), ".")
		if !ok || len(names) < 2 || slices.Contains(names, "") {
			diags = append(diags, hclread.ErrorAt(hcl.Range{},
				"--override %q: want REFERENCE=VALUE, such as data.aws_vpc.main.id=vpc-0123", reference))
			continue
		}
		at := &c.overrides
		for _, name := range names {
			if at.under == nil {
				at.under = map[string]*overrides{}
			}
			if at.under[name] == nil {
				at.under[name] = &overrides{}
			}
			at = at.under[name]
		}
		at.value = literal(raw)
	}
	return diags
}

// literal is the value of an expression that refers to nothing, and of another text the text.
func literal(text string) cty.Value {
	expr, diags := hclsyntax.ParseExpression([]byte(text), "--override", hcl.InitialPos)
	if !diags.HasErrors() && len(expr.Variables()) == 0 {
		if value, diags := expr.Value(nil); !diags.HasErrors() {
			return value
		}
	}
	return cty.StringVal(text)
}

// object is the value of a tree.
func (o *overrides) object() cty.Value {
	if o.value != cty.NilVal {
		return o.value
	}
	all := map[string]cty.Value{}
	for name, under := range o.under {
		all[name] = under.object()
	}
	return cty.ObjectVal(all)
}

// covers tells whether a value was given for what a reference leads to.
func (o *overrides) covers(names []string) bool {
	for _, name := range names {
		if o.value != cty.NilVal {
			return true
		}
		if o = o.under[name]; o == nil {
			return false
		}
	}
	return o.value != cty.NilVal
}

// given returns the value of what follows the root of a reference to something that is left to Terraform, such as all
// of data.aws_vpc; cty.NilVal when it said that there is none.
func (s *scope) given(t hcl.Traversal, left string) (name string, value cty.Value) {
	names := steps(t)
	if !s.cfg.overrides.covers(names) {
		s.errorf(t,
			"needs %s, and %s is left to Terraform: give its value with --override '%s=VALUE', or write the value "+
				"in its place",
			show(t), left, strings.Join(names, "."))
		return names[1], cty.NilVal
	}
	return names[1], s.cfg.overrides.under[names[0]].under[names[1]].object()
}

// needsLeft is what an expression needs of what is left to Terraform and was not given, also by way of locals; empty
// where it needs nothing.
func (s *scope) needsLeft(expr hcl.Expression, seen map[string]bool) string {
	for _, t := range expr.Variables() {
		if left := s.cfg.leftBy(t); left != "" && !s.cfg.overrides.covers(steps(t)) {
			return left
		}
		name := referred(t)
		local, ok := s.cfg.locals[name]
		if t.RootName() != "local" || !ok || seen[name] {
			continue
		}
		seen[name] = true
		if left := s.needsLeft(local.Expr, seen); left != "" {
			return left
		}
	}
	return ""
}
