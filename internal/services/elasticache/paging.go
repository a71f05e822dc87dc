package elasticache

import (
	"strings"

	"larder/internal/paging"
)

// The bounds of MaxRecords; the upper one, which DescribeSnapshots has another for, is also the default.
const (
	minRecords = 20
	maxRecords = 100
)

// page returns the rows, in the order of their keys, that a request asks for, and the marker of the next page when
// there is one.
func page[T any](rows []T, key func(T) string, limit *int32, marker *string) ([]T, *string, error) {
	return pageOf(rows, key, maxRecords, limit, marker)
}

// pageOf is page with an upper bound of its own.
func pageOf[T any](rows []T, key func(T) string, most int, limit *int32, marker *string) ([]T, *string, error) {
	size := most
	if limit != nil {
		size = int(*limit)
	}
	rows, next, err := paging.Page(rows, key, strings.Compare, size, marker)
	if err != nil {
		return nil, nil, invalidValue("The parameter Marker is not valid: %q is not a marker of an earlier answer.",
			*marker)
	}
	return rows, next, nil
}
