package secretsmanager_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

// list returns the names of the secrets that a request lists.
func (s *server) list(t *testing.T, in sdk.ListSecretsInput) (names []string) {
	t.Helper()
	pages := sdk.NewListSecretsPaginator(s, &in)
	for pages.HasMorePages() {
		for _, e := range must(pages.NextPage(t.Context()))(t).SecretList {
			names = append(names, *e.Name)
		}
	}
	return names
}

func TestListSecrets(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"app/b", "app/c", "db/a", "old"} {
		must(s.CreateSecret(t.Context(), &sdk.CreateSecretInput{
			Name: &name, Description: new("For " + name), SecretString: new("x"),
			Tags: []types.Tag{{Key: new("team-" + name), Value: new("of " + name)}},
		}))(t)
		s.now = s.now.Add(24 * time.Hour)
	}
	s.put(t, "app/b", "y")
	s.value(t, "app/c", "AWSCURRENT")
	must(s.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: new("old")}))(t)
	filter := func(key types.FilterNameStringType, values ...string) []types.Filter {
		return []types.Filter{{Key: key, Values: values}}
	}
	for name, test := range map[string]struct {
		in   sdk.ListSecretsInput
		want []string
	}{
		"by creation": {sdk.ListSecretsInput{}, []string{"app/b", "app/c", "db/a"}},
		"newest first": {sdk.ListSecretsInput{SortOrder: types.SortOrderTypeDesc},
			[]string{"db/a", "app/c", "app/b"}},
		"by change": {sdk.ListSecretsInput{SortBy: types.SortByTypeLastChangedDate},
			[]string{"app/c", "db/a", "app/b"}},
		"by access": {sdk.ListSecretsInput{SortBy: types.SortByTypeLastAccessedDate},
			[]string{"app/b", "db/a", "app/c"}},
		"by name, backwards": {sdk.ListSecretsInput{SortBy: types.SortByTypeName, SortOrder: types.SortOrderTypeDesc},
			[]string{"db/a", "app/c", "app/b"}},
		"deleted too": {sdk.ListSecretsInput{IncludePlannedDeletion: new(true)},
			[]string{"app/b", "app/c", "db/a", "old"}},
		"in pages": {sdk.ListSecretsInput{MaxResults: new(int32(1))}, []string{"app/b", "app/c", "db/a"}},
		"in pages, backwards": {sdk.ListSecretsInput{MaxResults: new(int32(2)), SortOrder: types.SortOrderTypeDesc},
			[]string{"db/a", "app/c", "app/b"}},
		"name": {sdk.ListSecretsInput{Filters: filter("name", "app/")}, []string{"app/b", "app/c"}},
		"one of two names": {sdk.ListSecretsInput{Filters: filter("name", "app/b", "db")},
			[]string{"app/b", "db/a"}},
		"not a name":         {sdk.ListSecretsInput{Filters: filter("name", "!app/b")}, []string{"app/c", "db/a"}},
		"name in other case": {sdk.ListSecretsInput{Filters: filter("name", "APP")}, nil},
		"description":        {sdk.ListSecretsInput{Filters: filter("description", "FOR DB")}, []string{"db/a"}},
		"tag key":            {sdk.ListSecretsInput{Filters: filter("tag-key", "team-app/c")}, []string{"app/c"}},
		"tag value": {sdk.ListSecretsInput{Filters: filter("tag-value", "of app")},
			[]string{"app/b", "app/c"}},
		"name and tag": {sdk.ListSecretsInput{Filters: slices.Concat(filter("name", "app"),
			filter("tag-value", "!of app/b"))},
			[]string{"app/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, s.list(t, test.in)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestListSecretsRefusals(t *testing.T) {
	s := newServer(t)
	list := func(in sdk.ListSecretsInput) error { _, err := s.ListSecrets(t.Context(), &in); return err }
	const validation = "ValidationException"
	servicetest.WantError(t, list(sdk.ListSecretsInput{MaxResults: new(int32(0))}), validation,
		refusal("'0'", "maxResults", "have value greater than or equal to 1"))
	servicetest.WantError(t, list(sdk.ListSecretsInput{MaxResults: new(int32(101))}), validation,
		refusal("'101'", "maxResults", "have value less than or equal to 100"))
	servicetest.WantError(t, list(sdk.ListSecretsInput{NextToken: new("no token")}), "InvalidNextTokenException",
		"The NextToken is not one of an earlier answer.")
	servicetest.WantError(t, list(sdk.ListSecretsInput{SortBy: "size"}), validation, refusal("'size'", "sortBy",
		"satisfy enum value set: [last-accessed-date, name, created-date, last-changed-date]"))
	servicetest.WantError(t, list(sdk.ListSecretsInput{SortOrder: "up", MaxResults: new(int32(0))}), validation,
		"2 validation errors detected: "+
			"Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to "+
			"1; Value 'up' at 'sortOrder' failed to satisfy constraint: Member must "+
			"satisfy enum value set: [asc, desc]")
	for _, test := range []struct {
		filter        types.Filter
		code, message string
	}{
		{types.Filter{Values: []string{"x"}}, "InvalidParameterException", "Invalid filter key"},
		{types.Filter{Key: "description"}, "InvalidParameterException", "Invalid filter values for key: description"},
		{types.Filter{Key: "invalid", Values: []string{"x"}}, "ValidationException",
			"1 validation error detected: Value 'invalid' at " +
				"'filters.1.member.key' failed to satisfy constraint: Member must satisfy enum value set: [all, " +
				"name, tag-key, description, tag-value]"},
		{types.Filter{Key: "name", Values: slices.Repeat([]string{"x"}, 11)}, validation,
			refusal("'["+strings.Repeat("x, ", 10)+"x]'", "filters.1.member.values",
				"have length less than or equal to 10")},
	} {
		servicetest.WantError(t, list(sdk.ListSecretsInput{Filters: []types.Filter{test.filter}}), test.code,
			test.message)
	}
	servicetest.WantError(t, list(sdk.ListSecretsInput{Filters: slices.Repeat([]types.Filter{{Key: "name",
		Values: []string{"x"}}}, 11)}),
		validation, refusal("", "filters", "have length less than or equal to 10"))
	for _, key := range []types.FilterNameStringType{"primary-region", "owning-service"} {
		if err := list(sdk.ListSecretsInput{Filters: []types.Filter{{Key: key, Values: []string{"x"}}}}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}
