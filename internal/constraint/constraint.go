// Package constraint refuses inputs that break what an AWS service's model says of their members: lengths, values,
// patterns and enums. It words and counts the violations as AWS does, before anybody looks at what the request means.
package constraint

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
)

// Rule is what a model says of a member. The zero value allows everything.
type Rule struct {
	// Least and Most bound the length of a text in characters, of a blob in bytes, of a list or map in items, or the
	// value of a number. 0 is no bound.
	Least, Most int64
	// NotNegative refuses numbers below 0, which Least cannot say.
	NotNegative bool
	// Pattern is a regular expression that the whole text matches, as AWS writes it.
	Pattern string
	// Values are those of an enum that the SDK has no type for, in AWS's order.
	Values []string
	// Open leaves the values of an enum to the service, which refuses others in words of its own.
	Open bool
	// Unlisted values of an enum are allowed, but messages do not list them.
	Unlisted []string
	// Each is what is said of each text of a list.
	Each *Rule
	// Withheld keeps the value out of the message: a secret, or data that are not text.
	Withheld bool
	// Shown is how messages repeat the value of a list of structures; nil leaves such a value out.
	Shown func(any) string
}

// Rules are those of a service. A key is "Type.Field" with the names of the SDK's Go structures, or "Field" for all
// types that have no rule of their own. Enums need none: the SDK's type says what there is.
type Rules map[string]Rule

// Front is what one service's model refuses.
type Front struct {
	// Code is the error's.
	Code  string
	Rules Rules
	// Required names, by input type, the members that have to be given.
	Required map[string][]string
	// Say words the first breach, for a service that does not count them all in the words of smithy's models; nil where
	// it does. A nil error leaves the breach to the service's own checks.
	Say func(Breach) error

	plans sync.Map // reflect.Type → []member
}

// member is one field of a structure, made ready.
type member struct {
	index    int
	name     string // as the front calls it
	rule     Rule
	required bool
	known    []string // the values of an enum, as messages list them; nil for others
	pattern  *regexp.Regexp
	each     *regexp.Regexp
	nested   bool // whether structures with rules may be below it
}

// Check returns an error of smithy's kind that names every violation, or nil. The input is a pointer to one of the
// SDK's structures.
func (f *Front) Check(input any) error {
	v := reflect.ValueOf(input).Elem()
	if f.Say != nil {
		return f.first("", v)
	}
	return f.refuse(f.violations(nil, "", v))
}

func (f *Front) refuse(violations []string) error {
	if len(violations) == 0 {
		return nil
	}
	errors := "errors"
	if len(violations) == 1 {
		errors = "error"
	}
	return &smithy.GenericAPIError{
		Code: f.Code, Fault: smithy.FaultClient,
		Message: fmt.Sprintf("%d validation %s detected: %s", len(violations), errors, strings.Join(violations, "; ")),
	}
}

// violations appends those of a structure to found. Its own members are called path and their names.
func (f *Front) violations(found []string, path string, v reflect.Value) []string {
	for _, m := range f.plan(v.Type()) {
		field, name := v.Field(m.index), path+m.name
		for _, broken := range m.check(field) {
			found = append(found, violation(m.shown(field), name, broken))
		}
		if m.nested {
			found = f.below(found, name, field)
		}
	}
	return found
}

// below looks into what a member holds.
func (f *Front) below(found []string, name string, v reflect.Value) []string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return f.below(found, name, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = f.below(found, fmt.Sprintf("%s.%d.member", name, i+1), v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			found = f.below(found, name+"."+key.String()+".member", v.MapIndex(key))
		}
	case reflect.Struct:
		return f.violations(found, name+".", v)
	}
	return found
}

// violation words one violation.
func violation(shown, member, broken string) string {
	return fmt.Sprintf("Value %sat '%s' failed to satisfy constraint: Member must %s", shown, member, broken)
}

// plan works out a structure's members once.
func (f *Front) plan(t reflect.Type) []member {
	if known, ok := f.plans.Load(t); ok {
		return known.([]member)
	}
	var all []member
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" {
			continue
		}
		rule, special := f.Rules[t.Name()+"."+field.Name]
		if !special {
			rule = f.Rules[field.Name]
		}
		m := member{index: i, name: lowerFirst(field.Name), rule: rule, pattern: whole(rule.Pattern),
			nested:   holdsStruct(field.Type),
			required: slices.Contains(f.Required[t.Name()], field.Name)}
		if m.known = rule.Values; m.known == nil && !rule.Open {
			m.known = enumOf(field.Type)
		}
		if rule.Each != nil {
			m.each = whole(rule.Each.Pattern)
		}
		all = append(all, m)
	}
	kept, _ := f.plans.LoadOrStore(t, all)
	return kept.([]member)
}

// whole matches texts from their beginning to their end.
func whole(pattern string) *regexp.Regexp {
	if pattern == "" {
		return nil
	}
	return regexp.MustCompile(`^(?:` + pattern + `)$`)
}

func holdsStruct(t reflect.Type) bool {
	t = innermost(t)
	return t.Kind() == reflect.Struct && t.PkgPath() != "time"
}

// innermost is what a type points to, or holds, in the end.
func innermost(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }
