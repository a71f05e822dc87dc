package module

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"larder/internal/hclread"
)

// addProvider notes a configuration of the AWS provider by its alias. Of other providers larder needs nothing.
func (c *Config) addProvider(b *hclsyntax.Block) hcl.Diagnostics {
	if b.Labels[0] != "aws" {
		return nil
	}
	alias := ""
	if a, aliased := b.Body.Attributes["alias"]; aliased {
		v, diags := a.Expr.Value(nil)
		if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
			return hcl.Diagnostics{hclread.ErrorAt(a.SrcRange,
				"the alias of the AWS provider is not a plain string: write it in quotes")}
		}
		alias = v.AsString()
	}
	if first, ok := c.providers[alias]; ok {
		return duplicate(b.LabelRanges[0], "provider", "aws", first.LabelRanges[0])
	}
	c.providers[alias] = b
	return nil
}

// providerOf is the configuration of the AWS provider that a module call gets: the one that its providers argument
// names, or the one without an alias. Nil: the configuration has none.
func (c *Config) providerOf(call *hclsyntax.Block) (*hclsyntax.Block, hcl.Diagnostics) {
	a, named := call.Body.Attributes["providers"]
	if !named {
		return c.providers[""], nil
	}
	pairs, diags := hcl.ExprMap(a.Expr)
	for _, p := range pairs {
		if hcl.ExprAsKeyword(p.Key) != "aws" {
			continue
		}
		t, more := hcl.AbsTraversalForExpr(p.Value)
		if more.HasErrors() {
			return nil, more
		}
		alias := ""
		if len(t) > 1 {
			if step, ok := t[1].(hcl.TraverseAttr); ok {
				alias = step.Name
			}
		}
		b, ok := c.providers[alias]
		if !ok && alias != "" {
			return nil, hcl.Diagnostics{hclread.ErrorAt(t.SourceRange(), "there is no provider \"aws\" with the alias %q",
				alias)}
		}
		return b, nil
	}
	return c.providers[""], diags
}

// Region is the region that the configuration's AWS provider names, for the module call that src names; empty where it
// names none, and the caller's own is meant. It reads nothing else of the configuration: what is wrong elsewhere in it
// is Load's to say.
func Region(src Source) (string, Diagnostics) {
	label, _, _ := strings.Cut(src.Module, "[")
	calls, _ := src.Config.pick(label)
	if len(calls) == 0 {
		return "", nil
	}
	provider, diags := src.Config.providerOf(calls[0])
	if provider == nil || diags.HasErrors() {
		return "", fromHCL(diags, "")
	}
	a, set := provider.Body.Attributes["region"]
	if !set {
		return "", nil
	}
	scope := newScope(src.Config, StandIns{})
	value, ok := scope.eval(a.Expr)
	if !ok {
		return "", fromHCL(scope.diags, "").sorted()
	}
	value, _ = value.UnmarkDeep()
	text, err := convert.Convert(value, cty.String)
	switch {
	case err != nil || !text.IsKnown():
		return "", fromHCL(hcl.Diagnostics{hclread.ErrorAt(a.Expr.Range(), "the provider's region is not a string")}, "")
	case text.IsNull():
		return "", nil
	}
	return text.AsString(), nil
}
