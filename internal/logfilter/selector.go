package logfilter

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// selector is a path into a JSON document: "$.a.b[0].['c.d']".
type selector []step

// step selects a member, an element, or all of them.
type step struct {
	key   string
	index int // of an element; -1 for a member
	every bool
	array bool // every means elements
}

func parseSelector(text string) (selector, error) {
	p := &parser{rest: text}
	s, err := p.selector()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("the selector %s goes on with %s", clip(text), clip(p.rest))
	}
	return s, err
}

// selector parses a selector.
func (p *parser) selector() (s selector, err error) {
	if !p.accept("$") {
		return nil, fmt.Errorf("want a selector, which begins with $., where there is %s", clip(p.rest))
	}
	for {
		var next step
		switch {
		case strings.HasPrefix(p.rest, ".["), strings.HasPrefix(p.rest, "["):
			p.rest = strings.TrimPrefix(p.rest, ".")
			next, err = p.bracket()
		case strings.HasPrefix(p.rest, ".*"):
			p.rest = p.rest[2:]
			next = step{every: true}
		case strings.HasPrefix(p.rest, "."):
			p.rest = p.rest[1:]
			next = step{key: p.until(" \t\r\n.[]=!<>(){}&|\"*"), index: -1}
			if next.key == "" {
				err = fmt.Errorf("a selector has no name behind its point, before %s", clip(p.rest))
			}
		default:
			if len(s) == 0 {
				err = fmt.Errorf("want a point behind $, where there is %s", clip(p.rest))
			}
			return s, err
		}
		if err == nil && next.every && s.wildcard() {
			err = fmt.Errorf("a selector can have one wildcard")
		}
		if err != nil {
			return nil, err
		}
		s = append(s, next)
	}
}

// bracket parses a name or an index in brackets.
func (p *parser) bracket() (step, error) {
	if after, ok := strings.CutPrefix(p.rest, "['"); ok {
		key, rest, ok := strings.Cut(after, "']")
		if !ok || key == "" {
			return step{}, fmt.Errorf("the name in %s has no end", clip(p.rest))
		}
		p.rest = rest
		return step{key: key, index: -1}, nil
	}
	inner, rest, ok := strings.Cut(p.rest[1:], "]")
	if !ok {
		return step{}, fmt.Errorf("the index in %s has no end", clip(p.rest))
	}
	p.rest = rest
	if inner == "*" {
		return step{every: true, array: true}, nil
	}
	n, err := strconv.ParseUint(inner, 10, 31)
	if err != nil {
		return step{}, fmt.Errorf("%s is no index of a list", clip(inner))
	}
	return step{index: int(n), array: true}, nil
}

func (s selector) wildcard() bool {
	return slices.ContainsFunc(s, func(t step) bool { return t.every })
}

// key returns the last name of the path. Every document that has the value contains it.
func (s selector) key() string {
	for _, t := range slices.Backward(s) {
		if t.key != "" {
			return t.key
		}
	}
	return ""
}

// find returns the values that the selector selects.
func (s selector) find(root any) []any {
	at := []any{root}
	for _, t := range s {
		var next []any
		for _, v := range at {
			next = append(next, t.from(v)...)
		}
		at = next
	}
	return at
}

func (t step) from(value any) []any {
	switch v := value.(type) {
	case map[string]any:
		if t.every && !t.array {
			return slices.Collect(maps.Values(v))
		}
		if member, ok := v[t.key]; ok && !t.array {
			return []any{member}
		}
	case []any:
		if t.every && t.array {
			return v
		}
		if t.array && t.index < len(v) {
			return []any{v[t.index]}
		}
	}
	return nil
}
