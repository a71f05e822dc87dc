package secretsmanager

import (
	"context"
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
	all, err := s.filtered(in.Filters, aws.ToBool(in.IncludePlannedDeletion))
	if err != nil {
		return nil, err
	}
	descending := in.SortOrder == types.SortOrderTypeDesc
	all, token, err := page(all, sortKey(in.SortBy), descending, maxResults, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListSecretsOutput{SecretList: []types.SecretListEntry{}, NextToken: token}
	for _, f := range all {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: &f.ARN, Name: &f.Name, Description: text(f.Description), KmsKeyId: text(f.KMSKeyID),
			Tags:        tagList(f.Tags),
			CreatedDate: &f.Created, LastChangedDate: &f.Changed, LastAccessedDate: moment(f.LastAccessed),
			DeletedDate:            moment(f.Deleted),
			SecretVersionsToStages: f.stages(),
		})
	}
	return out, nil
}

// sortKey orders secrets by what a request names; the name makes keys distinct.
func sortKey(by types.SortByType) func(secret) string {
	of := func(date func(secret) time.Time) func(secret) string {
		return func(f secret) string { return dated(date(f), f.Name) }
	}
	switch by {
	case types.SortByTypeLastChangedDate:
		return of(func(f secret) time.Time { return f.Changed })
	case types.SortByTypeLastAccessedDate:
		return of(func(f secret) time.Time { return f.LastAccessed })
	case types.SortByTypeName:
		return func(f secret) string { return f.Name }
	}
	return of(func(f secret) time.Time { return f.Created })
}

// dated is a key that orders by a time, and by a name where times are equal.
func dated(t time.Time, name string) string {
	return t.UTC().Format("2006-01-02T15:04:05.000000000 ") + name
}

func (s *Service) listVersions(
	_ context.Context, in *sdk.ListSecretVersionIdsInput,
) (*sdk.ListSecretVersionIdsOutput, error) {
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
	versions, token, err := page(versions, key, true, maxResults, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListSecretVersionIdsOutput{ARN: &found.ARN, Name: &found.Name,
		Versions: []types.SecretVersionsListEntry{}, NextToken: token}
	for _, v := range versions {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{
			VersionId: &v.ID, VersionStages: v.Stages, CreatedDate: &v.Created,
			LastAccessedDate: moment(v.LastAccessed),
			KmsKeyIds:        []string{found.sealedWith(v)},
		})
	}
	return out, nil
}

// page returns the rows, in the order of their keys, that a request asks for, at most most of them, and the token of
// the next page when there is one.
func page[T any](rows []T, key func(T) string, descending bool, most int, limit *int32, token *string) ([]T, *string,
	error) {
	size := most
	if limit != nil {
		size = int(*limit)
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
