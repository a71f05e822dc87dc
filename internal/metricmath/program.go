// Package metricmath evaluates CloudWatch's metric math: expressions over time series, which may refer to each other.
//
// Compile determines the kinds of all expressions before there are data, so that a mistake is found when an alarm is
// created, not when it should go off.
package metricmath

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Query is an expression, or a metric whose series is passed to Eval.
type Query struct {
	ID         string
	Expression string // empty for a metric
}

// Kind is the kind of a query's result.
type Kind int

// Scalar is a number, Single one time series, and Array an array of time series.
const (
	Scalar Kind = iota + 1
	Single
	Array
)

func (k Kind) String() string {
	return [...]string{"nothing", "a number", "a time series", "an array of time series"}[k]
}

// Error is a mistake in an expression.
type Error struct{ ID, Reason string }

func (e *Error) Error() string { return fmt.Sprintf("Error in expression '%s': %s", e.ID, e.Reason) }

// Program is a set of checked queries.
type Program struct {
	metrics []string // in the order of the request
	order   []string // of the expressions: each after those it refers to
	nodes   map[string]node
	kinds   map[string]Kind
}

// Compile checks queries, whose IDs must be distinct. Errors are of type *Error.
func Compile(queries []Query) (*Program, error) {
	p := &Program{nodes: map[string]node{}, kinds: map[string]Kind{}}
	for _, q := range queries {
		if q.Expression == "" {
			p.metrics = append(p.metrics, q.ID)
			p.kinds[q.ID] = Single
			continue
		}
		n, err := parse(q.Expression)
		if err != nil {
			return nil, &Error{q.ID, err.Error()}
		}
		p.nodes[q.ID] = n
	}
	var path []string
	for _, q := range queries {
		if err := p.resolve(q.ID, path); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Kind returns the kind of a query's result; zero for an unknown id.
func (p *Program) Kind(id string) Kind { return p.kinds[id] }

// resolve determines the kind of an expression after those of what it refers to. path has the expressions that led to
// it.
func (p *Program) resolve(id string, path []string) error {
	if p.kinds[id] != 0 {
		return nil
	}
	if at := slices.Index(path, id); at >= 0 {
		if at == len(path)-1 {
			return &Error{id, "it refers to itself"}
		}
		return &Error{id, "it refers to itself by way of " + strings.Join(path[at+1:], ", ")}
	}
	for _, other := range references(p.nodes[id], nil) {
		if p.kinds[other] == 0 && p.nodes[other] == nil {
			return &Error{id, "there is no metric of the Id " + other}
		}
		if err := p.resolve(other, append(path, id)); err != nil {
			return err
		}
	}
	kind, err := p.check(p.nodes[id])
	if err != nil {
		return &Error{id, err.Error()}
	}
	p.kinds[id] = kind
	p.order = append(p.order, id)
	return nil
}

// Needs returns the metrics that a query's result depends on, sorted. A metric depends on itself.
func (p *Program) Needs(id string) []string {
	needs := map[string]bool{}
	p.need(id, needs, map[string]bool{})
	return slices.Sorted(maps.Keys(needs))
}

// need adds what a query needs, unless the query was seen. Without that check, expressions that refer to each other
// many times would take for ever.
func (p *Program) need(id string, needs, seen map[string]bool) {
	if seen[id] {
		return
	}
	seen[id] = true
	if p.nodes[id] == nil {
		needs[id] = true
		return
	}
	if usesAll(p.nodes[id]) {
		for _, metric := range p.metrics {
			needs[metric] = true
		}
	}
	for _, other := range references(p.nodes[id], nil) {
		p.need(other, needs, seen)
	}
}

func references(n node, found []string) []string {
	switch n := n.(type) {
	case reference:
		return append(found, string(n))
	case list:
		for _, item := range n {
			found = references(item, found)
		}
	case call:
		return references(list(n.args), found)
	}
	return found
}

// usesAll reports whether METRICS is called.
func usesAll(n node) bool {
	switch n := n.(type) {
	case list:
		return slices.ContainsFunc(n, usesAll)
	case call:
		return n.name == "METRICS" || slices.ContainsFunc(n.args, usesAll)
	}
	return false
}

// check determines the kind of an expression.
func (p *Program) check(n node) (Kind, error) {
	switch n := n.(type) {
	case number:
		return Scalar, nil
	case reference:
		return p.kinds[string(n)], nil
	case list:
		for _, item := range n {
			kind, err := p.check(item)
			if err != nil {
				return 0, err
			}
			if kind == Scalar {
				return 0, fmt.Errorf("an array has time series, not numbers")
			}
		}
		return Array, nil
	case call:
		return p.checkCall(n)
	case word:
		return 0, fmt.Errorf("%s is not known here", n)
	}
	return 0, fmt.Errorf("a text cannot stand here")
}

func (p *Program) checkCall(c call) (Kind, error) {
	if reason, ok := refused[c.name]; ok {
		return 0, fmt.Errorf("larder does not serve %s: %s", c.name, reason)
	}
	f, ok := functions[c.name]
	if !ok {
		return 0, fmt.Errorf("there is no function %s", c.name)
	}
	if len(c.args) < f.least || len(c.args) > f.most {
		return 0, fmt.Errorf("%s takes %d to %d parameters, not %d", c.name, f.least, f.most, len(c.args))
	}
	var kinds []Kind
	for i, arg := range c.args {
		if f.words != nil && f.words(i, arg) {
			kinds = append(kinds, 0)
			continue
		}
		kind, err := p.check(arg)
		if err != nil {
			return 0, err
		}
		kinds = append(kinds, kind)
	}
	kind := f.kind(kinds)
	if kind == 0 {
		return 0, fmt.Errorf("%s does not take %s", c.name, names(kinds))
	}
	return kind, nil
}

func names(kinds []Kind) string {
	var all []string
	for _, k := range kinds {
		if k != 0 {
			all = append(all, k.String())
		}
	}
	return strings.Join(all, " and ")
}
