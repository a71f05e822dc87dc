package secretsmanager

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"larder/internal/paging"
	"larder/internal/store"
)

const (
	maxResults = 100
	// defaultKey is how the API names the service's own key in a list of versions.
	defaultKey = "DefaultEncryptionKey"
)

func (s *Service) listSecrets(_ context.Context, in *sdk.ListSecretsInput) (*sdk.ListSecretsOutput, error) {
	key, err := sortKey(in.SortBy)
	if err != nil {
		return nil, err
	}
	if in.SortOrder != "" && !slices.Contains(in.SortOrder.Values(), in.SortOrder) {
		return nil, invalidParameter("Invalid value %s for SortOrder. Must be one of %v", in.SortOrder, in.SortOrder.Values())
	}
	var all []secret
	err = s.Store.View(func(tx *store.Tx) (err error) {
		all, err = secrets.All(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	deleted := aws.ToBool(in.IncludePlannedDeletion)
	all = slices.DeleteFunc(all, func(f secret) bool {
		return s.gone(f) || !deleted && !f.Deleted.IsZero() || !matchesAll(in.Filters, f)
	})
	all, token, err := page(all, key, in.SortOrder == types.SortOrderTypeDesc, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListSecretsOutput{SecretList: []types.SecretListEntry{}, NextToken: token}
	for _, f := range all {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: &f.ARN, Name: &f.Name, Description: text(f.Description), KmsKeyId: text(f.KMSKeyID), Tags: tagList(f.Tags),
			CreatedDate: &f.Created, LastChangedDate: &f.Changed, LastAccessedDate: moment(f.LastAccessed), DeletedDate: moment(f.Deleted),
			SecretVersionsToStages: f.stages(),
		})
	}
	return out, nil
}

// sortKey orders secrets by what a request names; the name makes keys distinct.
func sortKey(by types.SortByType) (func(secret) string, error) {
	of := func(date func(secret) time.Time) func(secret) string {
		return func(f secret) string { return dated(date(f), f.Name) }
	}
	switch by {
	case "", types.SortByTypeCreatedDate:
		return of(func(f secret) time.Time { return f.Created }), nil
	case types.SortByTypeLastChangedDate:
		return of(func(f secret) time.Time { return f.Changed }), nil
	case types.SortByTypeLastAccessedDate:
		return of(func(f secret) time.Time { return f.LastAccessed }), nil
	case types.SortByTypeName:
		return func(f secret) string { return f.Name }, nil
	}
	return nil, invalidParameter("Invalid value %s for SortBy. Must be one of %v", by, by.Values())
}

// dated is a key that orders by a time, and by a name where times are equal.
func dated(t time.Time, name string) string {
	return t.UTC().Format("2006-01-02T15:04:05.000000000 ") + name
}

// filterKeys are the filters that are served.
func filterKeys() []string {
	return []string{
		string(types.FilterNameStringTypeName), string(types.FilterNameStringTypeDescription),
		string(types.FilterNameStringTypeTagKey), string(types.FilterNameStringTypeTagValue),
	}
}

func matchesAll(filters []types.Filter, f secret) bool {
	return !slices.ContainsFunc(filters, func(filter types.Filter) bool { return !matches(filter, f) })
}

// matches tells whether a secret has what one filter looks for: one of its prefixes, and none of those after an exclamation
// mark.
func matches(filter types.Filter, f secret) bool {
	texts := map[types.FilterNameStringType][]string{
		types.FilterNameStringTypeName:        {f.Name},
		types.FilterNameStringTypeDescription: {strings.ToLower(f.Description)},
		types.FilterNameStringTypeTagKey:      slices.Collect(maps.Keys(f.Tags)),
		types.FilterNameStringTypeTagValue:    slices.Collect(maps.Values(f.Tags)),
	}[filter.Key]
	wanted, found := false, false
	for _, prefix := range filter.Values {
		if filter.Key == types.FilterNameStringTypeDescription { // the one filter that takes no notice of case
			prefix = strings.ToLower(prefix)
		}
		prefix, not := strings.CutPrefix(prefix, "!")
		has := slices.ContainsFunc(texts, func(t string) bool { return strings.HasPrefix(t, prefix) })
		if not && has {
			return false
		}
		wanted, found = wanted || !not, found || !not && has
	}
	return found || !wanted
}

func (s *Service) listVersions(_ context.Context, in *sdk.ListSecretVersionIdsInput) (*sdk.ListSecretVersionIdsOutput, error) {
	var found secret
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.find(tx, in.SecretId)
		return err
	})
	if err != nil {
		return nil, err
	}
	versions := found.newestFirst()
	if !aws.ToBool(in.IncludeDeprecated) {
		versions = slices.DeleteFunc(versions, func(v *version) bool { return len(v.Stages) == 0 })
	}
	key := func(v *version) string { return dated(v.Created, v.ID) }
	versions, token, err := page(versions, key, true, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListSecretVersionIdsOutput{ARN: &found.ARN, Name: &found.Name, Versions: []types.SecretVersionsListEntry{}, NextToken: token}
	for _, v := range versions {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{
			VersionId: &v.ID, VersionStages: v.Stages, CreatedDate: &v.Created, LastAccessedDate: moment(v.LastAccessed),
			KmsKeyIds: []string{cmp.Or(found.KMSKeyID, defaultKey)},
		})
	}
	return out, nil
}

// page returns the rows, in the order of their keys, that a request asks for, and the token of the next page when there is
// one.
func page[T any](rows []T, key func(T) string, descending bool, limit *int32, token *string) ([]T, *string, error) {
	size := maxResults
	if limit != nil {
		size = int(*limit)
	}
	if size < 1 || size > maxResults {
		return nil, nil, validation("Invalid value %d for MaxResults. Must be between 1 and %d", size, maxResults)
	}
	order := strings.Compare
	if descending {
		order = func(a, b string) int { return strings.Compare(b, a) }
	}
	rows, next, err := paging.Page(rows, key, order, size, token)
	if err != nil {
		return nil, nil, &types.InvalidNextTokenException{Message: new("The NextToken is not one of an earlier answer.")}
	}
	return rows, next, nil
}
