package constraint

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Breach is the first thing in an input that its service's model does not allow, for services that name no other and
// have words of their own.
type Breach struct {
	Member  string       // as requests name it, such as "Filters.1.Name"
	Kind    reflect.Kind // of its value: String, Slice, Bool, Int32 or Int64
	Missing bool         // it has to be given and is not, or is empty
	Value   string       // of a text or a number
	Enum    []string     // of which Value is none, in the model's order
	// Below and Above say that the value of a number, or the length of a text or a list, is below Least or above Most.
	Below, Above bool
	Least, Most  int64
}

// first returns the error for the first breach in a structure that f.Say has words for.
func (f *Front) first(path string, v reflect.Value) error {
	for _, m := range f.plan(v.Type()) {
		field, name := v.Field(m.index), path+v.Type().Field(m.index).Name
		if b, is := m.breach(name, field); is {
			if err := f.Say(b); err != nil {
				return err
			}
		}
		if m.nested {
			if err := f.firstBelow(name, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// firstBelow looks into what a member holds.
func (f *Front) firstBelow(name string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return f.firstBelow(name, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := f.firstBelow(fmt.Sprintf("%s.%d", name, i+1), v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		return f.first(name+".", v)
	}
	return nil
}

// breach tells what of the member's rule its value breaks.
func (m *member) breach(name string, v reflect.Value) (Breach, bool) {
	b := Breach{Member: name, Kind: innerKind(v.Type()), Least: m.rule.Least, Most: m.rule.Most}
	v, given := given(v)
	if !given || empty(v) {
		b.Missing = m.required
		return b, m.required
	}
	var size int64
	switch v.Kind() {
	case reflect.String:
		b.Value, size = v.String(), int64(utf8.RuneCountInString(v.String()))
	case reflect.Int32, reflect.Int64:
		b.Value, size = strconv.FormatInt(v.Int(), 10), v.Int()
	case reflect.Slice:
		size = int64(v.Len())
	default:
		return b, false
	}
	if v.Kind() == reflect.String && m.known != nil && !slices.Contains(m.known, b.Value) {
		b.Enum = slices.Sorted(slices.Values(m.known))
		return b, true
	}
	b.Below, b.Above = b.Least > 0 && size < b.Least, b.Most > 0 && size > b.Most
	return b, b.Below || b.Above
}

// empty tells whether a text or a list has nothing in it.
func empty(v reflect.Value) bool {
	return (v.Kind() == reflect.String || v.Kind() == reflect.Slice) && v.Len() == 0
}

// innerKind is the kind of what a type is or points to.
func innerKind(t reflect.Type) reflect.Kind {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind()
}
