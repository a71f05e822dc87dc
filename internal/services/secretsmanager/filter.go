package secretsmanager

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"larder/internal/store"
)

// Bounds of a request's filters, and of one filter's values.
const (
	maxFilters      = 10
	maxFilterValues = 10
)

// filtered lists the secrets that every filter lets through. With deleted, those that wait for their deletion are among
// them.
func (s *Service) filtered(filters []types.Filter, deleted bool) ([]secret, error) {
	if err := checkFilters(filters); err != nil {
		return nil, err
	}
	var all []secret
	err := s.Store.View(func(tx *store.Tx) (err error) {
		all, err = secrets.List(tx)
		return err
	})
	return slices.DeleteFunc(all, func(f secret) bool {
		return s.gone(f) || !deleted && !f.Deleted.IsZero() || !matchesAll(filters, f)
	}), err
}

func checkFilters(filters []types.Filter) error {
	for _, f := range filters {
		switch {
		case f.Key == "":
			return invalidParameter("Invalid filter key")
		case len(f.Values) == 0:
			return invalidParameter("Invalid filter values for key: %s", f.Key)
		}
	}
	return nil
}

func matchesAll(filters []types.Filter, f secret) bool {
	return !slices.ContainsFunc(filters, func(filter types.Filter) bool { return !matches(filter, f) })
}

// matches tells whether a secret has what one of a filter's values looks for, or lacks what one with an exclamation
// mark does.
func matches(filter types.Filter, f secret) bool {
	search := searchOf(filter.Key, f)
	return slices.ContainsFunc(filter.Values, func(value string) bool {
		value, not := strings.CutPrefix(value, "!")
		return search(value) != not
	})
}

// searchOf is how a filter's key looks for a value in a secret. Names and tags are compared from their beginning,
// letter by letter; descriptions, and everything together, word by word in either case. No secret here has a primary
// region, for none is replicated, or a service that owns it.
func searchOf(key types.FilterNameStringType, f secret) func(string) bool {
	keys, values := slices.Collect(maps.Keys(f.Tags)), slices.Collect(maps.Values(f.Tags))
	switch key {
	case types.FilterNameStringTypeName:
		return begins(f.Name)
	case types.FilterNameStringTypeDescription:
		return hasWords(f.Description)
	case types.FilterNameStringTypeTagKey:
		return begins(keys...)
	case types.FilterNameStringTypeTagValue:
		return begins(values...)
	case types.FilterNameStringTypeAll:
		return hasWords(slices.Concat([]string{f.Name, f.Description}, keys, values)...)
	}
	return func(string) bool { return false }
}

// begins looks for a text that begins with a value.
func begins(texts ...string) func(string) bool {
	return func(value string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return strings.HasPrefix(t, value) })
	}
}

// hasWords looks for texts of which each of a value's words begins a word, in whichever order.
func hasWords(texts ...string) func(string) bool {
	var have []string
	for _, t := range texts {
		have = append(have, words(t)...)
	}
	return func(value string) bool {
		wanted := words(value)
		return len(wanted) > 0 && !slices.ContainsFunc(wanted, func(word string) bool { return !begins(have...)(word) })
	}
}

// words cuts a text into its words, in lower case. A word ends before what is neither a letter nor a digit, and before
// a capital after a small letter: "payments/prodRedis" has three.
func words(text string) []string {
	var cut strings.Builder
	small := false
	for _, r := range text {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut.WriteByte(' ')
		case small && unicode.IsUpper(r):
			cut.WriteByte(' ')
			fallthrough
		default:
			cut.WriteRune(unicode.ToLower(r))
		}
		small = unicode.IsLower(r)
	}
	return strings.Fields(cut.String())
}
