package sns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// onBody is the scope of a filter policy that looks at the message's body.
const onBody = "MessageBody"

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
	if sub.Attributes[filterPolicyScope] != onBody {
		return policy.accepts(attributeValues(m.Attributes)), nil
	}
	body, err := decodeObject(m.bodyFor(sub.Protocol))
	if err != nil {
		return false, nil // what is no JSON object matches no policy
	}
	return policy.accepts(body), nil
}

// decodeObject reads a text that is one JSON object and nothing else.
func decodeObject(text string) (object map[string]any, err error) {
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	if err := in.Decode(&object); err != nil {
		return nil, err
	}
	if _, err := in.Token(); object == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("it is not one JSON object")
	}
	return object, nil
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

// policy is a filter policy, or the part of one for the values of one name. A dotted name is split: "a.b" is the name
// b within a. The zero policy accepts everything.
type policy struct {
	tests    []test // one of them has to hold for a value, if there are any
	absentOK bool   // the name may be missing altogether: {"exists": false}
	within   map[string]*policy
	either   []*policy // one of them has to hold
}

// parsePolicy reads a filter policy. Limits are checkFilterPolicy's.
func parsePolicy(text string) (*policy, error) {
	object, err := decodeObject(text)
	if err != nil {
		return nil, refusedPolicy("failed to parse JSON. A filter policy is an object")
	}
	return newPolicy(object)
}

func newPolicy(object map[string]any) (*policy, error) {
	p := &policy{}
	return p, p.add(object)
}

// add adds an object's conditions to those of the policy.
func (p *policy) add(object map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		var err error
		switch value := object[name].(type) {
		case []any:
			if name == "$or" {
				err = p.addAlternatives(value)
			} else {
				err = p.at(name).rule(name, value)
			}
		case map[string]any:
			err = p.at(name).add(value)
		default:
			err = notContainer(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// at is the part of the policy for a name, which may be dotted.
func (p *policy) at(name string) *policy {
	for part := range strings.SplitSeq(name, ".") {
		if p.within[part] == nil {
			if p.within == nil {
				p.within = map[string]*policy{}
			}
			p.within[part] = &policy{}
		}
		p = p.within[part]
	}
	return p
}

func notContainer(name string) error { return refusedPolicy("%q must be an object or an array", name) }

func badAlternatives() error { return refusedPolicy("$or must have two or more objects") }

// addAlternatives adds an $or. A second one of the same object is a mistake of JSON, of which the last one counts.
func (p *policy) addAlternatives(list []any) error {
	if len(list) < 2 {
		return badAlternatives()
	}
	p.either = nil
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return badAlternatives()
		}
		alternative, err := newPolicy(object)
		if err != nil {
			return err
		}
		p.either = append(p.either, alternative)
	}
	return nil
}

// rule adds the values of a name, one of which has to match.
func (p *policy) rule(name string, values []any) error {
	if len(values) == 0 {
		return refusedPolicy("Empty arrays are not allowed")
	}
	for _, value := range values {
		exists, ok := isExists(value)
		switch {
		case ok && exists:
			p.tests = append(p.tests, func(v any) bool { return v != nil && v != "" })
		case ok:
			p.absentOK = true
			p.tests = append(p.tests, func(any) bool { return false })
		default:
			t, err := newTest(value)
			if err != nil {
				return err
			}
			p.tests = append(p.tests, t)
		}
	}
	return nil
}

func isExists(value any) (exists, ok bool) {
	object, isObject := value.(map[string]any)
	exists, ok = object["exists"].(bool)
	return exists, ok && isObject && len(object) == 1
}
