package awswire

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Bounds of one awsQuery request. AWS's own inputs nest 4 structures deep, a
// name and an index each; the largest lists have some hundred elements.
const (
	maxParameters = 10_000
	maxSegments   = 24
)

// node is the parameters under one path: Tags.Tag.1.Key is Tags → Tag → 1 → Key.
type node struct {
	text     string
	hasText  bool
	children map[string]*node
}

// DecodeQuery fills dst, a pointer to an SDK input, from an awsQuery or ec2Query
// form without its Action and Version. What it allocates grows with the form, not
// with the indices in it.
func (c *Codec) DecodeQuery(form url.Values, dst any) error {
	root, err := parseForm(form)
	if err != nil {
		return err
	}
	return c.queryStruct(root, "", reflect.ValueOf(dst).Elem())
}

func parseForm(form url.Values) (*node, error) {
	if len(form) > maxParameters {
		return nil, &SyntaxError{Reason: "the request has " + strconv.Itoa(len(form)) +
			" parameters; the limit is " + strconv.Itoa(maxParameters)}
	}
	root := &node{}
	for name, values := range form {
		if len(values) != 1 {
			return nil, badValue(name, strings.Join(values, ","), "given once")
		}
		if strings.Count(name, ".") >= maxSegments {
			return nil, &UnknownParameterError{Name: shortened(name)}
		}
		n := root
		for segment := range strings.SplitSeq(name, ".") {
			n = n.child(segment)
		}
		n.text, n.hasText = values[0], true
	}
	return root, nil
}

func (n *node) child(segment string) *node {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	c, ok := n.children[segment]
	if !ok {
		c = &node{}
		n.children[segment] = c
	}
	return c
}

// names are the children's names, sorted, so that the same request always
// meets the same error first.
func (n *node) names() []string { return slices.Sorted(maps.Keys(n.children)) }

// unknown is the error for a child that should not be: it names a parameter the
// client really sent.
func (n *node) unknown(path, name string) error {
	path, n = join(path, name), n.children[name]
	for !n.hasText && len(n.children) > 0 {
		first := n.names()[0]
		path, n = join(path, first), n.children[first]
	}
	return &UnknownParameterError{Name: shortened(path)}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (c *Codec) queryStruct(n *node, path string, dst reflect.Value) error {
	if n.hasText && n.text != "" {
		return badValue(path, n.text, "a structure, whose members are given as "+path+".Name")
	}
	p := c.requests.plan(dst.Type())
	for _, name := range n.names() {
		m, ok := p.byKey[name]
		if !ok {
			return n.unknown(path, name)
		}
		if err := c.queryValue(n.children[name], join(path, name), dst.Field(m.index), m); err != nil {
			return err
		}
	}
	return nil
}

// queryValue sets one value; m names the element a list or map puts around it.
func (c *Codec) queryValue(n *node, path string, dst reflect.Value, m *member) error {
	t := dst.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		dst.Set(reflect.New(t.Elem()))
		return c.queryValue(n, path, dst.Elem(), m)
	case t.Kind() == reflect.Struct && t != timeType:
		return c.queryStruct(n, path, dst)
	case t.Kind() == reflect.Slice && !isBlob(t):
		return c.queryList(n, path, dst, m)
	case t.Kind() == reflect.Map:
		return c.queryMap(n, path, dst, m)
	case len(n.children) > 0:
		return n.unknown(path, n.names()[0])
	default:
		return setText(dst, path, n.text)
	}
}

// element is one numbered child of a list or map.
type element struct {
	*node
	path string
}

// elements are the numbered children of a list or map, in their order. AWS takes
// the generic name ("member") as well as the shape's own.
func (n *node) elements(path string, m *member, generic string) ([]element, error) {
	if n.hasText && n.text != "" {
		first := join(path, m.item) + ".1"
		if m.flat {
			first = path + ".1"
		}
		return nil, badValue(path, n.text, "a list, whose elements are given as "+first)
	}
	if m.flat || len(n.children) == 0 {
		return n.numbered(path)
	}
	name := m.item
	if n.children[name] == nil {
		name = generic
	}
	for _, other := range n.names() {
		if other != name {
			return nil, n.unknown(path, other)
		}
	}
	if n.children[name].hasText {
		return nil, n.unknown(path, name)
	}
	return n.children[name].numbered(join(path, name))
}

func (n *node) numbered(path string) ([]element, error) {
	byIndex := make(map[int]element, len(n.children))
	for _, name := range n.names() {
		i, err := strconv.Atoi(name)
		if err != nil || i < 1 || strconv.Itoa(i) != name {
			return nil, n.unknown(path, name)
		}
		byIndex[i] = element{node: n.children[name], path: join(path, name)}
	}
	elements := make([]element, 0, len(byIndex))
	for _, i := range slices.Sorted(maps.Keys(byIndex)) {
		elements = append(elements, byIndex[i])
	}
	return elements, nil
}

func (c *Codec) queryList(n *node, path string, dst reflect.Value, m *member) error {
	elements, err := n.elements(path, m, defaultItem)
	if err != nil {
		return err
	}
	list := reflect.MakeSlice(dst.Type(), len(elements), len(elements))
	for i, e := range elements {
		if err := c.queryValue(e.node, e.path, list.Index(i), m); err != nil {
			return err
		}
	}
	dst.Set(list)
	return nil
}

func (c *Codec) queryMap(n *node, path string, dst reflect.Value, m *member) error {
	entries, err := n.elements(path, m, defaultEntry)
	if err != nil {
		return err
	}
	t := dst.Type()
	result := reflect.MakeMapWithSize(t, len(entries))
	for _, e := range entries {
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		if err := c.queryEntry(e, key, value, m); err != nil {
			return err
		}
		if result.MapIndex(key).IsValid() {
			return badValue(join(e.path, m.mapKey), key.String(), "given once")
		}
		result.SetMapIndex(key, value)
	}
	dst.Set(result)
	return nil
}

func (c *Codec) queryEntry(e element, key, value reflect.Value, m *member) error {
	for _, name := range e.names() {
		half := value
		if name == m.mapKey {
			half = key
		} else if name != m.mapValue {
			return e.unknown(e.path, name)
		}
		if err := c.queryValue(e.children[name], join(e.path, name), half, m); err != nil {
			return err
		}
	}
	if e.children[m.mapKey] == nil {
		return badValue(e.path, e.text, "an entry with a "+m.mapKey)
	}
	return nil
}
