package logfilter

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// operators lists longer operators before their prefixes.
var operators = []string{"!=", "<=", ">=", "=", "<", ">"}

// condition compares a value with one in the pattern.
type condition struct {
	operator string
	text     string         // the value to compare with
	number   float64        // text as a number
	isNumber bool           // text is a number without quotes
	parts    []string       // text, split at its asterisks; one part means no asterisk
	match    *regexp.Regexp // if set, used instead of text
}

// condition parses an operator and a value. ends are the characters that end an unquoted value.
func (p *parser) condition(ends string) (c condition, err error) {
	for _, operator := range operators {
		if p.accept(operator) {
			c.operator = operator
			break
		}
	}
	if c.operator == "" {
		return c, fmt.Errorf("there is no operator before %s; use one of %s", clip(p.rest),
			strings.Join(operators, " "))
	}
	p.space()
	equality := c.operator == "=" || c.operator == "!="
	switch {
	case strings.HasPrefix(p.rest, "%") && equality:
		c.match, err = p.expression()
		return c, err
	case strings.HasPrefix(p.rest, `"`):
		if !equality {
			return c, errors.New("texts are compared with = and != only")
		}
		c.text, err = p.quoted()
	default:
		c.text = strings.TrimSpace(p.until(ends))
		c.number, c.isNumber = number(c.text)
		if c.text == "" || strings.HasPrefix(c.text, "=") {
			return c, fmt.Errorf("there is no value behind %s", c.operator)
		}
		if !c.isNumber && !equality {
			return c, fmt.Errorf("%s compares numbers; %s is none", c.operator, clip(c.text))
		}
	}
	c.parts = strings.Split(c.text, "*")
	return c, err
}

// holds reports whether a value meets the condition. isNumber reports whether the value is, or can be read as, a
// number.
func (c condition) holds(text string, number float64, isNumber bool) bool {
	switch c.operator {
	case "=":
		return c.equals(text, number, isNumber)
	case "!=":
		return !c.equals(text, number, isNumber)
	}
	if !isNumber {
		return false
	}
	switch c.operator {
	case "<":
		return number < c.number
	case "<=":
		return number <= c.number
	case ">":
		return number > c.number
	}
	return number >= c.number
}

func (c condition) equals(text string, number float64, isNumber bool) bool {
	switch {
	case c.match != nil:
		return c.match.MatchString(text)
	case c.isNumber && isNumber:
		return number == c.number
	case len(c.parts) == 1:
		return text == c.text
	}
	return like(text, c.parts)
}

// like reports whether text consists of the parts in their order, with anything between them. The first part is a
// prefix of text, the last a suffix.
func like(text string, parts []string) bool {
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, ok := strings.Cut(text, part)
		if !ok {
			return false
		}
		text = after
	}
	return strings.HasSuffix(text, parts[last])
}

// number parses a decimal number.
func number(text string) (n float64, ok bool) {
	if strings.Trim(text, "+-.0123456789eE") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}
