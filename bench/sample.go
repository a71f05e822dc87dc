package main

import (
	"fmt"
	"slices"
	"strconv"
)

// sample holds one quantity, measured once in each round.
type sample []float64

// median is the middle value, or the mean of the two in the middle. An empty sample has none.
func (s sample) median() float64 { return s.quantile(0.5) }

// quantile interpolates between the two nearest values.
func (s sample) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (sorted[above]-sorted[below])*(at-float64(below))
}

// mean is the mean value.
func (s sample) mean() float64 {
	var sum float64
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}

// show prints the median with the extremes, each as format does.
func (s sample) show(format func(float64) string) string {
	return fmt.Sprintf("%s (%s … %s)", format(s.median()), format(slices.Min(s)), format(slices.Max(s)))
}

// whole prints a number without decimals, in groups of three digits.
func whole(f float64) string {
	digits := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// decimals prints a number with n of them.
func decimals(n int) func(float64) string {
	return func(f float64) string { return strconv.FormatFloat(f, 'f', n, 64) }
}
