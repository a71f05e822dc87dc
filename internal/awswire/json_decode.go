package awswire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// DecodeJSON fills dst, a pointer to an SDK input, from an awsJson body. An
// empty body is an empty input.
func (c *Codec) DecodeJSON(body []byte, dst any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return &SyntaxError{Reason: fmt.Sprintf("the body is not JSON: %v", err)}
	}
	if _, err := d.Token(); err != io.EOF {
		return &SyntaxError{Reason: "the body goes on after its JSON value"}
	}
	if _, ok := value.(map[string]any); !ok {
		return &SyntaxError{Reason: "the body is not a JSON object"}
	}
	return c.jsonValue(value, "", reflect.ValueOf(dst).Elem())
}

func (c *Codec) jsonStruct(object map[string]any, path string, dst reflect.Value) error {
	p := c.requests.plan(dst.Type())
	for _, name := range slices.Sorted(maps.Keys(object)) {
		m, ok := p.byKey[name]
		if !ok {
			return &UnknownParameterError{Name: shortened(join(path, name))}
		}
		if object[name] == nil { // null is absent
			continue
		}
		if err := c.jsonValue(object[name], join(path, name), dst.Field(m.index)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Codec) jsonValue(value any, path string, dst reflect.Value) error {
	t := dst.Type()
	switch {
	case t.Kind() == reflect.Pointer:
		dst.Set(reflect.New(t.Elem()))
		return c.jsonValue(value, path, dst.Elem())
	case t == timeType:
		return jsonTime(value, path, dst)
	case t.Kind() == reflect.Struct:
		if object, ok := value.(map[string]any); ok {
			return c.jsonStruct(object, path, dst)
		}
		return badJSON(path, value, "an object")
	case t.Kind() == reflect.Slice && !isBlob(t):
		if list, ok := value.([]any); ok {
			return c.jsonList(list, path, dst)
		}
		return badJSON(path, value, "a list")
	case t.Kind() == reflect.Map:
		if object, ok := value.(map[string]any); ok {
			return c.jsonMap(object, path, dst)
		}
		return badJSON(path, value, "an object")
	default:
		return jsonScalar(value, path, dst)
	}
}

func (c *Codec) jsonList(list []any, path string, dst reflect.Value) error {
	result := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, value := range list {
		if err := c.jsonValue(value, join(path, strconv.Itoa(i)), result.Index(i)); err != nil {
			return err
		}
	}
	dst.Set(result)
	return nil
}

func (c *Codec) jsonMap(object map[string]any, path string, dst reflect.Value) error {
	t := dst.Type()
	result := reflect.MakeMapWithSize(t, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value := reflect.New(t.Elem()).Elem()
		if err := c.jsonValue(object[name], join(path, name), value); err != nil {
			return err
		}
		result.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), value)
	}
	dst.Set(result)
	return nil
}

// jsonScalar accepts a JSON value of the member's own kind only; the numbers
// that JSON lacks arrive as strings.
func jsonScalar(value any, path string, dst reflect.Value) error {
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
	}
	return badJSON(path, value, jsonKind(dst))
}

// jsonKind is what a member takes, as a client would say it.
func jsonKind(dst reflect.Value) string {
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

// jsonTime reads epoch seconds, exact to the millisecond.
func jsonTime(value any, path string, dst reflect.Value) error {
	number, ok := value.(json.Number)
	if !ok {
		return badJSON(path, value, "a number of seconds since 1970")
	}
	f, err := number.Float64()
	if err != nil || math.Abs(f) > maxEpoch {
		return badJSON(path, value, "a number of seconds since 1970")
	}
	dst.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(f * 1e3))).UTC()))
	return nil
}

func badJSON(path string, value any, want string) error {
	text, err := json.Marshal(value)
	if err != nil {
		text = fmt.Append(nil, value)
	}
	return badValue(path, string(text), want)
}
