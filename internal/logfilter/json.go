package logfilter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxWildcards is how many selectors of a pattern may have a wildcard. A selector may have one.
const maxWildcards = 3

// document is a pattern for messages that are JSON.
type document struct {
	node
	// texts are texts that every matching message without a backslash contains. With a backslash a text may be escaped.
	texts [][]byte
}

// node is a condition, or a list of nodes of which all or any must hold.
type node struct {
	all, any []node
	selector selector
	test     func(value any) bool // tests an existing value
	absent   bool                 // the value must not exist
	texts    []string             // see document.texts
}

func parseJSON(p *parser) (*Pattern, error) {
	p.accept("{")
	d := document{}
	var err error
	if d.node, err = p.either(); err != nil {
		return nil, err
	}
	if !p.accept("}") {
		return nil, fmt.Errorf("want } where there is %s", clip(p.rest))
	}
	if p.space(); p.rest != "" {
		return nil, fmt.Errorf("the pattern goes on after its }: %s", clip(p.rest))
	}
	if n := d.wildcards(); n > maxWildcards {
		return nil, fmt.Errorf("the pattern has %d selectors with a wildcard; it must have at most %d", n, maxWildcards)
	}
	for _, text := range d.required() {
		d.texts = append(d.texts, []byte(text))
	}
	return &Pattern{matcher: d}, nil
}

func (n node) wildcards() (count int) {
	for _, of := range slices.Concat(n.all, n.any) {
		count += of.wildcards()
	}
	if n.selector.wildcard() {
		count++
	}
	return count
}

// required returns the texts that a message contains if the node holds.
func (n node) required() []string {
	out := slices.Clone(n.texts)
	for _, of := range n.all {
		out = append(out, of.required()...)
	}
	return out
}

func (p *parser) either() (node, error) {
	return p.list("||", p.both, func(of []node) node { return node{any: of} })
}

func (p *parser) both() (node, error) {
	return p.list("&&", p.single, func(of []node) node { return node{all: of} })
}

// list parses nodes separated by an operator.
func (p *parser) list(operator string, next func() (node, error), join func([]node) node) (node, error) {
	first, err := next()
	if err != nil {
		return node{}, err
	}
	of := []node{first}
	for p.accept(operator) {
		n, err := next()
		if err != nil {
			return node{}, err
		}
		of = append(of, n)
	}
	if len(of) == 1 {
		return first, nil
	}
	return join(of), nil
}

func (p *parser) single() (n node, err error) {
	if p.accept("(") {
		if n, err = p.either(); err == nil && !p.accept(")") {
			err = fmt.Errorf("want ) where there is %s", clip(p.rest))
		}
		return n, err
	}
	if n.selector, err = p.selector(); err != nil {
		return n, err
	}
	switch {
	case p.word("IS"):
		n.test, err = p.is()
	case p.word("NOT"):
		if n.absent = p.word("EXISTS"); !n.absent {
			err = errors.New("want EXISTS behind NOT")
		}
	default:
		var c condition
		c, err = p.condition(" \t\r\n)}&|")
		n.test = func(value any) bool { return scalar(value, c) }
		if c.operator == "=" && c.match == nil && !c.isNumber {
			n.texts = slices.DeleteFunc(slices.Clone(c.parts), func(part string) bool { return part == "" })
		}
	}
	if key := n.selector.key(); key != "" && !n.absent {
		n.texts = append(n.texts, key)
	}
	return n, err
}

// is parses the name of a value that is neither a text nor a number.
func (p *parser) is() (func(any) bool, error) {
	for word, want := range map[string]any{"NULL": nil, "TRUE": true, "FALSE": false} {
		if p.word(word) {
			return func(value any) bool { return value == want }, nil
		}
	}
	return nil, errors.New("want NULL, TRUE or FALSE behind IS")
}

// scalar compares a text or a number. A condition does not hold for any other value.
func scalar(value any, c condition) bool {
	switch v := value.(type) {
	case string:
		n, ok := number(v)
		return c.holds(v, n, ok)
	case json.Number:
		n, ok := number(v.String())
		return c.holds(v.String(), n, ok)
	}
	return false
}

func (d document) match(message []byte) bool {
	if bytes.IndexByte(message, '\\') < 0 {
		for _, text := range d.texts {
			if !bytes.Contains(message, text) {
				return false
			}
		}
	}
	root, ok := parseDocument(message)
	return ok && d.holds(root)
}

func parseDocument(message []byte) (root any, ok bool) {
	in := json.NewDecoder(bytes.NewReader(message))
	in.UseNumber()
	if in.Decode(&root) != nil {
		return nil, false
	}
	if _, err := in.Token(); err != io.EOF {
		return nil, false
	}
	switch root.(type) {
	case map[string]any, []any:
		return root, true
	}
	return nil, false
}

func (n node) holds(root any) bool {
	switch {
	case n.all != nil:
		return !slices.ContainsFunc(n.all, func(of node) bool { return !of.holds(root) })
	case n.any != nil:
		return slices.ContainsFunc(n.any, func(of node) bool { return of.holds(root) })
	}
	found := n.selector.find(root)
	if n.absent {
		return len(found) == 0
	}
	return slices.ContainsFunc(found, n.test)
}

// values returns nothing: the API extracts values only from lines.
func (document) values([]byte) map[string]string { return nil }

func (d document) value(message []byte, name string) (string, bool) {
	s, err := parseSelector(name)
	root, ok := parseDocument(message)
	if err != nil || !ok {
		return "", false
	}
	for _, v := range s.find(root) {
		switch v := v.(type) {
		case string:
			return v, true
		case json.Number:
			return v.String(), true
		case bool:
			return strconv.FormatBool(v), true
		}
	}
	return "", false
}

func (document) names(name string) bool {
	_, err := parseSelector(name)
	return err == nil && strings.HasPrefix(name, "$.")
}
