package gateway

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
)

// Refusal is a member of an action's input that larder does not serve. A
// request that sets it is refused by name, never served without it.
type Refusal struct {
	// Field is the member's path in the Go input structure, lists being looked
	// into: "LogDeliveryConfigurations.DestinationDetails.KinesisFirehoseDetails".
	Field string
	// Reason completes "larder does not serve … : ".
	Reason string
	// Only lists the values that are served after all.
	Only []string
	// Known lists the values that AWS has; empty for all. Others reach the handler, which refuses them as AWS does.
	Known []string
}

// Refuse is a member that is not served at all.
func Refuse(field, reason string) Refusal { return Refusal{Field: field, Reason: reason} }

// Only is a member that is served with the given values alone.
func Only(field, reason string, values ...string) Refusal {
	return Refusal{Field: field, Reason: reason, Only: values}
}

// Among is the refusal of the values that AWS has and larder does not serve. The handler refuses what AWS does not have
// either.
func (r Refusal) Among(known ...string) Refusal {
	r.Known = known
	return r
}

// check reports a field that the input does not have.
func (r Refusal) check(input reflect.Type) error {
	t := input
	for name := range strings.SplitSeq(r.Field, ".") {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return fmt.Errorf("refusal of %s: %s is not a structure of %s", r.Field, t, input)
		}
		f, ok := t.FieldByName(name)
		if !ok {
			return fmt.Errorf("refusal of %s: %s has no field %s", r.Field, t, name)
		}
		t = f.Type
	}
	return nil
}

// values yields every value that the input sets for the field.
func (r Refusal) values(input reflect.Value) iter.Seq[reflect.Value] {
	return func(yield func(reflect.Value) bool) { walk(input, strings.Split(r.Field, "."), yield) }
}

// walk follows path and yields what is set at its end; it reports whether to go on.
func walk(v reflect.Value, path []string, yield func(reflect.Value) bool) bool {
	// A pointer or list that is there is set, whatever it holds.
	if len(path) == 0 {
		return v.IsZero() || yield(v)
	}
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil() || walk(v.Elem(), path, yield)
	case reflect.Slice:
		for i := range v.Len() {
			if !walk(v.Index(i), path, yield) {
				return false
			}
		}
		return true
	}
	return walk(v.FieldByName(path[0]), path[1:], yield)
}

func (r Refusal) accepts(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return r.accepts(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if !r.accepts(v.Index(i)) {
				return false
			}
		}
		return len(r.Only) > 0
	}
	value := fmt.Sprint(v)
	return slices.Contains(r.Only, value) || len(r.Known) > 0 && !slices.Contains(r.Known, value)
}

func (r Refusal) message(action string) string {
	if len(r.Only) > 0 {
		return fmt.Sprintf("larder serves %s's %s only as %s: %s", action, r.Field, strings.Join(r.Only, " or "),
			r.Reason)
	}
	return fmt.Sprintf("larder does not serve %s's %s: %s", action, r.Field, r.Reason)
}
