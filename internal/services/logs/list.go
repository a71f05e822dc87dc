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

// The size of a page of either list, at most and where none is asked for, and how many groups one request may name.
const (
	maxLimit       = 50
	maxIdentifiers = 50
)

func (s *Service) describeLogGroups(
	_ context.Context, in *sdk.DescribeLogGroupsInput,
) (*sdk.DescribeLogGroupsOutput, error) {
	switch {
	case in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil:
		return nil, invalidParameter("LogGroup name prefix and LogGroup name pattern are mutually exclusive " +
			"parameters.")
	case in.LogGroupNamePrefix != nil && len(*in.LogGroupNamePrefix) > maxName, in.LogGroupNamePattern != nil &&
		len(*in.LogGroupNamePattern) > maxName:
		return nil, tooLong()
	}
	given := 0
	for _, is := range []bool{in.LogGroupNamePrefix != nil, in.LogGroupNamePattern != nil,
		len(in.LogGroupIdentifiers) > 0} {
		if is {
			given++
		}
	}
	if given > 1 {
		return nil, invalidParameter("At most one of logGroupNamePrefix, logGroupNamePattern and logGroupIdentifiers can " +
			"be given")
	}
	names, err := s.identifiers(in.LogGroupIdentifiers)
	if err != nil {
		return nil, err
	}
	prefix, pattern := aws.ToString(in.LogGroupNamePrefix), aws.ToString(in.LogGroupNamePattern)
	var found []group
	err = s.Store.View(func(tx *store.Tx) error {
		for g, err := range groups.Readable(tx, prefix) {
			if err != nil {
				return err
			}
			if strings.HasPrefix(g.Name, prefix) && strings.Contains(g.Name, pattern) &&
				(names == nil || slices.Contains(names, g.Name)) {
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
	for _, identifier := range given {
		name, err := s.nameOf(identifier)
		if err != nil {
			return nil, err
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
		LogGroupName: &g.Name, LogGroupArn: new(s.arn(g.Name)), Arn: new(s.arn(g.Name) + ":*"),
		CreationTime:  millis(g.Created),
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

// page returns the rows, which come in the order of their keys, that a request asks for, and the token of the next page
// when there is one. A token holds the last key shown.
func page[T any](rows []T, key func(T) string, limit *int32, token *string) ([]T, *string, error) {
	return pageOf(rows, key, false, limit, token)
}

// pageOf does the same for rows that may come in the reverse order of their keys.
func pageOf[T any](rows []T, key func(T) string, descending bool, limit *int32, token *string) ([]T, *string, error) {
	size := maxLimit
	if limit != nil {
		size = int(*limit)
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
