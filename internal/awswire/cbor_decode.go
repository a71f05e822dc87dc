package awswire

import (
	"fmt"
	"math"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// cborDecoding reads a body into a tree. Clients write lists and maps without a length, times under tag 1.
var cborDecoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DefaultMapType: reflect.TypeFor[map[string]any](), DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 32,
		TimeTag: cbor.DecTagOptional, IntDec: cbor.IntDecConvertNone,
	}.DecMode()
	if err != nil {
		panic("awswire: options of CBOR: " + err.Error())
	}
	return mode
}()

// DecodeCBOR fills dst, a pointer to an SDK input, from an rpcv2Cbor body. An
// empty body is an empty input.
func (c *Codec) DecodeCBOR(body []byte, dst any) error {
	if len(body) == 0 {
		return nil
	}
	var value any
	if err := cborDecoding.Unmarshal(body, &value); err != nil {
		return &SyntaxError{Reason: fmt.Sprintf("the body is not CBOR: %v", err)}
	}
	if _, ok := value.(map[string]any); !ok {
		return &SyntaxError{Reason: "the body is not a CBOR map"}
	}
	return c.treeValue(value, "", reflect.ValueOf(dst).Elem())
}

// setBinary sets a member from a number or bytes, if they fit; a whole number may stand for any other.
func setBinary(dst reflect.Value, value any) bool {
	switch dst.Kind() {
	case reflect.Slice:
		b, ok := value.([]byte)
		if ok {
			dst.SetBytes(b)
		}
		return ok
	case reflect.Float32, reflect.Float64:
		f, ok := asFloat(value)
		dst.SetFloat(f)
		return ok
	case reflect.Int32, reflect.Int64:
		n, ok := asInt(value)
		if !ok || dst.OverflowInt(n) {
			return false
		}
		dst.SetInt(n)
		return true
	}
	return false
}

func asFloat(value any) (float64, bool) {
	switch v := value.(type) {
	case uint64:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func asInt(value any) (int64, bool) {
	switch v := value.(type) {
	case uint64:
		return int64(v), v <= math.MaxInt64
	case int64:
		return v, true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) < 1<<63
	}
	return 0, false
}
