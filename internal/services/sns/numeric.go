package sns

import (
	"encoding/json"
	"slices"
)

// numeric accepts numbers in a range: [">", 0, "<=", 5]. What is wrong is said as AWS says it.
func numeric(operand any) (test, error) {
	list, ok := operand.([]any)
	if !ok {
		return nil, refusedPolicy("Value of numeric must be an array.")
	}
	operator, ok := member(list, 0).(string)
	if !ok || len(list) == 0 {
		return nil, refusedPolicy("Invalid member in numeric match: %v", member(list, 0))
	}
	first, bottom, err := comparison(operator, member(list, 1))
	switch {
	case err != nil:
		return nil, err
	case len(list) == 2:
		return onNumbers(first), nil
	case operator != ">" && operator != ">=":
		return nil, refusedPolicy("Too many elements in numeric expression")
	}
	if operator, ok = member(list, 2).(string); !ok {
		return nil, refusedPolicy("Bad value in numeric range: %v", member(list, 2))
	}
	if operator != "<" && operator != "<=" {
		return nil, refusedPolicy("Bad numeric range operator: %s", operator)
	}
	second, top, err := comparison(operator, member(list, 3))
	switch {
	case err != nil:
		return nil, err
	case len(list) > 4:
		return nil, refusedPolicy("Too many terms in numeric range expression")
	case bottom >= top:
		return nil, refusedPolicy("Bottom must be less than top")
	}
	return onNumbers(first, second), nil
}

// member is a list's, or what ends the list.
func member(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return json.Delim(']')
}

// comparison is one operator with its number.
func comparison(operator string, value any) (t func(float64) bool, limit float64, err error) {
	switch operator {
	case "=":
		t = func(f float64) bool { return f == limit }
	case "<":
		t = func(f float64) bool { return f < limit }
	case "<=":
		t = func(f float64) bool { return f <= limit }
	case ">":
		t = func(f float64) bool { return f > limit }
	case ">=":
		t = func(f float64) bool { return f >= limit }
	default:
		return nil, 0, refusedPolicy("Unrecognized numeric range operator: %s", operator)
	}
	number, ok := value.(json.Number)
	if limit, err = number.Float64(); !ok || err != nil {
		if operator == "=" {
			operator = "equals"
		}
		return nil, 0, refusedPolicy("Value of %s must be numeric", operator)
	}
	return t, limit, nil
}

// onNumbers accepts the numbers that every one of the tests accepts.
func onNumbers(tests ...func(float64) bool) test {
	return func(v any) bool {
		number, ok := v.(json.Number)
		f, err := number.Float64()
		return ok && err == nil && !slices.ContainsFunc(tests, func(t func(float64) bool) bool { return !t(f) })
	}
}
