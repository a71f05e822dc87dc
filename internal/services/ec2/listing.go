package ec2

import (
	"slices"
	"strings"

	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/paging"
	"larder/internal/store"
)

// listing is how an action lists what it describes.
type listing[T any] struct {
	// many is what the request calls its ids; empty where they go with MaxResults, or there is none.
	many string
	// key orders, and is what request.ids name.
	key     func(T) string
	filters filters[T]
	// notFound is the error for an id that nothing has.
	notFound func(id string) error
}

// request is what a listing is asked for.
type request struct {
	ids     []string
	filters []types.Filter
	limit   *int32
	token   *string
}

// pick returns what is asked for of the rows, and the token of the next page when there is one.
func (l listing[T]) pick(rows []T, r request) ([]T, *string, error) {
	if err := l.filters.check(r.filters); err != nil {
		return nil, nil, err
	}
	if l.many != "" && len(r.ids) > 0 && r.limit != nil {
		return nil, nil, invalidCombination("The parameter %s cannot be used with the parameter MaxResults", l.many)
	}
	for _, id := range r.ids {
		if !slices.ContainsFunc(rows, func(row T) bool { return l.key(row) == id }) {
			return nil, nil, l.notFound(id)
		}
	}
	rows = slices.DeleteFunc(rows, func(row T) bool {
		return len(r.ids) > 0 && !slices.Contains(r.ids, l.key(row)) || !l.filters.match(r.filters, row)
	})
	return page(rows, l.key, r.limit, r.token)
}

// page returns the rows, in the order of their keys, of one page: all of them without a limit.
func page[T any](rows []T, key func(T) string, limit *int32, token *string) ([]T, *string, error) {
	size := len(rows)
	if limit != nil {
		size = int(*limit)
	}
	rows, next, err := paging.Page(rows, key, strings.Compare, size, token)
	if err != nil {
		return nil, nil, refuse("InvalidNextToken", "The token '%s' is invalid", *token)
	}
	if rows == nil {
		rows = []T{}
	}
	return rows, next, nil
}

// describeAll describes the rows of a table that can be read.
func describeAll[R, T any](tx *store.Tx, table store.Table[R], id func(R) string,
	describe func(R, map[string]string) T) ([]T, error) {
	rows, err := table.List(tx)
	if err != nil {
		return nil, err
	}
	tags, err := network.AllTags(tx)
	if err != nil {
		return nil, err
	}
	var out []T
	for _, row := range rows {
		out = append(out, describe(row, tags[id(row)]))
	}
	return out, nil
}
