package awswire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// iso8601 is how AWS prints times in XML.
const iso8601 = "2006-01-02T15:04:05.000Z"

// AppendQueryResponse appends an awsQuery response to b: out, a pointer to an
// SDK output, within the elements that the SDK's clients expect around it.
func (c *Codec) AppendQueryResponse(b []byte, action, requestID string, out any) ([]byte, error) {
	b = fmt.Appendf(b, `<%sResponse xmlns="%s">`, action, c.namespace)
	// Some clients require the result element where it is empty, and none minds one that it does not expect.
	b = openTag(b, action+"Result")
	b, err := c.appendXMLMembers(b, reflect.ValueOf(out).Elem())
	if err != nil {
		return nil, fmt.Errorf("encode the response of %s: %w", action, err)
	}
	b = closeTag(b, action+"Result")
	b = append(b, `<ResponseMetadata><RequestId>`...)
	b = appendXMLText(b, requestID)
	return fmt.Appendf(b, `</RequestId></ResponseMetadata></%sResponse>`, action), nil
}

// AppendQueryError appends awsQuery's error document to b. sender says whose fault
// it is: the client's, or else the service's. The namespace is empty when the
// service is not known. An empty message is left out.
func AppendQueryError(b []byte, namespace, code, message, requestID string, sender bool) []byte {
	fault := "Receiver"
	if sender {
		fault = "Sender"
	}
	b = append(b, `<ErrorResponse`...)
	if namespace != "" {
		b = fmt.Appendf(b, ` xmlns="%s"`, namespace)
	}
	b = fmt.Appendf(b, `><Error><Type>%s</Type><Code>`, fault)
	b = append(appendXMLText(b, code), `</Code>`...)
	if message != "" {
		b = append(appendXMLText(append(b, `<Message>`...), message), `</Message>`...)
	}
	b = appendXMLText(append(b, `</Error><RequestId>`...), requestID)
	return append(b, `</RequestId></ErrorResponse>`...)
}

// AppendS3Error appends an error as S3 writes it.
func AppendS3Error(b []byte, code, message, requestID string) []byte {
	b = append(b, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>`...)
	b = appendXMLText(b, code)
	b = append(b, `</Code><Message>`...)
	b = appendXMLText(b, message)
	b = append(b, `</Message><RequestId>`...)
	b = appendXMLText(b, requestID)
	return append(b, `</RequestId></Error>`...)
}

func (c *Codec) appendXMLMembers(b []byte, v reflect.Value) ([]byte, error) {
	p := c.responses.plan(v.Type())
	var err error
	for i := range p.members {
		m := &p.members[i]
		f := v.Field(m.index)
		if m.absent(f) {
			continue
		}
		if b, err = c.appendXMLMember(b, f, m); err != nil {
			return nil, fmt.Errorf("%s: %w", m.key, err)
		}
	}
	return b, nil
}

func (c *Codec) appendXMLMember(b []byte, v reflect.Value, m *member) ([]byte, error) {
	if m.flat && v.Kind() == reflect.Map {
		return c.appendXMLEntries(b, v, m, m.key)
	}
	if m.flat && v.Kind() == reflect.Slice {
		return c.appendXMLItems(b, v, m, m.key)
	}
	return c.appendXMLElement(b, m.key, v, m)
}

// appendXMLElement appends <name>v</name>; m names the elements within a list or map.
func (c *Codec) appendXMLElement(b []byte, name string, v reflect.Value, m *member) ([]byte, error) {
	b = openTag(b, name)
	b, err := c.appendXMLValue(b, v, m)
	if err != nil {
		return nil, err
	}
	return closeTag(b, name), nil
}

func (c *Codec) appendXMLValue(b []byte, v reflect.Value, m *member) ([]byte, error) {
	switch t := v.Type(); {
	case t.Kind() == reflect.Pointer:
		return c.appendXMLValue(b, v.Elem(), m)
	case t == timeType:
		return v.Interface().(time.Time).UTC().AppendFormat(b, iso8601), nil
	case t.Kind() == reflect.Struct:
		return c.appendXMLMembers(b, v)
	case isBlob(t):
		return base64.StdEncoding.AppendEncode(b, v.Bytes()), nil
	case t.Kind() == reflect.Slice:
		return c.appendXMLItems(b, v, m, m.item)
	case t.Kind() == reflect.Map:
		return c.appendXMLEntries(b, v, m, m.item)
	default:
		return appendXMLScalar(b, v)
	}
}

func appendXMLScalar(b []byte, v reflect.Value) ([]byte, error) {
	switch v.Kind() {
	case reflect.String:
		return appendXMLText(b, v.String()), nil
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Float32, reflect.Float64:
		if name, ok := floatName(v.Float()); ok {
			return append(b, name...), nil
		}
		return appendFloat(b, v.Float(), v.Type().Bits()), nil
	}
	return nil, fmt.Errorf("a %s has no form on the wire", v.Type())
}

func (c *Codec) appendXMLItems(b []byte, v reflect.Value, m *member, name string) ([]byte, error) {
	var err error
	for i := range v.Len() {
		if b, err = c.appendXMLElement(b, name, v.Index(i), m); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// appendXMLEntries appends a map sorted by key, so that equal answers are equal bytes.
func (c *Codec) appendXMLEntries(b []byte, v reflect.Value, m *member, name string) ([]byte, error) {
	var err error
	for _, key := range sortedKeys(v) {
		b = openTag(b, name)
		if b, err = c.appendXMLElement(b, m.mapKey, key, m); err != nil {
			return nil, err
		}
		if b, err = c.appendXMLElement(b, m.mapValue, v.MapIndex(key), m); err != nil {
			return nil, err
		}
		b = closeTag(b, name)
	}
	return b, nil
}

func sortedKeys(v reflect.Value) []reflect.Value {
	byName := make(map[string]reflect.Value, v.Len())
	for _, key := range v.MapKeys() {
		byName[key.String()] = key
	}
	keys := make([]reflect.Value, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		keys = append(keys, byName[name])
	}
	return keys
}

func openTag(b []byte, name string) []byte {
	return append(append(append(b, '<'), name...), '>')
}

func closeTag(b []byte, name string) []byte {
	return append(append(append(b, "</"...), name...), '>')
}

// appendXMLText escapes s as character data. What XML 1.0 cannot hold becomes
// the replacement character: a parser would refuse the whole document.
func appendXMLText(b []byte, s string) []byte {
	done := 0
	for i := 0; i < len(s); {
		r, width := utf8.DecodeRuneInString(s[i:])
		if escaped := xmlEscape(r, width); escaped != "" {
			b = append(append(b, s[done:i]...), escaped...)
			done = i + width
		}
		i += width
	}
	return append(b, s[done:]...)
}

func xmlEscape(r rune, width int) string {
	switch {
	case r == '&':
		return "&amp;"
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '\r': // parsers turn a bare one into \n
		return "&#xD;"
	case r == '\t' || r == '\n':
		return ""
	case r < 0x20 || r == 0xFFFE || r == 0xFFFF || (r == utf8.RuneError && width == 1):
		return "\uFFFD"
	}
	return ""
}
