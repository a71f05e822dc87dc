package sns

import (
	"maps"
	"slices"
	"strings"
)

// accepts tells whether an object has what the policy asks for. A policy with conditions accepts no empty object, not
// even {"exists": false}. Source: "Key matching" in the guide.
func (p *policy) accepts(object map[string]any) bool {
	if len(p.within) == 0 && len(p.either) == 0 {
		return true
	}
	if len(object) == 0 {
		return false
	}
	values := []any{undotted(object)}
	missing := map[*policy]bool{}
	p.mark(values, missing)
	return p.holds(values, missing)
}

// mark finds the names that are missing: those that are in none of the objects of the arrays around them.
func (p *policy) mark(values []any, missing map[*policy]bool) {
	for name, within := range p.within {
		found := named(name, values...)
		missing[within] = len(found) == 0
		within.mark(found, missing)
	}
	for _, alternative := range p.either {
		alternative.mark(values, missing)
	}
}

// holds tells whether values meet the policy: one of them passes one of its tests, and one of them has all that is
// asked for within it.
func (p *policy) holds(values []any, missing map[*policy]bool) bool {
	if len(p.tests) > 0 && !(p.absentOK && missing[p]) && !slices.ContainsFunc(values, p.passes) {
		return false
	}
	if len(p.within) == 0 && len(p.either) == 0 {
		return true
	}
	if len(values) == 0 { // what is within is missing, which may be asked for
		return p.holdsWithin(nil, missing)
	}
	return slices.ContainsFunc(values, func(v any) bool {
		object, _ := v.(map[string]any)
		return p.holdsWithin(object, missing)
	})
}

// passes tells whether one of the tests holds for a value. None does for an object.
func (p *policy) passes(value any) bool {
	_, isObject := value.(map[string]any)
	return !isObject && slices.ContainsFunc(p.tests, func(t test) bool { return t(value) })
}

// holdsWithin tells whether one object has all that is asked for within it: conditions on the objects of an array are
// met by one of them together, and not each by another one.
func (p *policy) holdsWithin(object map[string]any, missing map[*policy]bool) bool {
	for name, within := range p.within {
		if !within.holds(named(name, object), missing) {
			return false
		}
	}
	return len(p.either) == 0 || slices.ContainsFunc(p.either, func(of *policy) bool {
		return of.holdsWithin(object, missing)
	})
}

// named are the values of a name in objects; what is no object has none.
func named[T any](name string, objects ...T) (out []any) {
	for _, o := range objects {
		object, _ := any(o).(map[string]any)
		if value, there := object[name]; there {
			out = elements(value, out)
		}
	}
	return out
}

// elements appends a value, or what is in an array and the arrays within it.
func elements(value any, out []any) []any {
	list, isList := value.([]any)
	if !isList {
		return append(out, value)
	}
	for _, item := range list {
		out = elements(item, out)
	}
	return out
}

// undotted is a value with the dotted names of its objects split, as a policy's are.
func undotted(value any) any {
	switch value := value.(type) {
	case []any:
		out := make([]any, len(value))
		for i, item := range value {
			out[i] = undotted(item)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			parts := strings.Split(name, ".")
			item := undotted(value[name])
			for _, part := range slices.Backward(parts[1:]) {
				item = map[string]any{part: item}
			}
			merge(out, parts[0], item)
		}
		return out
	}
	return value
}

// merge puts a value into an object beside the one of that name: objects become one, other values a list.
func merge(into map[string]any, name string, value any) {
	there, has := into[name]
	to, isTo := there.(map[string]any)
	from, isFrom := value.(map[string]any)
	switch {
	case !has:
		into[name] = value
	case isTo && isFrom:
		for part, item := range from {
			merge(to, part, item)
		}
	default:
		into[name] = elements(value, elements(there, nil))
	}
}
