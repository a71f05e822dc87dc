package awswire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"time"
)

// AppendJSONResponse appends out, a pointer to an SDK output, as awsJson to b.
func (c *Codec) AppendJSONResponse(b []byte, out any) ([]byte, error) {
	b, err := c.appendJSONStruct(b, reflect.ValueOf(out).Elem())
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", out, err)
	}
	return b, nil
}

// AppendJSONError appends awsJson's error document to b. Services spell the member of the message either way, "message"
// or "Message"; the SDKs read both. An empty message is left out.
func AppendJSONError(b []byte, code, member, message string) []byte {
	b = appendJSONString(append(b, `{"__type":`...), code)
	if message != "" {
		b = append(appendJSONString(append(b, ','), member), ':')
		b = appendJSONString(b, message)
	}
	return append(b, '}')
}

func (c *Codec) appendJSONStruct(b []byte, v reflect.Value) ([]byte, error) {
	p := c.responses.plan(v.Type())
	b = append(b, '{')
	separate := false
	var err error
	for i := range p.members {
		m := &p.members[i]
		f := v.Field(m.index)
		if m.absent(f) {
			continue
		}
		if separate {
			b = append(b, ',')
		}
		separate = true
		b = append(appendJSONString(b, m.key), ':')
		if b, err = c.appendJSONValue(b, f); err != nil {
			return nil, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	return append(b, '}'), nil
}

func (c *Codec) appendJSONValue(b []byte, v reflect.Value) ([]byte, error) {
	switch t := v.Type(); {
	case t.Kind() == reflect.Pointer:
		return c.appendJSONValue(b, v.Elem())
	case t == timeType:
		// Epoch seconds, to the millisecond.
		ms := v.Interface().(time.Time).UnixMilli()
		return strconv.AppendFloat(b, float64(ms)/1e3, 'f', -1, 64), nil
	case t.Kind() == reflect.Struct:
		return c.appendJSONStruct(b, v)
	case isBlob(t):
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes())
		return append(b, '"'), nil
	case t.Kind() == reflect.Slice:
		return c.appendJSONList(b, v)
	case t.Kind() == reflect.Map:
		return c.appendJSONMap(b, v)
	default:
		return appendJSONScalar(b, v)
	}
}

func appendJSONScalar(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.String:
		return appendJSONString(b, v.String()), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Float32, reflect.Float64:
		if name, ok := floatName(v.Float()); ok {
			return appendJSONString(b, name), nil
		}
		return appendFloat(b, v.Float(), v.Type().Bits()), nil
	}
	return nil, fmt.Errorf("a %s has no form on the wire", v.Type())
}

func (c *Codec) appendJSONList(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '[')
	var err error
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = c.appendJSONValue(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func (c *Codec) appendJSONMap(b []byte, v reflect.Value) ([]byte, error) {
	b = append(b, '{')
	var err error
	for i, key := range sortedKeys(v) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, key.String()), ':')
		if b, err = c.appendJSONValue(b, v.MapIndex(key)); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendJSONString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("awswire: json.Marshal of a string: " + err.Error()) // it has no way to fail
	}
	return append(b, quoted...)
}
