package module

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// evaluated is a value of the caller's own outputs, with Terraform's notation of its type.
type evaluated struct{ typ, value json.RawMessage }

// MarshalJSON writes the value.
func (e evaluated) MarshalJSON() ([]byte, error) { return e.value, nil }

// outputBlock are the arguments of an output block that are looked at.
type outputBlock struct {
	Value       hcl.Expression `hcl:"value"`
	Description string         `hcl:"description,optional"`
	Sensitive   bool           `hcl:"sensitive,optional"`
	Rest        hcl.Body       `hcl:",remain"` // see checkOutputs
}

// checkOutputs checks the references of the configuration's output blocks before anything is made, and says which
// blocks are not evaluated in full.
func (s *scope) checkOutputs(call string) (notices []string, diags hcl.Diagnostics) {
	before := len(s.diags)
	for _, b := range s.cfg.outputs {
		var block outputBlock
		if diags = append(diags, gohcl.DecodeBody(b.Body, nil, &block)...); diags.HasErrors() {
			continue
		}
		if _, ok := b.Body.Attributes["value"]; !ok {
			diags = append(diags, errorAt(b.TypeRange, "output %q has no value: write value = ...", b.Labels[0]))
			continue
		}
		for _, inner := range b.Body.Blocks {
			notices = append(notices, fmt.Sprintf("output %q: its %s is not checked", b.Labels[0], inner.Type))
		}
		if other := s.otherCall(block.Value, call); other != "" {
			notices = append(notices,
				fmt.Sprintf("output %q is not evaluated: it refers to module.%s, which is brought up by itself",
					b.Labels[0], other))
			continue
		}
		if left := s.needsLeft(block.Value, map[string]bool{}); left != "" {
			notices = append(notices,
				fmt.Sprintf("output %q is not evaluated: it refers to %s, which is left to Terraform", b.Labels[0],
					left))
			continue
		}
		for _, t := range block.Value.Variables() {
			if s.offered[referred(t)] == nil || t.RootName() != "module" {
				s.resolve(t)
			} else {
				s.checkOffered(t)
			}
		}
	}
	diags = append(diags, s.diags[before:]...)
	s.diags = s.diags[:before]
	return notices, diags
}

// referred is the name that follows the root of a reference: x of module.x.y.
func referred(t hcl.Traversal) string {
	if len(t) > 1 {
		if step, ok := t[1].(hcl.TraverseAttr); ok {
			return step.Name
		}
	}
	return ""
}

// otherCall is the label of another call of the redis module that an expression refers to, "" when it refers to none.
func (s *scope) otherCall(expr hcl.Expression, call string) string {
	for _, t := range expr.Variables() {
		label := referred(t)
		other := slices.ContainsFunc(s.cfg.calls, func(b *hclsyntax.Block) bool { return b.Labels[0] == label })
		if t.RootName() == "module" && label != call && other {
			return label
		}
	}
	return ""
}

// checkOffered says when a reference names an output that the call does not have.
func (s *scope) checkOffered(t hcl.Traversal) {
	label := referred(t)
	if len(t) < 3 {
		return
	}
	if step, ok := t[2].(hcl.TraverseAttr); ok && s.offered[label][step.Name] == cty.NilVal {
		s.errorf(t, "module.%s has no output %q%s", label, step.Name, suggest(step.Name, sortedKeys(s.offered[label])))
	}
}

// offer makes the call's outputs available as module.<label>.
func (s *scope) offer(label string, outputs []Output) error {
	all := map[string]cty.Value{}
	for _, o := range outputs {
		raw, err := json.Marshal(o.Value)
		if err != nil {
			return err
		}
		typ, err := ctyjson.ImpliedType(raw)
		if err != nil {
			return err
		}
		value, err := ctyjson.Unmarshal(raw, typ)
		if err != nil {
			return err
		}
		if o.Sensitive {
			value = value.Mark(sensitive{})
		}
		all[o.Name] = value
	}
	s.offered = map[string]map[string]cty.Value{label: all}
	return nil
}

// OwnOutputs evaluates the configuration's output blocks, for which the call has these outputs.
func OwnOutputs(src Source, vars Vars, found StandIns, call *Call, outputs []Output) ([]Output, Diagnostics) {
	cfg, values, diags := readConfig(src.Path, vars)
	if cfg == nil {
		return nil, fromHCL(diags, "")
	}
	s := newScope(cfg, values, found)
	s.readAround(src)
	if err := s.offer(call.Name, outputs); err != nil {
		diags = append(diags, errorAt(hcl.Range{}, "reading the outputs: %v", err))
	}
	var own []Output
	for _, b := range cfg.outputs {
		var block outputBlock
		more := gohcl.DecodeBody(b.Body, nil, &block)
		if more.HasErrors() || s.otherCall(block.Value, call.Name) != "" ||
			s.needsLeft(block.Value, map[string]bool{}) != "" {
			diags = append(diags, more...)
			continue
		}
		if value, ok := s.eval(block.Value); ok {
			o, err := ownOutput(b.Labels[0], block, value)
			if err != nil {
				diags = append(diags, errorAt(b.TypeRange, "output %q: %v", b.Labels[0], err))
				continue
			}
			own = append(own, o)
		}
	}
	return own, fromHCL(append(diags, s.diags...), "").sorted()
}

func ownOutput(name string, block outputBlock, value cty.Value) (Output, error) {
	o := Output{Name: name, Description: block.Description, Sensitive: block.Sensitive || value.ContainsMarked()}
	value, _ = value.UnmarkDeep()
	raw, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		return o, err
	}
	typ, err := ctyjson.MarshalType(value.Type())
	o.Value = evaluated{typ, raw}
	return o, err
}
