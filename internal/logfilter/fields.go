package logfilter

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// line is a pattern for messages that are fields separated by blanks. A field in quotes or brackets may contain blanks.
type line struct {
	before, after []field // the ellipsis
	ellipsis      bool
	empty         bool // "[]" matches any line
}

// field is one of a line's fields. Its conditions hold if all conditions of one of the lists hold.
type field struct {
	name string
	any  [][]condition
}

var validField = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func parseFields(p *parser) (*Pattern, error) {
	p.accept("[")
	var l line
	if p.accept("]") {
		l.empty, l.ellipsis = true, true
		return &Pattern{matcher: l}, p.end()
	}
	for {
		if p.accept("...") {
			if l.ellipsis {
				return nil, errors.New("a pattern can have one ellipsis")
			}
			l.ellipsis = true
		} else {
			f, err := p.field()
			if err != nil {
				return nil, err
			}
			if f.name != "" && slices.ContainsFunc(slices.Concat(l.before, l.after),
				func(o field) bool { return o.name == f.name }) {
				return nil, fmt.Errorf("the field %s is there twice", clip(f.name))
			}
			if l.ellipsis {
				l.after = append(l.after, f)
			} else {
				l.before = append(l.before, f)
			}
		}
		if p.accept("]") {
			return &Pattern{matcher: l}, p.end()
		}
		if !p.accept(",") {
			return nil, fmt.Errorf("want , or ] where there is %s", clip(p.rest))
		}
	}
}

func (p *parser) end() error {
	if p.space(); p.rest != "" {
		return fmt.Errorf("the pattern goes on after its end: %s", clip(p.rest))
	}
	return nil
}

// field parses a field: nothing, a name, or conditions that each begin with the name.
func (p *parser) field() (f field, err error) {
	p.space()
	if f.name = p.fieldName(); f.name == "" {
		return f, nil
	}
	if !validField.MatchString(f.name) {
		return f, fmt.Errorf("%s is no name of a field", clip(f.name))
	}
	if p.space(); strings.HasPrefix(p.rest, ",") || strings.HasPrefix(p.rest, "]") {
		return f, nil
	}
	f.any = [][]condition{nil}
	for {
		c, err := p.condition(" \t\r\n,]&|")
		if err != nil {
			return f, err
		}
		last := len(f.any) - 1
		f.any[last] = append(f.any[last], c)
		switch {
		case p.accept("||"):
			f.any = append(f.any, nil)
		case !p.accept("&&"):
			return f, nil
		}
		if p.space(); p.fieldName() != f.name {
			return f, fmt.Errorf("a condition on the field %s has to begin with its name", f.name)
		}
	}
}

func (p *parser) fieldName() string { return p.until(" \t\r\n,]=!<>&|\"%") }

// split splits a line into fields without their quotes or brackets. starts are the offsets where the fields begin.
func split(message string) (fields []string, starts []int) {
	for i := 0; ; {
		for i < len(message) && isBlank(message[i]) {
			i++
		}
		if i == len(message) {
			return fields, starts
		}
		starts = append(starts, i)
		if end := closing(message[i:]); end > 0 {
			fields = append(fields, message[i+1:i+end])
			i += end + 1
			continue
		}
		begin := i
		for i < len(message) && !isBlank(message[i]) {
			i++
		}
		fields = append(fields, message[begin:i])
	}
}

// closing returns the offset of the closing quote or bracket of a field; 0 if the field has none.
func closing(s string) int {
	switch s[0] {
	case '"':
		return max(strings.IndexByte(s[1:], '"')+1, 0)
	case '[':
		return max(strings.IndexByte(s[1:], ']')+1, 0)
	}
	return 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// assign matches the fields of the pattern with the fields of the line, in order. Fields in the place of an ellipsis
// have no name. Without an ellipsis the last field has the rest of the line. assign returns nil if the line has too few
// fields.
func (l line) assign(message string) (fields []field, texts []string) {
	texts, starts := split(message)
	named := len(l.before) + len(l.after)
	if len(texts) < named {
		return nil, nil
	}
	if !l.ellipsis && len(texts) > named {
		texts[named-1] = strings.TrimRight(message[starts[named-1]:], " \t\r\n")
		texts = texts[:named]
	}
	between := make([]field, len(texts)-named)
	return slices.Concat(l.before, between, l.after), texts
}

func (l line) match(message []byte) bool {
	fields, texts := l.assign(string(message))
	if fields == nil {
		return l.empty
	}
	for i, f := range fields {
		if !f.holds(texts[i]) {
			return false
		}
	}
	return true
}

func (f field) holds(text string) bool {
	n, ok := number(text)
	return f.any == nil || slices.ContainsFunc(f.any, func(all []condition) bool {
		return !slices.ContainsFunc(all, func(c condition) bool { return !c.holds(text, n, ok) })
	})
}

// values returns the fields by their names, or by their numbers from 1.
func (l line) values(message []byte) map[string]string {
	fields, texts := l.assign(string(message))
	out := map[string]string{}
	for i, f := range fields {
		name := f.name
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		out["$"+name] = texts[i]
	}
	return out
}

func (l line) value(message []byte, name string) (string, bool) {
	fields, texts := l.assign(string(message))
	for i, f := range fields {
		if name == "$"+f.name || name == "$"+strconv.Itoa(i+1) {
			return texts[i], true
		}
	}
	return "", false
}

func (l line) names(name string) bool {
	name, ok := strings.CutPrefix(name, "$")
	if _, err := strconv.ParseUint(name, 10, 16); err == nil && ok {
		return true
	}
	return ok && name != "" && slices.ContainsFunc(slices.Concat(l.before, l.after),
		func(f field) bool { return f.name == name })
}
