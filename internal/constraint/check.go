package constraint

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxShown is how many characters of a value a message repeats. What is longer than that is cut.
const maxShown = 64 << 10

// notNull is what a member breaks that has to be given and is not.
const notNull = "not be null"

// check returns what of the member's rule its value breaks.
func (m *member) check(v reflect.Value) (broken []string) {
	v, given := given(v)
	if !given {
		if m.required {
			return []string{notNull}
		}
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		return m.checkText(v.String())
	case reflect.Int32, reflect.Int64:
		return m.checkNumber(v.Int())
	case reflect.Map:
		return checkBounds("length", int64(v.Len()), m.rule)
	case reflect.Slice:
		broken = checkBounds("length", int64(v.Len()), m.rule)
		if v.Type().Elem().Kind() == reflect.String {
			broken = append(broken, m.checkItems(v)...)
		}
	}
	return broken
}

// given follows a pointer, and tells whether something is there. The SDK's enums cannot tell "" from nothing.
func given(v reflect.Value) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v, false
		}
		return v.Elem(), true
	case reflect.Slice, reflect.Map, reflect.Interface:
		return v, !v.IsNil()
	case reflect.String:
		return v, v.Len() > 0
	}
	return v, true
}

func (m *member) checkText(text string) (broken []string) {
	if m.known != nil && !slices.Contains(m.known, text) && !slices.Contains(m.rule.Unlisted, text) {
		return []string{inSet(m.known...)}
	}
	return checkText(m.rule, m.pattern, text)
}

func checkText(r Rule, pattern *regexp.Regexp, text string) (broken []string) {
	if pattern != nil && !pattern.MatchString(text) {
		broken = append(broken, "satisfy regular expression pattern: "+r.Pattern)
	}
	return append(broken, checkBounds("length", int64(utf8.RuneCountInString(text)), r)...)
}

func (m *member) checkNumber(n int64) []string {
	if m.known != nil && !slices.Contains(m.known, strconv.FormatInt(n, 10)) {
		return []string{inSet(m.known...)}
	}
	if m.rule.NotNegative && n < 0 {
		return []string{bound("value", "greater", 0)}
	}
	return checkBounds("value", n, m.rule)
}

// checkItems names, once, what any of a list's texts breaks: all that the front says of each.
func (m *member) checkItems(v reflect.Value) []string {
	var each Rule
	if m.rule.Each != nil {
		each = *m.rule.Each
	}
	for _, text := range texts(v) {
		switch {
		case m.known != nil && !slices.Contains(m.known, text):
			return []string{ofEach("Member must " + inSet(m.known...))}
		case len(checkText(each, m.each, text)) > 0:
			return []string{ofEach(each.all()...)}
		}
	}
	return nil
}

func ofEach(said ...string) string { return "satisfy constraint: [" + strings.Join(said, ", ") + "]" }

// all is everything that a rule of a list's texts says, in the order in which the front lists it.
func (r Rule) all() (all []string) {
	if r.Most > 0 {
		all = append(all, "Member must "+bound("length", "less", r.Most))
	}
	if r.Least > 0 {
		all = append(all, "Member must "+bound("length", "greater", r.Least))
	}
	if r.Pattern != "" {
		all = append(all, "Member must satisfy regular expression pattern: "+r.Pattern)
	}
	return all
}

func checkBounds(what string, n int64, r Rule) []string {
	switch {
	case r.Least > 0 && n < r.Least:
		return []string{bound(what, "greater", r.Least)}
	case r.Most > 0 && n > r.Most:
		return []string{bound(what, "less", r.Most)}
	}
	return nil
}

// bound words a bound of a length or a value that is passed: than is "less" or "greater".
func bound(what, than string, limit int64) string {
	return fmt.Sprintf("have %s %s than or equal to %d", what, than, limit)
}

// inSet words what values there are.
func inSet(values ...string) string {
	return "satisfy enum value set: [" + strings.Join(values, ", ") + "]"
}

// shown is how a message repeats the member's value: with a blank behind it, or not at all.
func (m *member) shown(v reflect.Value) string {
	v, given := given(v)
	switch {
	case !given:
		return "null "
	case m.rule.Withheld, v.Kind() == reflect.Map:
		return ""
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		return quote("[" + strings.Join(texts(v), ", ") + "]")
	case m.rule.Shown != nil:
		return quote(m.rule.Shown(v.Interface()))
	case v.Kind() == reflect.Slice && v.Len() > 0:
		return ""
	}
	return quote(fmt.Sprint(v.Interface()))
}

func quote(text string) string {
	if utf8.RuneCountInString(text) > maxShown {
		text = string([]rune(text)[:maxShown]) + "…"
	}
	return "'" + text + "' "
}

func texts(v reflect.Value) []string {
	all := make([]string, v.Len())
	for i := range all {
		all[i] = v.Index(i).String()
	}
	return all
}
