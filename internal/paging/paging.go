// Package paging cuts what an action lists into pages.
package paging

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
)

// ErrToken says that a token is not one of an earlier answer.
var ErrToken = errors.New("the token is not one of an earlier answer")

// Page returns the rows of one page, at most size of them in the order of their keys, and the token of the next page
// where there is one. A token, which is nil or empty for the first page, holds the last key shown, so that rows which
// come and go between two pages shift nothing.
func Page[T any](rows []T, key func(T) string, order func(a, b string) int, size int, token *string) ([]T, *string,
	error) {
	slices.SortFunc(rows, func(a, b T) int { return order(key(a), key(b)) })
	if token != nil && *token != "" {
		last, err := parse(*token)
		if err != nil {
			return nil, nil, err
		}
		rows = slices.DeleteFunc(rows, func(row T) bool { return order(key(row), last) <= 0 })
	}
	if len(rows) <= size {
		return rows, nil, nil
	}
	return rows[:size], new(makeToken(key(rows[size-1]))), nil
}

// makeToken makes the token of a key. The checksum before the key tells a token from any other text.
func makeToken(key string) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(key)))
	return base64.RawURLEncoding.EncodeToString(append(sum, key...))
}

// parse returns the key of a token.
func parse(token string) (key string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < crc32.Size || binary.BigEndian.Uint32(raw) != crc32.ChecksumIEEE(raw[crc32.Size:]) {
		return "", ErrToken
	}
	return string(raw[crc32.Size:]), nil
}
