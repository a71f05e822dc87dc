package sns

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// maxCombinations bounds a policy: the product of the numbers of values of its names.
const maxCombinations = 150

// wants tells whether a message is for a subscription.
func (sub subscription) wants(m message) (bool, error) {
	if sub.Pending {
		return false, nil
	}
	text := sub.Attributes[filterPolicy]
	if text == "" {
		return true, nil
	}
	policy, err := parsePolicy(text)
	if err != nil {
		return false, fmt.Errorf("cannot read the filter policy of the subscription %s: %w", sub.key(), err)
	}
	if sub.Attributes[filterPolicyScope] != "MessageBody" {
		return policy.accepts(attributeValues(m.Attributes)), nil
	}
	var body map[string]any
	in := json.NewDecoder(strings.NewReader(m.bodyFor(sub.Protocol)))
	in.UseNumber()
	if in.Decode(&body) != nil {
		return false, nil // what is no JSON object matches no policy
	}
	return policy.accepts(body), nil
}

// attributeValues are message attributes as the values that a policy looks at.
func attributeValues(of map[string]attribute) map[string]any {
	out := map[string]any{}
	for name, a := range of {
		switch kind, _, _ := strings.Cut(a.Type, "."); {
		case a.Type == "String.Array":
			var list []any
			in := json.NewDecoder(strings.NewReader(a.Value))
			in.UseNumber()
			if in.Decode(&list) == nil {
				out[name] = list
			}
		case kind == "Number":
			out[name] = json.Number(a.Value)
		case kind == "String":
			out[name] = a.Value
		}
	}
	return out
}

// policy is a filter policy: each name has to have one of its values, and one of the alternatives has to hold.
type policy struct {
	rules    map[string][]test
	within   map[string]policy // of objects in a body
	either   []policy
	absentOK map[string]bool // names that may be not there: {"exists": false}
}

// test tells whether a value is one that a policy names.
type test func(value any) bool

func parsePolicy(text string) (policy, error) {
	var object map[string]any
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&object); err != nil || object == nil {
		return policy{}, refusedPolicy("failed to parse JSON. A filter policy is an object")
	}
	p, err := newPolicy(object)
	if err == nil && p.combinations() > maxCombinations {
		err = refusedPolicy("Filter policy is too complex")
	}
	return p, err
}

// combinations is the product of the numbers of values of the policy's names.
func (p policy) combinations() int {
	n := 1
	for _, tests := range p.rules {
		n = min(n*len(tests), maxCombinations+1)
	}
	for _, within := range p.within {
		n = min(n*within.combinations(), maxCombinations+1)
	}
	return n
}

func newPolicy(object map[string]any) (p policy, err error) {
	p = policy{rules: map[string][]test{}, within: map[string]policy{}, absentOK: map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		switch value := object[name].(type) {
		case []any:
			if name == "$or" {
				p.either, err = alternatives(value)
			} else {
				err = p.rule(name, value)
			}
		case map[string]any:
			p.within[name], err = newPolicy(value)
		default:
			err = refusedPolicy("%q must be an object or an array", name)
		}
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

func alternatives(list []any) (out []policy, err error) {
	if len(list) < 2 {
		return nil, refusedPolicy("$or must have two or more objects")
	}
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, refusedPolicy("$or must have two or more objects")
		}
		p, err := newPolicy(object)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (p *policy) rule(name string, values []any) error {
	if len(values) == 0 {
		return refusedPolicy("%q must have a value", name)
	}
	for _, value := range values {
		if exists, ok := isExists(value); ok {
			if !exists {
				p.absentOK[name] = true
				p.rules[name] = append(p.rules[name], func(any) bool { return false })
				continue
			}
			p.rules[name] = append(p.rules[name], func(any) bool { return true })
			continue
		}
		t, err := newTest(value)
		if err != nil {
			return err
		}
		p.rules[name] = append(p.rules[name], t)
	}
	return nil
}

func isExists(value any) (exists, ok bool) {
	object, isObject := value.(map[string]any)
	exists, ok = object["exists"].(bool)
	return exists, ok && isObject && len(object) == 1
}

// newTest makes a test of a value, or of an object with one operator. What is wrong is said in AWS's words.
func newTest(value any) (test, error) {
	object, ok := value.(map[string]any)
	if !ok {
		if _, isList := value.([]any); isList {
			return nil, refusedPolicy("Match value must be String, number, true, false, or null")
		}
		return func(v any) bool { return same(v, value) }, nil
	}
	if len(object) != 1 {
		return nil, refusedPolicy("Only one key allowed in match expression")
	}
	for operator, operand := range object {
		return operate(operator, operand)
	}
	return nil, nil
}

func operate(operator string, operand any) (test, error) {
	text, isText := operand.(string)
	switch operator {
	case "prefix", "suffix", "equals-ignore-case", "wildcard", "cidr":
		if !isText || text == "" {
			return nil, refusedPolicy("%s match pattern must be a string", operator)
		}
	case "anything-but":
		return anythingBut(operand)
	case "numeric":
		return numeric(operand)
	case "exists":
		return nil, refusedPolicy("exists match pattern must be either true or false.")
	default:
		return nil, refusedPolicy("Unrecognized match type %s", operator)
	}
	onText := func(f func(string) bool) test {
		return func(v any) bool { s, ok := v.(string); return ok && f(s) }
	}
	switch operator {
	case "prefix":
		return onText(func(s string) bool { return strings.HasPrefix(s, text) }), nil
	case "suffix":
		return onText(func(s string) bool { return strings.HasSuffix(s, text) }), nil
	case "equals-ignore-case":
		return onText(func(s string) bool { return strings.EqualFold(s, text) }), nil
	case "wildcard":
		return onText(func(s string) bool { return like(s, strings.Split(text, "*")) }), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return nil, refusedPolicy("Malformed CIDR, one '/' required: %s", text)
	}
	return onText(func(s string) bool { ip, err := netip.ParseAddr(s); return err == nil && network.Contains(ip) }), nil
}

// anythingBut accepts what none of its values or its operator accepts.
func anythingBut(operand any) (test, error) {
	values, ok := operand.([]any)
	if !ok {
		values = []any{operand}
	}
	var tests []test
	for _, value := range values {
		t, err := newTest(value)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	if len(tests) == 0 {
		return nil, refusedPolicy("the operator anything-but has no operand")
	}
	return func(v any) bool { return !slices.ContainsFunc(tests, func(t test) bool { return t(v) }) }, nil
}

// same compares two values of JSON, numbers by what they are.
func same(a, b any) bool {
	m, isA := a.(json.Number)
	n, isB := b.(json.Number)
	if isA && isB {
		f, err := m.Float64()
		g, err2 := n.Float64()
		return err == nil && err2 == nil && f == g
	}
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(x, y)
}

// like tells whether a text has the parts in their order, with anything between them, the first at its beginning and
// the last at its end.
func like(text string, parts []string) bool {
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok || len(parts) == 1 {
		return ok && text == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[last])
}

// accepts tells whether values are what the policy asks for.
func (p policy) accepts(values map[string]any) bool {
	for name, tests := range p.rules {
		value, there := values[name]
		if !there {
			if !p.absentOK[name] {
				return false
			}
			continue
		}
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		if !slices.ContainsFunc(list, func(v any) bool {
			return slices.ContainsFunc(tests,
				func(t test) bool { return t(v) })
		}) {
			return false
		}
	}
	for name, within := range p.within {
		object, _ := values[name].(map[string]any)
		if !within.accepts(object) {
			return false
		}
	}
	return len(p.either) == 0 || slices.ContainsFunc(p.either, func(of policy) bool { return of.accepts(values) })
}
