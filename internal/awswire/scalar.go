package awswire

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// setText sets a scalar from its text form, which awsQuery uses for all of them.
func setText(dst reflect.Value, name, text string) error {
	if dst.Type() == timeType {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return badValue(name, text, "a time such as 2006-01-02T15:04:05Z")
		}
		dst.Set(reflect.ValueOf(t.UTC()))
		return nil
	}
	switch dst.Kind() {
	case reflect.String:
		if !utf8.ValidString(text) {
			return badValue(name, text, "valid UTF-8")
		}
		dst.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return badValue(name, text, "true or false")
		}
		dst.SetBool(text == "true")
	case reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, dst.Type().Bits())
		if err != nil {
			return badValue(name, text, "an integer of "+strconv.Itoa(dst.Type().Bits())+" bits")
		}
		dst.SetInt(n)
	case reflect.Float32, reflect.Float64:
		return setFloat(dst, name, text)
	case reflect.Slice: // a blob: lists are dealt with before
		return setBlob(dst, name, text)
	default:
		return badValue(name, text, "given in a form that larder reads: it has no "+dst.Type().String())
	}
	return nil
}

func setFloat(dst reflect.Value, name, text string) error {
	f, err := strconv.ParseFloat(text, dst.Type().Bits())
	if err != nil {
		return badValue(name, text, "a number")
	}
	dst.SetFloat(f)
	return nil
}

func setBlob(dst reflect.Value, name, text string) error {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return badValue(name, text, "base64")
	}
	dst.SetBytes(b)
	return nil
}

// floatName is how every AWS protocol spells the numbers JSON does not have.
func floatName(f float64) (string, bool) {
	switch {
	case math.IsNaN(f):
		return "NaN", true
	case math.IsInf(f, 1):
		return "Infinity", true
	case math.IsInf(f, -1):
		return "-Infinity", true
	}
	return "", false
}

func appendFloat(b []byte, f float64, bits int) []byte {
	return strconv.AppendFloat(b, f, 'g', -1, bits)
}
