package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// defaultVersion is a policy document's that names none.
const defaultVersion = `"2008-10-17"`

// members are a policy document's and its statements', in the order in which they are described. Others follow in their
// own order.
func members() []string {
	return []string{
		"Version", "Id", "Statement",
		"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
}

// normalized is a policy document as it is described: with a version, a list of statements, a text in place of a list
// with one, and its members in order.
func normalized(document string) (string, error) {
	var policy map[string]json.RawMessage
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return "", fmt.Errorf("cannot read a stored policy document: %w", err)
	}
	if policy["Version"] == nil {
		policy["Version"] = json.RawMessage(defaultVersion)
	}
	statements := []json.RawMessage{policy["Statement"]}
	if raw := bytes.TrimSpace(policy["Statement"]); len(raw) > 0 && raw[0] == '[' {
		if err := json.Unmarshal(raw, &statements); err != nil {
			return "", fmt.Errorf("cannot read a stored policy document's statements: %w", err)
		}
	}
	out := []byte{'['}
	for i, st := range statements {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendNormal(out, st)
	}
	policy["Statement"] = append(out, ']')
	return string(appendMembers(nil, policy, func(b []byte, v json.RawMessage) []byte { return append(b, v...) })), nil
}

// appendNormal appends a value of a statement, in which a list with one text is that text.
func appendNormal(b []byte, value json.RawMessage) []byte {
	var list []string
	if err := json.Unmarshal(value, &list); err == nil && len(list) == 1 {
		return appendJSON(b, list[0])
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(value, &object); err == nil && object != nil {
		return appendMembers(b, object, appendNormal)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return append(b, value...)
	}
	return append(b, compact.Bytes()...)
}

func appendMembers(b []byte, object map[string]json.RawMessage,
	appendValue func([]byte, json.RawMessage) []byte) []byte {
	names := slices.SortedFunc(maps.Keys(object), func(a, b string) int {
		return bytes.Compare(sortKey(a), sortKey(b))
	})
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSON(b, name), ':')
		b = appendValue(b, object[name])
	}
	return append(b, '}')
}

// sortKey orders the members of a statement: known ones as members lists them, then the others by name.
func sortKey(name string) []byte {
	at := slices.Index(members(), name)
	if at < 0 {
		at = len(members())
	}
	return fmt.Appendf(nil, "%02d%s", at, name)
}

func appendJSON(b []byte, text string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic("logs: encoding a string: " + err.Error()) // it has no way to fail
	}
	return append(b, bytes.TrimSpace(quoted.Bytes())...)
}
