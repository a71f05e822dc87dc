package awswire

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"time"
)

// CBOR's major types, and the heads of simple values. Source: RFC 8949.
const (
	cborUint   = 0 << 5
	cborNegint = 1 << 5
	cborBytes  = 2 << 5
	cborText   = 3 << 5
	cborList   = 4 << 5
	cborMap    = 5 << 5
	cborEpoch  = 6<<5 | 1 // tag 1: seconds since 1970
	cborFalse  = 0xf4
	cborTrue   = 0xf5
	cborFloat  = 0xfb // of 64 bits
)

// AppendCBORResponse appends out, a pointer to an SDK output, as rpcv2Cbor to b.
func (c *Codec) AppendCBORResponse(b []byte, out any) ([]byte, error) {
	b, err := c.appendCBORStruct(b, reflect.ValueOf(out).Elem())
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", out, err)
	}
	return b, nil
}

// AppendCBORError appends rpcv2Cbor's error document to b: shape is the error's name in the service's model. An empty
// message is left out.
func AppendCBORError(b []byte, shape, message string) []byte {
	members := []string{"__type", shape}
	if message != "" {
		members = append(members, "message", message)
	}
	b = appendCBORHead(b, cborMap, uint64(len(members)/2))
	for _, text := range members {
		b = appendCBORText(b, text)
	}
	return b
}

// appendCBORHead appends a major type with its number in the fewest bytes.
func appendCBORHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendCBORText(b []byte, s string) []byte {
	return append(appendCBORHead(b, cborText, uint64(len(s))), s...)
}

func appendCBORFloat(b []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, cborFloat), math.Float64bits(f))
}

func (c *Codec) appendCBORStruct(b []byte, v reflect.Value) ([]byte, error) {
	p := c.responses.plan(v.Type())
	present := 0
	for i := range p.members {
		if !p.members[i].absent(v.Field(p.members[i].index)) {
			present++
		}
	}
	b = appendCBORHead(b, cborMap, uint64(present))
	var err error
	for i := range p.members {
		m := &p.members[i]
		f := v.Field(m.index)
		if m.absent(f) {
			continue
		}
		if b, err = c.appendCBORValue(appendCBORText(b, m.key), f); err != nil {
			return nil, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	return b, nil
}

func (c *Codec) appendCBORValue(b []byte, v reflect.Value) ([]byte, error) {
	switch t := v.Type(); {
	case t.Kind() == reflect.Pointer:
		return c.appendCBORValue(b, v.Elem())
	case t == timeType:
		ms := v.Interface().(time.Time).UnixMilli()
		return appendCBORFloat(append(b, cborEpoch), float64(ms)/1e3), nil
	case t.Kind() == reflect.Struct:
		return c.appendCBORStruct(b, v)
	case isBlob(t):
		return append(appendCBORHead(b, cborBytes, uint64(v.Len())), v.Bytes()...), nil
	case t.Kind() == reflect.Slice:
		return c.appendCBORList(b, v)
	case t.Kind() == reflect.Map:
		return c.appendCBORMap(b, v)
	default:
		return appendCBORScalar(b, v)
	}
}

func appendCBORScalar(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.String:
		return appendCBORText(b, v.String()), nil
	case reflect.Bool:
		if v.Bool() {
			return append(b, cborTrue), nil
		}
		return append(b, cborFalse), nil
	case reflect.Int32, reflect.Int64:
		if n := v.Int(); n < 0 {
			return appendCBORHead(b, cborNegint, uint64(-1-n)), nil
		}
		return appendCBORHead(b, cborUint, uint64(v.Int())), nil
	case reflect.Float32, reflect.Float64:
		return appendCBORFloat(b, v.Float()), nil
	}
	return nil, fmt.Errorf("a %s has no form on the wire", v.Type())
}

func (c *Codec) appendCBORList(b []byte, v reflect.Value) ([]byte, error) {
	b = appendCBORHead(b, cborList, uint64(v.Len()))
	var err error
	for i := range v.Len() {
		if b, err = c.appendCBORValue(b, v.Index(i)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (c *Codec) appendCBORMap(b []byte, v reflect.Value) ([]byte, error) {
	b = appendCBORHead(b, cborMap, uint64(v.Len()))
	var err error
	for _, key := range sortedKeys(v) {
		if b, err = c.appendCBORValue(appendCBORText(b, key.String()), v.MapIndex(key)); err != nil {
			return nil, err
		}
	}
	return b, nil
}
