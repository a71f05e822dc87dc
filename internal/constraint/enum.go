package constraint

import (
	"cmp"
	"reflect"
	"slices"
)

// enumOf returns the values of one of the SDK's enums, or of a list of one, in AWS's order; nil for other types.
func enumOf(t reflect.Type) []string {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	method, ok := t.MethodByName("Values")
	if !ok || t.Kind() != reflect.String {
		return nil
	}
	all := method.Func.Call([]reflect.Value{reflect.Zero(t)})[0]
	values := texts(all)
	// AWS lists an enum as a Java hash table of 32 buckets holds it. The lists in recorded answers are in this order.
	slices.SortFunc(values, func(a,
		b string) int {
		return cmp.Or(cmp.Compare(bucket(a), bucket(b)), cmp.Compare(a, b))
	})
	return values
}

// bucket returns where Java's String.hashCode puts a text.
func bucket(text string) uint32 {
	hash := uint32(0)
	for i := range len(text) {
		hash = 31*hash + uint32(text[i])
	}
	return hash % 32
}
