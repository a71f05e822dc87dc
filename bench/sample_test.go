package main

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	for _, c := range []struct {
		sample sample
		q      float64
		want   float64
	}{
		{sample{7}, 0.5, 7},
		{sample{3, 1, 2}, 0.5, 2},
		{sample{4, 1, 3, 2}, 0.5, 2.5},
		{sample{1, 2, 3, 4, 5}, 1, 5},
		{sample{1, 2, 3, 4, 5}, 0, 1},
		{sample{0, 10}, 0.25, 2.5},
	} {
		if got := c.sample.quantile(c.q); got != c.want {
			t.Errorf("the %v quantile of %v is %v, want %v", c.q, c.sample, got, c.want)
		}
	}
}

func TestMedianSplitsTheSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sample(rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6), 1, 50).Draw(t, "sample"))
		before := slices.Clone(s)
		median := s.median()
		var below, above int
		for _, v := range s {
			if v < median {
				below++
			}
			if v > median {
				above++
			}
		}
		if below > len(s)/2 || above > len(s)/2 {
			t.Fatalf("%d of %v are below %v, %d above", below, s, median, above)
		}
		if !slices.Equal(before, s) {
			t.Fatal("the sample was reordered")
		}
	})
}

func TestWholeIsTheNumberWithCommas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-1e12, 1e12).Draw(t, "n")
		got := whole(float64(n))
		if plain := strings.ReplaceAll(got, ",", ""); plain != strconv.FormatInt(n, 10) {
			t.Fatalf("%d is printed as %s", n, got)
		}
		groups := strings.Split(strings.TrimPrefix(got, "-"), ",")
		for i, g := range groups {
			if len(g) > 3 || i > 0 && len(g) != 3 || g == "" {
				t.Fatalf("%d is printed as %s", n, got)
			}
		}
	})
}
