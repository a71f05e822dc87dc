package audit

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// hiddenValue stands for what is not recorded, as in CloudTrail's events.
	hiddenValue = "HIDDEN_DUE_TO_SECURITY_REASONS"
	// maxText is how much of one text is recorded, in bytes.
	maxText = 512
	// maxParameters is the size of all parameters in JSON, in bytes; larger ones are left out, as CloudTrail does.
	maxParameters = 8 << 10
)

// omitted stands for parameters that are too large.
type omitted struct {
	Omitted      bool   `json:"omitted"`
	OriginalSize int    `json:"originalSize"`
	Reason       string `json:"reason"`
}

// parameters are what an input asks for, in JSON, without what is hidden. Their names begin in lower case, as
// CloudTrail's do.
func parameters(input any) (json.RawMessage, error) {
	raw, err := json.Marshal(shown(reflect.ValueOf(input)))
	if err == nil && len(raw) > maxParameters {
		raw, err = json.Marshal(omitted{true, len(raw), "requestParameters too large"})
	}
	return raw, err
}

// shown is a value as it is recorded; nil of one that is not set.
func shown(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return shown(v.Elem())
	case reflect.Struct:
		if at, is := v.Interface().(time.Time); is {
			return at.UTC()
		}
		return shownStruct(v)
	case reflect.Slice:
		return shownList(v)
	case reflect.Map:
		return shownMap(v)
	case reflect.String:
		return clip(v.String())
	}
	return v.Interface()
}

func shownStruct(v reflect.Value) any {
	members := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || v.Field(i).IsZero() || f.Name == "ResultMetadata" {
			continue
		}
		var value any = hiddenValue
		if !isHidden(f.Name) {
			value = shown(v.Field(i))
		}
		members[lowerFirst(f.Name)] = value
	}
	return members
}

func shownList(v reflect.Value) any {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		return hiddenValue // no input has bytes that say what is changed
	}
	all := []any{}
	for i := range v.Len() {
		all = append(all, shown(v.Index(i)))
	}
	return all
}

// shownMap keeps the keys as they are: they are names that clients gave.
func shownMap(v reflect.Value) any {
	members := map[string]any{}
	for key, value := range v.Seq2() {
		if name := key.String(); isHidden(name) {
			members[name] = hiddenValue
		} else {
			members[name] = shown(value)
		}
	}
	return members
}

func clip(text string) string {
	if len(text) <= maxText {
		return text
	}
	end := maxText
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// lowerFirst writes a Go name as CloudTrail writes a member's: its first letter, or the capitals that it begins with,
// in lower case.
func lowerFirst(name string) string {
	capitals := len(name) - len(strings.TrimLeftFunc(name, unicode.IsUpper))
	if capitals > 1 && capitals < len(name) {
		capitals-- // the last one begins the next word
	}
	return strings.ToLower(name[:capitals]) + name[capitals:]
}

// resources are the ARNs that an input's own members hold.
func resources(input any) []Resource {
	v := reflect.Indirect(reflect.ValueOf(input))
	if v.Kind() != reflect.Struct {
		return nil
	}
	var all []Resource
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		text, is := v.Field(i).Interface().(*string)
		if !is || text == nil || isHidden(f.Name) || !strings.HasPrefix(*text, "arn:") {
			continue
		}
		r := Resource{ARN: clip(*text)}
		if parts := strings.SplitN(*text, ":", arnParts); len(parts) == arnParts {
			r.AccountID = clip(parts[accountPart])
		}
		all = append(all, r)
	}
	return all
}

// The parts of an ARN: arn:aws:sns:us-east-1:123456789012:name.
const (
	arnParts    = 6
	accountPart = 4
)
