package module

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"larder/internal/hclread"
)

// mostInstances is how many calls a block may stand for: each is a group of real processes.
const mostInstances = 100

// instance is one of the calls that a module block stands for: its only one, or one for an element of count or
// for_each.
type instance struct {
	block *hclsyntax.Block
	key   cty.Value // a number with count, a text with for_each; cty.NilVal: the block has neither
	value cty.Value // each.value; cty.NilVal without for_each
}

// address is how Terraform writes the instance after "module.": redis, redis[0] or redis["eu"].
func (i instance) address() string {
	label := i.block.Labels[0]
	switch {
	case i.key == cty.NilVal:
		return label
	case i.key.Type() == cty.Number:
		return fmt.Sprintf("%s[%s]", label, i.key.AsBigFloat().Text('f', 0))
	}
	return fmt.Sprintf("%s[%q]", label, i.key.AsString())
}

// roots are what the instance's inputs may refer to beside all else: count.index, or each.key and each.value.
func (i instance) roots() map[string]map[string]cty.Value {
	switch {
	case i.key == cty.NilVal:
		return nil
	case i.value == cty.NilVal:
		return map[string]map[string]cty.Value{"count": {"index": i.key}}
	}
	return map[string]map[string]cty.Value{"each": {"key": i.key, "value": i.value}}
}

// Calls lists the calls of the redis module in the order in which they are written, by their addresses: redis, redis[0]
// or redis["eu"]. Where src names a module block there are its own only, and where it names an instance that one.
func Calls(src Source, env StandIns) ([]string, Diagnostics) {
	found, diags := newScope(src.Config, env).instances(src)
	var addresses []string
	for _, i := range found {
		addresses = append(addresses, i.address())
	}
	return addresses, fromHCL(diags, "").sorted()
}

// instances are those that src names.
func (s *scope) instances(src Source) ([]instance, hcl.Diagnostics) {
	label, _, _ := strings.Cut(src.Module, "[")
	blocks, diags := s.cfg.pick(label)
	var all []instance
	for _, b := range blocks {
		all = append(all, s.repeated(b)...)
	}
	diags, s.diags = append(diags, s.diags...), nil
	if label == src.Module || diags.HasErrors() {
		return all, diags
	}
	for _, i := range all {
		if i.address() == src.Module {
			return []instance{i}, diags
		}
	}
	return nil, append(diags, hclread.ErrorAt(hcl.Range{Filename: s.cfg.Path}, "the configuration has no module.%s",
		src.Module))
}

// instance is the one that src names; the block is nil when the diagnostics say why there is none.
func (s *scope) instance(src Source) (instance, hcl.Diagnostics) {
	all, diags := s.instances(src)
	switch {
	case diags.HasErrors():
		return instance{}, diags
	case len(all) == 1:
		return all[0], diags
	case len(all) == 0:
		return instance{}, append(diags, hclread.ErrorAt(hcl.Range{Filename: s.cfg.Path},
			"no call of the redis module: count or for_each stands for none"))
	}
	var addresses []string
	for _, i := range all {
		addresses = append(addresses, i.address())
	}
	return instance{}, append(diags, hclread.ErrorAt(hcl.Range{Filename: s.cfg.Path},
		"%d calls of the redis module, of which one is asked for: name one of %s", len(all),
		strings.Join(addresses, ", ")))
}

// repeated works out count or for_each of a call. There are none when it said why.
func (s *scope) repeated(b *hclsyntax.Block) []instance {
	count, counted := b.Body.Attributes["count"]
	each, keyed := b.Body.Attributes["for_each"]
	switch {
	case counted && keyed:
		s.diags = append(s.diags, hclread.ErrorAt(each.NameRange, "count and for_each exclude each other: remove one"))
	case counted:
		return s.counted(b, count.Expr)
	case keyed:
		return s.keyed(b, each.Expr)
	default:
		return []instance{{block: b}}
	}
	return nil
}

func (s *scope) counted(b *hclsyntax.Block, expr hcl.Expression) (all []instance) {
	value, ok := s.repetition(expr, "count")
	if !ok {
		return nil
	}
	number, err := convert.Convert(value, cty.Number)
	if err != nil {
		s.diags = append(s.diags, hclread.ErrorAt(expr.Range(), "count is no number"))
		return nil
	}
	n, exact := number.AsBigFloat().Int64()
	if exact != big.Exact || n < 0 || n > mostInstances {
		s.diags = append(s.diags, hclread.ErrorAt(expr.Range(), "count is no whole number from 0 to %d", mostInstances))
		return nil
	}
	for i := range n {
		all = append(all, instance{block: b, key: cty.NumberIntVal(i)})
	}
	return all
}

func (s *scope) keyed(b *hclsyntax.Block, expr hcl.Expression) (all []instance) {
	value, ok := s.repetition(expr, "for_each")
	if !ok {
		return nil
	}
	typ := value.Type()
	set := typ.IsSetType() && (value.LengthInt() == 0 || typ.ElementType() == cty.String)
	if !set && !typ.IsMapType() && !typ.IsObjectType() {
		s.diags = append(s.diags, hclread.ErrorAt(expr.Range(), "for_each is neither a map nor a set of texts: write "+
			"toset(...)"))
		return nil
	}
	if value.LengthInt() > mostInstances {
		s.diags = append(s.diags, hclread.ErrorAt(expr.Range(), "for_each has more than %d elements", mostInstances))
		return nil
	}
	for it := value.ElementIterator(); it.Next(); {
		key, element := it.Element()
		if key.IsNull() || element.IsNull() && set {
			s.diags = append(s.diags, hclread.ErrorAt(expr.Range(), "for_each has an element that is null"))
			return nil
		}
		if set {
			key = element
		}
		all = append(all, instance{block: b, key: key, value: element})
	}
	return all
}

// repetition works out an argument that says how often a block is repeated, which is neither null nor secret.
func (s *scope) repetition(expr hcl.Expression, name string) (cty.Value, bool) {
	value, ok := s.eval(expr)
	switch {
	case !ok:
		return value, false
	case value.ContainsMarked():
		s.diags = append(s.diags, hclread.ErrorAt(expr.Range(),
			"%s is sensitive: it names what is made, which is no secret", name))
	case value.IsNull() || !value.IsKnown():
		s.diags = append(s.diags, hclread.ErrorAt(expr.Range(), "%s is null", name))
	default:
		return value, true
	}
	return value, false
}
