package awswire

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// A tree is what a parser of JSON or CBOR makes of a body: objects, lists, and the scalars of either.

func (c *Codec) treeStruct(object map[string]any, path string, dst reflect.Value) error {
	p := c.requests.plan(dst.Type())
	for _, name := range slices.Sorted(maps.Keys(object)) {
		m, ok := p.byKey[name]
		if !ok {
			return &UnknownParameterError{Name: shortened(join(path, name))}
		}
		if object[name] == nil { // null is absent
			continue
		}
		if err := c.treeValue(object[name], join(path, name), dst.Field(m.index)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Codec) treeValue(value any, path string, dst reflect.Value) error {
	t := dst.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		dst.Set(reflect.New(t.Elem()))
		return c.treeValue(value, path, dst.Elem())
	case t == timeType:
		return treeTime(value, path, dst)
	case t.Kind() == reflect.Struct:
		if object, ok := value.(map[string]any); ok {
			return c.treeStruct(object, path, dst)
		}
		return badTree(path, value, "an object")
	case t.Kind() == reflect.Slice && !isBlob(t):
		if list, ok := value.([]any); ok {
			return c.treeList(list, path, dst)
		}
		return badTree(path, value, "a list")
	case t.Kind() == reflect.Map:
		if object, ok := value.(map[string]any); ok {
			return c.treeMap(object, path, dst)
		}
		return badTree(path, value, "an object")
	default:
		return treeScalar(value, path, dst)
	}
}

func (c *Codec) treeList(list []any, path string, dst reflect.Value) error {
	result := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, value := range list {
		if err := c.treeValue(value, join(path, strconv.Itoa(i)), result.Index(i)); err != nil {
			return err
		}
	}
	dst.Set(result)
	return nil
}

func (c *Codec) treeMap(object map[string]any, path string, dst reflect.Value) error {
	t := dst.Type()
	result := reflect.MakeMapWithSize(t, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := reflect.New(t.Elem()).Elem()
		if err := c.treeValue(object[name], join(path, name), value); err != nil {
			return err
		}
		result.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), value)
	}
	dst.Set(result)
	return nil
}

// treeScalar accepts a value of the member's own kind only; the numbers that
// JSON lacks arrive as strings.
func treeScalar(value any, path string, dst reflect.Value) error {
	switch v := value.(type) {
	case string:
		switch dst.Kind() {
		case reflect.String, reflect.Slice:
			return setText(dst, path, v)
		case reflect.Float32, reflect.Float64:
			if v == "NaN" || v == "Infinity" || v == "-Infinity" {
				return setFloat(dst, path, v)
			}
		}
	case bool:
		if dst.Kind() == reflect.Bool {
			dst.SetBool(v)
			return nil
		}
	case json.Number:
		switch dst.Kind() {
		case reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
			return setText(dst, path, v.String())
		}
	case uint64, int64, float64, []byte:
		if setBinary(dst, v) {
			return nil
		}
	}
	return badTree(path, value, treeKind(dst))
}

// treeKind is what a member takes, as a client would say it.
func treeKind(dst reflect.Value) string {
	switch dst.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "a base64 string"
	case reflect.Bool:
		return "a boolean"
	case reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "given in a form that larder reads: it has no " + dst.Type().String()
}

// maxEpoch is the last second of the year 9999.
const maxEpoch = 253402300799

// treeTime reads epoch seconds, exact to the millisecond; a parser of CBOR has
// read them already, by their tag.
func treeTime(value any, path string, dst reflect.Value) error {
	if t, ok := value.(time.Time); ok && math.Abs(float64(t.Unix())) <= maxEpoch {
		dst.Set(reflect.ValueOf(t.Round(time.Millisecond).UTC()))
		return nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return badTree(path, value, "a number of seconds since 1970")
	}
	f, err := number.Float64()
	if err != nil || math.Abs(f) > maxEpoch {
		return badTree(path, value, "a number of seconds since 1970")
	}
	dst.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(f * 1e3))).UTC()))
	return nil
}

func badTree(path string, value any, want string) error {
	text, err := json.Marshal(value)
	if err != nil {
		text = fmt.Append(nil, value)
	}
	return badValue(path, string(text), want)
}
