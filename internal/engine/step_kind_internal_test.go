package engine

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"larder/internal/plan"
)

// TestEveryKindOfStepIsRun: each that a plan may have is a step or a transfer, and there is no other.
func TestEveryKindOfStepIsRun(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../plan/step.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	ast.Inspect(file, func(n ast.Node) bool {
		c, is := n.(*ast.ValueSpec)
		if !is || len(c.Values) != 1 {
			return true
		}
		text, err := strconv.Unquote(c.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		known++
		switch kind, is := stepKinds[plan.StepKind(text)]; {
		case !is:
			t.Errorf("%s is not run", c.Names[0])
		case (kind.run == nil) == (kind.job == nil), kind.loads && kind.job == nil:
			t.Errorf("%s is %+v", c.Names[0], kind)
		}
		return true
	})
	if known != len(stepKinds) || known < 20 {
		t.Errorf("%d kinds are planned, and %d run", known, len(stepKinds))
	}
}
