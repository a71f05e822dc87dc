package constraint

import (
	"maps"
	"reflect"
	"slices"
)

// Unused lists the rules and required members that name nothing which inputs of these types have: misspelt ones.
func (f *Front) Unused(inputs []reflect.Type) []string {
	left := map[string]bool{}
	for name := range f.Rules {
		left[name] = true
	}
	for structure, members := range f.Required {
		for _, member := range members {
			left[structure+"."+member] = true
		}
	}
	seen := map[reflect.Type]bool{}
	for _, t := range inputs {
		strike(t, left, seen)
	}
	return slices.Sorted(maps.Keys(left))
}

// strike takes from left what a type, or one below it, has.
func strike(t reflect.Type, left map[string]bool, seen map[reflect.Type]bool) {
	if t = innermost(t); t.Kind() != reflect.Struct || seen[t] {
		return
	}
	seen[t] = true
	for i := range t.NumField() {
		field := t.Field(i)
		delete(left, field.Name)
		delete(left, t.Name()+"."+field.Name)
		strike(field.Type, left, seen)
	}
}
