package metricmath

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// node is a parsed expression.
type node interface{}

type (
	number float64
	// reference is another query's result.
	reference string
	// word is a name in capitals that is not a call, such as LINEAR.
	word string
	text string
	list []node
	// call is a call of a function, or of an operator by its sign.
	call struct {
		name string
		args []node
	}
)

// operators are ordered by precedence: a later one binds tighter.
var operators = [][]string{{"OR", "||"}, {"AND", "&&"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/"},
	{"^"}}

// sameAs maps an operator to its other spelling.
var sameAs = map[string]string{"OR": "||", "AND": "&&"}

// maxDepth limits how deeply an expression nests.
const maxDepth = 100

var errParentheses = errors.New("the parentheses do not match")

type parser struct {
	tokens []string
	depth  int
}

// parse parses an expression.
func parse(expression string) (node, error) {
	tokens, err := split(expression)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	n, err := p.binary(0)
	if err == nil && len(p.tokens) > 0 && p.tokens[0] == ")" {
		err = errParentheses
	}
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("there is %q where the expression should end", p.tokens[0])
	}
	return n, err
}

// token is a number, a name, a text or a sign.
var token = regexp.MustCompile(`^(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[A-Za-z]\w*|` +
	`"[^"]*"|'[^']*'|[=!<>]=|&&|\|\||[-+*/^()\[\],<>])`)

// split splits an expression into tokens.
func split(s string) (tokens []string, err error) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		next := token.FindString(s)
		if next == "" {
			return nil, fmt.Errorf("%q is not understood", s)
		}
		tokens, s = append(tokens, next), s[len(next):]
	}
	return tokens, nil
}

// next consumes token if it comes next.
func (p *parser) next(token string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != token {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) binary(level int) (node, error) {
	if level == len(operators) {
		return p.unary()
	}
	left, err := p.binary(level + 1)
	for err == nil {
		sign := p.operator(level)
		if sign == "" {
			return left, nil
		}
		var right node
		if sign == "^" { // the only operator that groups to the right
			right, err = p.binary(level)
		} else {
			right, err = p.binary(level + 1)
		}
		left = call{sign, []node{left, right}}
	}
	return nil, err
}

func (p *parser) operator(level int) string {
	for _, sign := range operators[level] {
		if p.next(sign) {
			if other, ok := sameAs[sign]; ok {
				return other
			}
			return sign
		}
	}
	return ""
}

func (p *parser) unary() (node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("it nests more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.next("-") {
		n, err := p.unary()
		return call{"-", []node{number(0), n}}, err
	}
	if p.next("(") {
		n, err := p.binary(0)
		if err == nil && !p.next(")") {
			err = errParentheses
		}
		return n, err
	}
	if p.next("[") {
		return p.items("]")
	}
	if len(p.tokens) == 0 {
		return nil, errors.New("it ends where a value should stand")
	}
	next := p.tokens[0]
	p.tokens = p.tokens[1:]
	return p.operand(next)
}

func (p *parser) operand(next string) (node, error) {
	switch first := rune(next[0]); {
	case unicode.IsDigit(first) || first == '.':
		v, err := strconv.ParseFloat(next, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", next)
		}
		return number(v), nil
	case first == '"' || first == '\'':
		return text(next[1 : len(next)-1]), nil
	case unicode.IsLower(first):
		return reference(next), nil
	case unicode.IsUpper(first) && p.next("("):
		args, err := p.items(")")
		return call{next, args}, err
	case unicode.IsUpper(first):
		return word(next), nil
	}
	return nil, fmt.Errorf("there is %q where a value should stand", next)
}

// items parses a list up to its closing sign.
func (p *parser) items(closing string) (list, error) {
	var items list
	for !p.next(closing) {
		if len(items) > 0 && !p.next(",") {
			if closing == ")" {
				return nil, errParentheses
			}
			return nil, errors.New("the brackets do not match")
		}
		n, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		items = append(items, n)
	}
	return items, nil
}
