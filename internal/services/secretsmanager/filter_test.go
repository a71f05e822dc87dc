package secretsmanager_test

import (
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"
)

// Each row is what AWS answered to moto's tests of filters, or what its documentation says of them.
func TestListSecretsFilters(t *testing.T) {
	s := newServer(t)
	for _, made := range []struct{ name, description, key, value string }{
		{"foo", "one two", "right", "right"},
		{"bar", "one and two", "right", "wrong"},
		{"baz", "One", "wrong", "right"},
		{"qux", "two", "wrong", "foo"},
		{"none/prodRedis", "unrelated", "team", "x"},
	} {
		must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{
			Name: &made.name, Description: &made.description, Tags: []types.Tag{{Key: &made.key, Value: &made.value}},
		}))(t)
	}
	type filters = []types.Filter
	of := func(key types.FilterNameStringType, values ...string) types.Filter {
		return types.Filter{Key: key, Values: values}
	}
	for _, test := range []struct {
		what    string
		filters filters
		want    []string
	}{
		{"every word, anywhere", filters{of("description", "one two")}, []string{"bar", "foo"}},
		{"in any order", filters{of("description", "TWO one")}, []string{"bar", "foo"}},
		{"in other case", filters{of("description", "one")}, []string{"bar", "baz", "foo"}},
		{"the beginning of a word", filters{of("description", "unre")}, []string{"none/prodRedis"}},
		{"not its end", filters{of("description", "related")}, nil},
		{"several values: any", filters{of("name", "foo", "bar")}, []string{"bar", "foo"}},
		{"several filters: all", filters{of("tag-key", "right"), of("tag-value", "right")}, []string{"foo"}},
		{"one key twice: all", filters{of("description", "one"), of("description", "two")}, []string{"bar", "foo"}},
		{"not", filters{of("description", "!o")}, []string{"none/prodRedis", "qux"}},
		{"one or not two", filters{of("description", "one", "!two")}, []string{"bar", "baz", "foo", "none/prodRedis"}},
		{"not a name", filters{of("name", "!foo")}, []string{"bar", "baz", "none/prodRedis", "qux"}},
		{"all: a name, a tag's value", filters{of("all", "FOO")}, []string{"foo", "qux"}},
		{"all: a tag's key, a description", filters{of("all", "team unrelated")}, []string{"none/prodRedis"}},
		{"all: a name's words", filters{of("all", "redis prod")}, []string{"none/prodRedis"}},
		{"all: not", filters{of("all", "!one", "!x")}, []string{"bar", "baz", "foo", "none/prodRedis", "qux"}},
		{"a word of a name is no prefix", filters{of("name", "prod")}, nil},
		{"no words", filters{of("description", " / ")}, nil},
		{"nobody's", filters{of("owning-service", "rds")}, nil},
		{"not replicated", filters{of("primary-region", "us-east-1")}, nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			got := s.list(t, sdk.ListSecretsInput{Filters: test.filters})
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
