package module

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
)

// Input describes one input of the redis module.
type Input = InputOf[Inputs]

// InputOf describes one input of a module: all that decoding, defaults, checks and documentation know of it. I is what
// the inputs are decoded into.
type InputOf[I any] struct {
	Name        string
	Type        cty.Type
	Required    bool
	Default     cty.Value // cty.NilVal when required
	Description string
	Sensitive   bool
	Unsupported string // why larder cannot honour it; it may only hold its default
	Deferred    string // what larder leaves undone for some values; "" when it acts on all of them in full

	asks   func(*I) bool // whether the value asks for what Deferred says
	decode func(cty.Value, *I) error
	check  func(*I) []problem
}

// problem is what a check finds: the value, or the part of it, and why that is refused. The text never repeats the
// value, so that a secret one can be left out.
type problem struct{ value, text string }

// required describes an input that every call sets.
func required[I, T any](name, description string, field func(*I) *T, checks ...check[T]) InputOf[I] {
	in := describe(name, description, field, checks)
	in.Required = true
	return in
}

// optional describes an input with a default. A nil pointer is a default of null.
func optional[I, T any](name string, def T, description string, field func(*I) *T, checks ...check[T]) InputOf[I] {
	in := describe(name, description, field, checks)
	value, err := gocty.ToCtyValue(def, in.Type)
	if err != nil {
		panic(fmt.Sprintf("module: default of %s: %v", name, err)) // a mistake in the table
	}
	in.Default = value
	return in
}

func describe[I, T any](name, description string, field func(*I) *T, checks []check[T]) InputOf[I] {
	var zero T
	typ, err := gocty.ImpliedType(zero)
	if err != nil {
		panic(fmt.Sprintf("module: type of %s: %v", name, err)) // a mistake in the table
	}
	return InputOf[I]{
		Name: name, Type: typ, Description: description,
		decode: func(v cty.Value, in *I) error { return gocty.FromCtyValue(v, field(in)) },
		check: func(in *I) (all []problem) {
			for _, c := range checks {
				all = append(all, c(*field(in))...)
			}
			return all
		},
	}
}

// typed says of what type the value is written, where Go's type alone does not tell.
func (in InputOf[I]) typed(t cty.Type) InputOf[I] {
	in.Type = t
	if in.Default.IsNull() {
		in.Default = cty.NullVal(t)
	}
	decode := in.decode
	in.decode = func(v cty.Value, inputs *I) error {
		if v.IsNull() { // the field holds it already
			return nil
		}
		return decode(v, inputs)
	}
	return in
}

// secret says that messages and outputs never show the value.
func (in InputOf[I]) secret() InputOf[I] {
	in.Sensitive = true
	return in
}

// deferred says what larder leaves undone, and for which values.
func (in InputOf[I]) deferred(what string, asks func(*I) bool) InputOf[I] {
	in.Deferred, in.asks = what, asks
	return in
}

// unsupported describes an input of the module that larder cannot honour.
func unsupported(name string, typ cty.Type, def cty.Value, description, reason string) Input {
	return Input{Name: name, Type: typ, Default: def, Description: description, Unsupported: reason}
}

// fit converts a value to the input's type; null asks for the default.
func (in InputOf[I]) fit(v cty.Value) (cty.Value, error) {
	if v.IsNull() && !in.Required {
		return in.Default, nil
	}
	if v.IsNull() {
		return v, fmt.Errorf("is no value for a required input: set one")
	}
	if !v.IsWhollyKnown() {
		return v, fmt.Errorf("is not known before an apply: write a value")
	}
	v, err := convert.Convert(v, in.Type)
	if err != nil {
		return v, fmt.Errorf("does not fit the type %s: %w", typeName(in.Type), err)
	}
	return v, nil
}

// typeName writes a type the way Terraform does.
func typeName(t cty.Type) string {
	switch {
	case t == cty.DynamicPseudoType:
		return "any"
	case t.IsListType():
		return "list(" + typeName(t.ElementType()) + ")"
	case t.IsSetType():
		return "set(" + typeName(t.ElementType()) + ")"
	case t.IsMapType():
		return "map(" + typeName(t.ElementType()) + ")"
	case t.IsObjectType():
		return "object"
	}
	return t.FriendlyName()
}
