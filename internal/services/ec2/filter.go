package ec2

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/awssdk/ec2/types"
)

// filters are the filters of one action: what each looks at in something described.
type filters[T any] map[string]func(T) []string

// tagFilter is the beginning of a filter that names a tag's key; its values are the tag's.
const tagFilter = "tag:"

// withTags adds the filters that look at tags.
func (f filters[T]) withTags(tags func(T) []types.Tag) filters[T] {
	f["tag-key"] = func(v T) (keys []string) {
		for _, t := range tags(v) {
			keys = append(keys, *t.Key)
		}
		return keys
	}
	f[tagFilter] = func(v T) (pairs []string) {
		for _, t := range tags(v) {
			pairs = append(pairs, *t.Key+"="+*t.Value)
		}
		return pairs
	}
	return f
}

// also gives a filter further names.
func (f filters[T]) also(name string, others ...string) filters[T] {
	for _, other := range others {
		f[other] = f[name]
	}
	return f
}

// check refuses filters that the action does not have.
func (f filters[T]) check(given []types.Filter) error {
	for _, g := range given {
		name := aws.ToString(g.Name)
		known := f[name] != nil && name != tagFilter
		if strings.HasPrefix(name, tagFilter) && name != tagFilter {
			known = f[tagFilter] != nil
		}
		switch {
		case !known:
			return invalidValue("The filter '%s' is invalid. The filters here are %s", name,
				strings.Join(f.names(), ", "))
		case len(g.Values) == 0:
			return invalidValue("The filter '%s' has no values", name)
		}
	}
	return nil
}

func (f filters[T]) names() []string {
	names := slices.Sorted(maps.Keys(f))
	if i := slices.Index(names, tagFilter); i >= 0 {
		names[i] = "tag:<key>"
	}
	return names
}

// match reports whether every filter finds one of its values.
func (f filters[T]) match(given []types.Filter, v T) bool {
	return !slices.ContainsFunc(given, func(g types.Filter) bool { return !f.matchOne(g, v) })
}

func (f filters[T]) matchOne(g types.Filter, v T) bool {
	look, prefix := f[*g.Name], ""
	if key, ok := strings.CutPrefix(*g.Name, tagFilter); ok {
		look, prefix = f[tagFilter], key+"="
	}
	return slices.ContainsFunc(look(v), func(found string) bool {
		found, ok := strings.CutPrefix(found, prefix)
		return ok && slices.ContainsFunc(g.Values, func(pattern string) bool { return like(pattern, found) })
	})
}

// like matches a pattern in which * stands for any characters, ? for one, and a backslash takes the next one's meaning
// away.
func like(pattern, s string) bool {
	p, text := []rune(pattern), []rune(s)
	// at[i] tells whether what was read of the pattern matches the first i characters.
	at := make([]bool, len(text)+1)
	at[0] = true
	for i := 0; i < len(p); i++ {
		next := make([]bool, len(text)+1)
		switch {
		case p[i] == '*':
			for j := range next {
				next[j] = at[j] || j > 0 && next[j-1]
			}
		default:
			wild := p[i] == '?'
			if p[i] == '\\' && i+1 < len(p) {
				i++
			}
			for j, c := range text {
				next[j+1] = at[j] && (wild || c == p[i])
			}
		}
		at = next
	}
	return at[len(text)]
}

// The looks that most filters have.

func text[T any](get func(T) *string) func(T) []string {
	return func(v T) []string {
		if s := get(v); s != nil {
			return []string{*s}
		}
		return nil
	}
}

func truth[T any](get func(T) *bool) func(T) []string {
	return func(v T) []string { return []string{strconv.FormatBool(aws.ToBool(get(v)))} }
}

// each looks at the members of a list.
func each[T, E any](list func(T) []E, look func(E) []string) func(T) []string {
	return func(v T) (found []string) {
		for _, e := range list(v) {
			found = append(found, look(e)...)
		}
		return found
	}
}
