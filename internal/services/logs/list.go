package logs

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/store"
)

// The bounds of a page of either list, the upper one of which is also the default, and how many groups one request may name.
const (
	minLimit       = 1
	maxLimit       = 50
	maxIdentifiers = 50
)

func (s *Service) describeLogGroups(_ context.Context, in *sdk.DescribeLogGroupsInput) (*sdk.DescribeLogGroupsOutput, error) {
	given := 0
	for _, is := range []bool{in.LogGroupNamePrefix != nil, in.LogGroupNamePattern != nil, len(in.LogGroupIdentifiers) > 0} {
		if is {
			given++
		}
	}
	if given > 1 {
		return nil, invalidParameter("At most one of logGroupNamePrefix, logGroupNamePattern and logGroupIdentifiers can be given")
	}
	names, err := s.identifiers(in.LogGroupIdentifiers)
	if err != nil {
		return nil, err
	}
	prefix, pattern := aws.ToString(in.LogGroupNamePrefix), aws.ToString(in.LogGroupNamePattern)
	var found []group
	err = s.Store.View(func(tx *store.Tx) error {
		for g, err := range groups.From(tx, prefix) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(g.Name, prefix) && strings.Contains(g.Name, pattern) && (names == nil || slices.Contains(names, g.Name)) {
				found = append(found, g)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	found, token, err := page(found, func(g group) string { return g.Name }, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}, NextToken: token}
	for _, g := range found {
		described, err := s.describe(g)
		if err != nil {
			return nil, err
		}
		out.LogGroups = append(out.LogGroups, described)
	}
	return out, nil
}

// identifiers returns the names among names and ARNs; nil for none.
func (s *Service) identifiers(given []string) (names []string, err error) {
	if len(given) > maxIdentifiers {
		return nil, invalidParameter("At most %d logGroupIdentifiers can be given; the request has %d", maxIdentifiers, len(given))
	}
	for _, name := range given {
		if strings.HasPrefix(name, "arn:") {
			if name, err = s.named(name); err != nil {
				return nil, err
			}
		}
		names = append(names, name)
	}
	return names, nil
}

func (s *Service) describe(g group) (types.LogGroup, error) {
	var filters []metricFilter
	err := s.Store.View(func(tx *store.Tx) (err error) {
		filters, err = filtersOf(tx, g.Name)
		return err
	})
	if err != nil {
		return types.LogGroup{}, err
	}
	stats, err := s.Events.Stats(g.id())
	if err != nil {
		return types.LogGroup{}, err
	}
	stored := int64(0)
	for _, st := range stats {
		stored += st.Bytes
	}
	out := types.LogGroup{
		LogGroupName: &g.Name, LogGroupArn: new(s.arn(g.Name)), Arn: new(s.arn(g.Name) + ":*"), CreationTime: millis(g.Created),
		LogGroupClass: types.LogGroupClassStandard, MetricFilterCount: new(int32(len(filters))), StoredBytes: &stored,
		DeletionProtectionEnabled: new(false),
	}
	if g.Retention != 0 {
		out.RetentionInDays = &g.Retention
	}
	if g.KMSKey != "" {
		out.KmsKeyId = &g.KMSKey
	}
	return out, nil
}

// page returns the rows, which come in the order of their keys, that a request asks for, and the token of the next page when
// there is one. A token holds the last key shown.
func page[T any](rows []T, key func(T) string, limit *int32, token *string) ([]T, *string, error) {
	return pageOf(rows, key, false, limit, token)
}

// pageOf does the same for rows that may come in the reverse order of their keys.
func pageOf[T any](rows []T, key func(T) string, descending bool, limit *int32, token *string) ([]T, *string, error) {
	size := maxLimit
	if limit != nil {
		if size = int(*limit); size < minLimit || size > maxLimit {
			return nil, nil, constraint(size, "limit", "have value between 1 and 50")
		}
	}
	if token != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil {
			return nil, nil, invalidParameter("The specified nextToken is invalid.")
		}
		for len(rows) > 0 && (key(rows[0]) == string(last) || key(rows[0]) < string(last) != descending) {
			rows = rows[1:]
		}
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	return rows[:size], new(base64.RawURLEncoding.EncodeToString([]byte(key(rows[size-1])))), nil
}
