package elasticache

import (
	"cmp"
	"encoding/base64"
	"slices"
)

// The bounds of MaxRecords; the upper one, which DescribeSnapshots has another for, is also the default.
const (
	minRecords = 20
	maxRecords = 100
)

// page returns the rows, in the order of their keys, that a request asks for, and the marker of the next page when there
// is one. A marker holds the last key shown, so that rows which come and go between two pages shift nothing.
func page[T any](rows []T, key func(T) string, limit *int32, marker *string) ([]T, *string, error) {
	return pageOf(rows, key, maxRecords, limit, marker)
}

// pageOf is page with an upper bound of its own.
func pageOf[T any](rows []T, key func(T) string, most int, limit *int32, marker *string) ([]T, *string, error) {
	size := most
	if limit != nil {
		if size = int(*limit); size < minRecords || size > most {
			return nil, nil, invalidValue("Invalid value %d for MaxRecords. Must be between %d and %d", size, minRecords, most)
		}
	}
	slices.SortFunc(rows, func(a, b T) int { return cmp.Compare(key(a), key(b)) })
	if marker != nil && *marker != "" {
		last, err := base64.RawURLEncoding.DecodeString(*marker)
		if err != nil {
			return nil, nil, invalidValue("The parameter Marker is not valid: %q is not a marker of an earlier answer.", *marker)
		}
		start, shown := slices.BinarySearchFunc(rows, string(last), func(row T, last string) int { return cmp.Compare(key(row), last) })
		if shown {
			start++
		}
		rows = rows[start:]
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	return rows[:size], new(base64.RawURLEncoding.EncodeToString([]byte(key(rows[size-1])))), nil
}
