package iampolicy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one operator with one key: the key's value has to match one of the values, or none of them.
type condition struct {
	key      string // in lower case
	values   texts
	matches  func(want, got string) bool
	negated  bool // none of the values may match, and a missing key is as good
	ifExists bool // a missing key is as good
	every    bool // ForAllValues: a missing key is as good
	null     bool // asks whether the key is missing
}

// comparison is an operator's: how a value compares with the one that is wanted.
type comparison func(want, got string) bool

// operators are those of IAM, without Not and without their ends and beginnings.
func operators() map[string]comparison {
	return map[string]comparison{
		"StringEquals":             func(want, got string) bool { return want == got },
		"StringEqualsIgnoreCase":   strings.EqualFold,
		"StringLike":               like,
		"ArnEquals":                likeARN,
		"ArnLike":                  likeARN,
		"Bool":                     strings.EqualFold,
		"BinaryEquals":             func(want, got string) bool { return want == got },
		"IpAddress":                within,
		"NumericEquals":            numbers(func(order int) bool { return order == 0 }),
		"NumericLessThan":          numbers(func(order int) bool { return order < 0 }),
		"NumericLessThanEquals":    numbers(func(order int) bool { return order <= 0 }),
		"NumericGreaterThan":       numbers(func(order int) bool { return order > 0 }),
		"NumericGreaterThanEquals": numbers(func(order int) bool { return order >= 0 }),
		"DateEquals":               dates(func(order int) bool { return order == 0 }),
		"DateLessThan":             dates(func(order int) bool { return order < 0 }),
		"DateLessThanEquals":       dates(func(order int) bool { return order <= 0 }),
		"DateGreaterThan":          dates(func(order int) bool { return order > 0 }),
		"DateGreaterThanEquals":    dates(func(order int) bool { return order >= 0 }),
	}
}

// negations are the operators that hold where another does not.
func negations() map[string]string {
	return map[string]string{
		"StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
		"StringNotLike": "StringLike", "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
		"NotIpAddress": "IpAddress", "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals",
	}
}

// newCondition reads an operator, such as ForAnyValue:StringLikeIfExists.
func newCondition(operator, key string, values texts) (condition, error) {
	c := condition{key: strings.ToLower(key), values: values}
	name := operator
	name, c.every = strings.CutPrefix(name, "ForAllValues:")
	name = strings.TrimPrefix(name, "ForAnyValue:")
	if name == "Null" {
		c.null = true
		return c, nil
	}
	name, c.ifExists = strings.CutSuffix(name, "IfExists")
	if positive, is := negations()[name]; is {
		name, c.negated = positive, true
	}
	if c.matches = operators()[name]; c.matches == nil {
		return c, fmt.Errorf("%s is no condition operator", operator)
	}
	return c, nil
}

// holds tells whether the condition holds for the values of keys.
func (c condition) holds(values map[string]string) bool {
	got, there := values[c.key]
	switch {
	case c.null:
		return slices.Contains(c.values, strconv.FormatBool(!there))
	case !there:
		return c.negated || c.ifExists || c.every
	}
	return slices.ContainsFunc(c.values, func(want string) bool { return c.matches(want, got) }) != c.negated
}

// arnParts is how many parts an ARN has; the last may have colons.
const arnParts = 6

// likeARN compares part by part, so that a * spans no colon but those of the last part.
func likeARN(want, got string) bool {
	w, g := strings.SplitN(want, ":", arnParts), strings.SplitN(got, ":", arnParts)
	if len(w) != arnParts || len(g) != arnParts {
		return want == "*"
	}
	for i := range w {
		if !like(w[i], g[i]) {
			return false
		}
	}
	return true
}

func within(want, got string) bool {
	address, err := netip.ParseAddr(got)
	if err != nil {
		return false
	}
	if network, err := netip.ParsePrefix(want); err == nil {
		return network.Contains(address)
	}
	single, err := netip.ParseAddr(want)
	return err == nil && single == address
}

func numbers(holds func(order int) bool) comparison {
	return func(want, got string) bool {
		w, err := strconv.ParseFloat(want, 64)
		g, err2 := strconv.ParseFloat(got, 64)
		if err != nil || err2 != nil {
			return false
		}
		switch {
		case g < w:
			return holds(-1)
		case g > w:
			return holds(1)
		}
		return holds(0)
	}
}

func dates(holds func(order int) bool) comparison {
	return func(want, got string) bool {
		w, ok := date(want)
		g, ok2 := date(got)
		return ok && ok2 && holds(g.Compare(w))
	}
}

// date reads ISO 8601 or seconds since 1970.
func date(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
