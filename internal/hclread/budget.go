package hclread

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// A few lines of HCL can ask for more than a machine has: locals that each repeat the one before ten times, loops in
// loops. A budget bounds what the expressions of one file may work out, so that the answer is an error within a second
// or so.
const (
	maxWork       = 10 << 20 // bytes of text, of which an element of a collection counts as elementBytes
	elementBytes  = 64
	maxNumberBits = 4096 // of a number; the text of a larger one can have gigabytes
)

// TooLargeText says what is wrong with a value that is too large.
var TooLargeText = fmt.Sprintf("the value is larger than %d MiB, or its number than %d binary digits, the most that "+
	"larder up works out",
	maxWork>>20, maxNumberBits)

// Budget counts the work of one file's expressions.
type Budget struct {
	left    int
	refusal *hcl.Diagnostic // once nothing is left
	kept    *Budget         // what it was when the file was read
}

// NewBudget returns the budget of a file that is about to be read.
func NewBudget() *Budget { return &Budget{left: maxWork} }

// Keep notes what is left once the file is read. What is asked of the file later begins with that each time.
func (b *Budget) Keep() { b.kept = &Budget{left: b.left, refusal: b.refusal} }

// Renew gives back what was worked out since Keep.
func (b *Budget) Renew() { b.left, b.refusal = b.kept.left, b.kept.refusal }

// TooLarge tells whether a value is more than all the work that a file may ask for. Nothing larger is kept, printed or
// converted.
func TooLarge(v cty.Value) bool { return weigh(v, maxWork) > maxWork }

// spend takes a value that an expression at that place gave.
func (b *Budget) spend(v cty.Value, at hcl.Range) *hcl.Diagnostic {
	if b.refusal == nil {
		b.left -= weigh(v, b.left)
	}
	if b.refusal == nil && b.left < 0 {
		b.refusal = ErrorAt(at,
			"the expressions of this file grow beyond %d MiB, the most that larder up works out: shorten what is "+
				"repeated here",
			maxWork>>20)
	}
	return b.refusal
}

// weigh returns about how many bytes a value takes. It stops counting beyond the limit.
func weigh(v cty.Value, limit int) int {
	v, _ = v.Unmark()
	switch t := v.Type(); {
	case !v.IsKnown() || v.IsNull():
		return 1
	case t == cty.String:
		return 1 + len(v.AsString())
	case t == cty.Number:
		return weighNumber(v)
	case !v.CanIterateElements():
		return 1
	}
	total := 1
	for it := v.ElementIterator(); it.Next() && total <= limit; {
		key, element := it.Element()
		if key.Type() == cty.String && !v.Type().IsSetType() {
			total += len(key.AsString())
		}
		total += elementBytes + weigh(element, limit-total)
	}
	return total
}

func weighNumber(v cty.Value) int {
	if bits := v.AsBigFloat().MantExp(nil); bits > maxNumberBits || bits < -maxNumberBits {
		return maxWork + 1
	}
	return elementBytes
}

// bounded is an expression whose values a budget counts.
type bounded struct {
	hclsyntax.Expression // in parentheses, through which references in it are found

	inner  hclsyntax.Expression
	budget *Budget
}

// Value implements hcl.Expression.
func (e bounded) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if e.budget.refusal != nil {
		return cty.DynamicVal, hcl.Diagnostics{e.budget.refusal}
	}
	v, diags := e.inner.Value(ctx)
	if refusal := e.budget.spend(v, e.inner.Range()); refusal != nil {
		return cty.DynamicVal, hcl.Diagnostics{refusal}
	}
	return v, diags
}

// UnwrapExpression lets the static analysis of the HCL library see the expression itself.
func (e bounded) UnwrapExpression() hcl.Expression { return e.inner }

// boundBody has the budget count what the expressions in a body are made of.
func (b *Budget) boundBody(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		b.boundParts(a.Expr)
	}
	for _, block := range body.Blocks {
		b.boundBody(block.Body)
	}
}

// bound has the budget count an expression's values. A literal text is as large as the file says, and the HCL library
// looks for it.
func (b *Budget) bound(e *hclsyntax.Expression) {
	switch it := (*e).(type) {
	case nil, *hclsyntax.AnonSymbolExpr:
		return
	case *hclsyntax.LiteralValueExpr:
		if it.Val.Type() != cty.Number {
			return
		}
	case *hclsyntax.ObjectConsKeyExpr:
		b.boundKey(it)
		return
	}
	b.boundParts(*e)
	*e = bounded{&hclsyntax.ParenthesesExpr{Expression: *e, SrcRange: (*e).Range()}, *e, b}
}

func (b *Budget) boundAll(all []hclsyntax.Expression) {
	for i := range all {
		b.bound(&all[i])
	}
}

// boundParts has the budget count what an expression is made of.
func (b *Budget) boundParts(e hclsyntax.Expression) {
	switch e := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		b.bound(&e.Expression)
	case *hclsyntax.RelativeTraversalExpr:
		b.bound(&e.Source)
	case *hclsyntax.FunctionCallExpr:
		b.boundAll(e.Args)
	case *hclsyntax.ConditionalExpr:
		b.bound(&e.Condition)
		b.bound(&e.TrueResult)
		b.bound(&e.FalseResult)
	case *hclsyntax.IndexExpr:
		b.bound(&e.Collection)
		b.bound(&e.Key)
	case *hclsyntax.TupleConsExpr:
		b.boundAll(e.Exprs)
	case *hclsyntax.ObjectConsExpr:
		for i := range e.Items {
			b.bound(&e.Items[i].KeyExpr)
			b.bound(&e.Items[i].ValueExpr)
		}
	case *hclsyntax.ForExpr:
		b.bound(&e.CollExpr)
		b.bound(&e.KeyExpr)
		b.bound(&e.ValExpr)
		b.bound(&e.CondExpr)
	case *hclsyntax.SplatExpr:
		b.bound(&e.Source)
		b.boundParts(e.Each)
	case *hclsyntax.BinaryOpExpr:
		b.bound(&e.LHS)
		b.bound(&e.RHS)
	case *hclsyntax.UnaryOpExpr:
		b.bound(&e.Val)
	case *hclsyntax.TemplateExpr:
		b.boundAll(e.Parts)
	case *hclsyntax.TemplateJoinExpr:
		b.bound(&e.Tuple)
	case *hclsyntax.TemplateWrapExpr:
		b.bound(&e.Wrapped)
	}
}

// boundKey leaves a bare name alone, which the HCL library takes for a text.
func (b *Budget) boundKey(e *hclsyntax.ObjectConsKeyExpr) {
	if _, name := e.Wrapped.(*hclsyntax.ScopeTraversalExpr); !name || e.ForceNonLiteral {
		b.bound(&e.Wrapped)
	}
}
