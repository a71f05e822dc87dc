package hclread

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// shown is a reference as it is written.
func shown(t hcl.Traversal) string {
	var names []string
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, step.Name)
		case hcl.TraverseAttr:
			names = append(names, step.Name)
		}
	}
	return strings.Join(names, ".")
}

// The budget sees into every kind of expression that the parser makes, and references are found as before.
func TestEveryPartOfAnExpressionIsBounded(t *testing.T) {
	text := `[(r.a), r.b[r.c], r.d.e[*].f, r.g[*][r.h], !r.i, -r.j, r.k + r.l, r.m ? r.n : r.o, f(r.p, r.q...),
		{"${r.r}x" = r.s, (r.t) = r.u, v = r.v},
		[for k, v in r.w : "${k}${r.x}" if r.y], {for k, v in r.z : r.aa => r.bb...}, "${r.cc}",
		"a%{ for x in r.dd }${r.ee}%{ endfor }", f(r.ff)[r.gg].hh]`
	parse := func() hclsyntax.Expression {
		e, diags := hclsyntax.ParseExpression([]byte(text), "x.tf", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		return e
	}
	names := func(e hclsyntax.Expression) string {
		var all []string
		for _, v := range e.Variables() {
			all = append(all, shown(v))
		}
		return strings.Join(all, " ")
	}
	plain, counted := parse(), parse()
	b := NewBudget()
	b.boundParts(counted)
	if want, got := names(plain), names(counted); got != want {
		t.Errorf("references are %s, were %s", got, want)
	}
	var loose []string
	inside := 0
	hclsyntax.VisitAll(counted, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case bounded:
			inside++
		case *hclsyntax.ScopeTraversalExpr:
			inside--
			if inside < 0 {
				loose = append(loose, shown(n.Traversal))
			}
		}
		return nil
	})
	if len(loose) > 0 {
		t.Errorf("not bounded: %v", loose)
	}
	b.left = 0
	empty := &hcl.EvalContext{Variables: map[string]cty.Value{"r": cty.EmptyObjectVal}}
	if _, diags := counted.Value(empty); !diags.HasErrors() || b.refusal == nil {
		t.Errorf("nothing was counted: %v", diags)
	}
}
