package sns

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
)

// test tells whether a value is one that a policy names.
type test func(value any) bool

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

// negated are the operators that anything-but takes.
func negated() []string { return []string{"prefix", "suffix", "equals-ignore-case", "wildcard"} }

// anythingBut accepts what none of its values or its operator accepts.
func anythingBut(operand any) (test, error) {
	values, ok := operand.([]any)
	if !ok {
		values = []any{operand}
	}
	if object, is := operand.(map[string]any); is {
		for operator := range object {
			if !slices.Contains(negated(), operator) {
				return nil, refusedPolicy("Unsupported anything-but pattern: %s", operator)
			}
		}
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
