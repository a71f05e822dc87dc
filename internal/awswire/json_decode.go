package awswire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
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
	return c.treeValue(value, "", reflect.ValueOf(dst).Elem())
}
