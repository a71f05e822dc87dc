package sns

import (
	"maps"
	"slices"
)

// Bounds of a filter policy. Source: "Filter policy constraints" in the guide, and answers that were recorded from AWS.
const (
	maxFilterKeys   = 5   // at the top
	maxCombinations = 150 // see measure
)

// checkFilterPolicy refuses a filter policy that is none, or one beyond the bounds, in the order in which AWS does.
func checkFilterPolicy(text, scope string) error {
	object, err := decodeObject(text)
	if err != nil {
		return refusedPolicy("failed to parse JSON. A filter policy is an object")
	}
	if len(object) > maxFilterKeys {
		return refusedPolicy("Filter policy can not have more than %d keys", maxFilterKeys)
	}
	combinations, deepest, err := measure(object, 1)
	switch {
	case err != nil:
		return err
	case deepest > 1 && scope != onBody:
		return errNested
	case combinations > maxCombinations:
		return refusedPolicy("Filter policy is too complex")
	}
	_, err = newPolicy(object)
	return err
}

// measure says how many combinations of values the conditions at that depth have, and how deep they go. Numbers of
// values are multiplied, each times its depth; those of alternatives are added up.
func measure(object map[string]any, depth int) (combinations, deepest int, err error) {
	combinations, deepest = 1, depth
	for _, name := range slices.Sorted(maps.Keys(object)) {
		n, deep := 0, depth
		switch value := object[name].(type) {
		case map[string]any:
			n, deep, err = measure(value, depth+1)
		case []any:
			if n = len(value) * depth; name == "$or" {
				n, deep, err = measureAlternatives(value, depth)
			}
		default:
			err = notContainer(name)
		}
		if err != nil {
			return 0, 0, err
		}
		combinations, deepest = min(combinations*n, maxCombinations+1), max(deepest, deep)
	}
	return combinations, deepest, nil
}

func measureAlternatives(list []any, depth int) (combinations, deepest int, err error) {
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return 0, 0, badAlternatives()
		}
		n, deep, err := measure(object, depth)
		if err != nil {
			return 0, 0, err
		}
		combinations, deepest = min(combinations+n, maxCombinations+1), max(deepest, deep)
	}
	return combinations, deepest, nil
}
