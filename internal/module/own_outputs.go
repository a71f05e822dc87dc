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

	"larder/internal/hclread"
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
func (s *scope) checkOutputs(call *Call) (notices []string, diags hcl.Diagnostics) {
	before := len(s.diags)
	s.offerShapes(call)
	for _, b := range s.cfg.outputs {
		var block outputBlock
		if diags = append(diags, gohcl.DecodeBody(b.Body, nil, &block)...); diags.HasErrors() {
			continue
		}
		if _, ok := b.Body.Attributes["value"]; !ok {
			diags = append(diags, hclread.ErrorAt(b.TypeRange, "output %q has no value: write value = ...", b.Labels[0]))
			continue
		}
		for _, inner := range b.Body.Blocks {
			notices = append(notices, fmt.Sprintf("output %q: its %s is not checked", b.Labels[0], inner.Type))
		}
		if left := s.needsLeft(block.Value, map[string]bool{}); left != "" {
			notices = append(notices,
				fmt.Sprintf("output %q is not evaluated: it refers to %s, which is left to Terraform", b.Labels[0],
					left))
			continue
		}
		for _, t := range block.Value.Variables() {
			if _, offered := s.offered[referred(t)]; !offered || t.RootName() != "module" {
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

// otherCall is the label of a call of the redis module that an expression refers to and that has no outputs yet, ""
// when it refers to none.
func (s *scope) otherCall(expr hcl.Expression) string {
	for _, t := range expr.Variables() {
		label := referred(t)
		called := slices.ContainsFunc(s.cfg.calls, func(b *hclsyntax.Block) bool { return b.Labels[0] == label })
		if _, offered := s.offered[label]; t.RootName() == "module" && called && !offered {
			return label
		}
	}
	return ""
}

// checkOffered says when a reference names an output that the call does not have.
func (s *scope) checkOffered(t hcl.Traversal) {
	label := referred(t)
	offered := s.offered[label]
	at := 2 // where the output's name stands: module.redis.NAME, or module.redis["eu"].NAME
	if offered.repeated {
		at = 3
	}
	if len(t) <= at {
		return
	}
	if step, ok := t[at].(hcl.TraverseAttr); ok && offered.outputs[step.Name] == cty.NilVal {
		s.errorf(t, "module.%s has no output %q%s", label, step.Name, suggest(step.Name, sortedKeys(offered.outputs)))
	}
}

// offer is what a call of the redis module has for references to it.
type offer struct {
	outputs  map[string]cty.Value // of one instance
	repeated bool                 // the block has count or for_each
	value    cty.Value            // module.<label>
}

// Applied is a call with its outputs.
type Applied struct {
	Call    *Call
	Outputs []Output
}

// offerShapes makes every call known by the names of its outputs, which are those of any.
func (s *scope) offerShapes(call *Call) {
	outputs := call.Outputs(Observed{}, Access{})
	if err := s.offer(func(string) ([]Output, bool) { return outputs, true }); err != nil {
		panic("module: outputs: " + err.Error()) // they are texts, numbers and lists of them
	}
}

// offer makes the outputs of calls available as module.<label>, where each instance of a block has some.
func (s *scope) offer(of func(address string) ([]Output, bool)) error {
	s.offered = map[string]offer{}
	for _, b := range s.cfg.calls {
		instances := s.repeated(b)
		var each []map[string]cty.Value
		for _, i := range instances {
			outputs, has := of(i.address())
			if !has {
				break
			}
			known, err := values(outputs)
			if err != nil {
				return err
			}
			each = append(each, known)
		}
		if len(each) == len(instances) {
			s.offered[b.Labels[0]] = combined(b, instances, each)
		}
	}
	return nil
}

// combined is what a block offers that stands for these instances: an object, or a list or an object of them.
func combined(b *hclsyntax.Block, instances []instance, outputs []map[string]cty.Value) offer {
	var list []cty.Value
	elements := map[string]cty.Value{}
	o := offer{outputs: map[string]cty.Value{}}
	for n, i := range instances {
		o.outputs = outputs[n]
		list = append(list, cty.ObjectVal(o.outputs))
		if i.value != cty.NilVal {
			elements[i.key.AsString()] = list[n]
		}
	}
	_, counted := b.Body.Attributes["count"]
	_, keyed := b.Body.Attributes["for_each"]
	switch o.repeated = counted || keyed; {
	case counted:
		o.value = cty.TupleVal(list)
	case keyed:
		o.value = cty.ObjectVal(elements)
	case len(list) > 0:
		o.value = list[0]
	default: // why it stands for none is said elsewhere
		o.value = cty.DynamicVal
	}
	return o
}

// values are outputs as an expression sees them.
func values(outputs []Output) (map[string]cty.Value, error) {
	all := map[string]cty.Value{}
	for _, o := range outputs {
		raw, err := json.Marshal(o.Value)
		if err != nil {
			return nil, err
		}
		typ, err := ctyjson.ImpliedType(raw)
		if err != nil {
			return nil, err
		}
		value, err := ctyjson.Unmarshal(raw, typ)
		if err != nil {
			return nil, err
		}
		if o.Sensitive {
			value = value.Mark(hclread.Sensitive{})
		}
		all[o.Name] = value
	}
	return all, nil
}

// OwnOutputs evaluates the configuration's output blocks, for which the calls have these outputs. One that refers to
// another call is left out, with a warning.
func OwnOutputs(src Source, found StandIns, calls []Applied) ([]Output, Diagnostics) {
	diags := slices.Clone(src.Config.complaints)
	s := newScope(src.Config, found)
	s.readCompanions(src)
	err := s.offer(func(address string) ([]Output, bool) {
		i := slices.IndexFunc(calls, func(a Applied) bool { return a.Call.Name == address })
		if i < 0 {
			return nil, false
		}
		return calls[i].Outputs, true
	})
	if err != nil {
		diags = append(diags, hclread.ErrorAt(hcl.Range{}, "reading the outputs: %v", err))
	}
	var own []Output
	for _, b := range src.Config.outputs {
		var block outputBlock
		more := gohcl.DecodeBody(b.Body, nil, &block)
		if other := s.otherCall(block.Value); other != "" && !more.HasErrors() {
			diags = append(diags, hclread.WarningAt(b.TypeRange,
				"output %q is not evaluated: it refers to module.%s, which was not brought up", b.Labels[0], other))
			continue
		}
		if more.HasErrors() || s.needsLeft(block.Value, map[string]bool{}) != "" {
			diags = append(diags, more...)
			continue
		}
		if value, ok := s.eval(block.Value); ok {
			o, err := ownOutput(b.Labels[0], block, value)
			if err != nil {
				diags = append(diags, hclread.ErrorAt(b.TypeRange, "output %q: %v", b.Labels[0], err))
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
