package paging_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/paging"
)

func itself(s string) string { return s }

func descending(a, b string) int { return strings.Compare(b, a) }

// TestPages: the pages together are all rows, in order, and every page but the last is full.
func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfNDistinct(rapid.StringN(1, 4, -1), 0, 30, itself).Draw(t, "rows")
		size := rapid.IntRange(1, 10).Draw(t, "size")
		order := strings.Compare
		if rapid.Bool().Draw(t, "descending") {
			order = descending
		}
		var shown []string
		var token *string
		for {
			page, next, err := paging.Page(slices.Clone(rows), itself, order, size, token)
			if err != nil || len(page) > size || next != nil && len(page) < size {
				t.Fatalf("a page of %d has %q, %v", size, page, err)
			}
			shown = append(shown, page...)
			if token = next; token == nil {
				break
			}
		}
		want := slices.SortedFunc(slices.Values(rows), order)
		if !slices.Equal(shown, want) {
			t.Fatalf("shown are %q, want %q", shown, want)
		}
	})
}

// TestTheLastRowMayGo: what a token names need not be there any more.
func TestTheLastRowMayGo(t *testing.T) {
	_, token, err := paging.Page([]string{"a", "b", "c", "d"}, itself, strings.Compare, 2, nil)
	if err != nil || token == nil {
		t.Fatalf("%v, %v", token, err)
	}
	page, token, err := paging.Page([]string{"a", "bb", "c", "d"}, itself, strings.Compare, 2, token)
	if err != nil || token == nil || !slices.Equal(page, []string{"bb", "c"}) {
		t.Errorf("%q, %v, %v", page, token, err)
	}
}

func TestTokens(t *testing.T) {
	page, _, err := paging.Page([]string{"a", "b"}, itself, descending, 2, new(""))
	if err != nil || !slices.Equal(page, []string{"b", "a"}) {
		t.Errorf("an empty token gives %q, %v", page, err)
	}
	for _, none := range []string{"not one", "not-one", "none", "YQ", "AAAA", "AAAAAGE"} {
		_, _, err := paging.Page([]string{"a"}, itself, strings.Compare, 2, &none)
		if !errors.Is(err, paging.ErrToken) {
			t.Errorf("%s: %v", none, err)
		}
	}
}
