package hclread

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// costs estimate the work of the functions whose work is a product of their arguments' sizes, in a budget's units. That
// of all others is a sum of sizes, which the budget has counted with the arguments.
var costs = map[string]func(args []cty.Value) int{
	"distinct": func(args []cty.Value) int { n := elements(args[0]); return product(n, n) },
	"format":   func(args []cty.Value) int { return padding(args[0]) },
	"formatlist": func(args []cty.Value) int {
		return product(max(1, longest(args)),
			padding(args[0])+totalWeight(args))
	},
	"join":     func(args []cty.Value) int { return product(1+len(args[0].AsString()), totalWeight(args[1:])) },
	"regex":    matching,
	"regexall": matching,
	"setproduct": func(args []cty.Value) int {
		total := elementBytes * len(args)
		for _, a := range args {
			total = product(total, elements(a))
		}
		return total
	},
	"trim": func(args []cty.Value) int { return product(len(args[0].AsString()), len(args[1].AsString())) },
}

// guarded refuses a call that would cost more than a whole file may.
func guarded(f function.Function, cost func([]cty.Value) int) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(), Params: f.Params(), VarParam: f.VarParam(), Type: f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if cost(args) > maxWork {
				return cty.NilVal, fmt.Errorf("the result grows beyond %d MiB, the most that larder up works out",
					maxWork>>20)
			}
			return f.Call(args)
		},
	})
}

// product multiplies without running over.
func product(a, b int) int {
	if a > 0 && b > maxWork/a {
		return maxWork + 1
	}
	return a * b
}

func elements(v cty.Value) int {
	if !v.CanIterateElements() {
		return 1
	}
	return v.LengthInt()
}

func longest(args []cty.Value) (n int) {
	for _, a := range args {
		if a.Type() != cty.String {
			n = max(n, elements(a))
		}
	}
	return n
}

func totalWeight(args []cty.Value) (n int) {
	for _, a := range args {
		n += weigh(a, maxWork)
	}
	return n
}

// matching is the cost of a regular expression: each match gives a text for each group.
func matching(args []cty.Value) int {
	return product(1+strings.Count(args[0].AsString(), "("), elementBytes+len(args[1].AsString()))
}

var formatNumber = regexp.MustCompile(`[0-9]+`)

// padding is about what the widths and precisions in a format add: each number in it, whatever it means.
func padding(format cty.Value) int {
	total := len(format.AsString())
	for _, digits := range formatNumber.FindAllString(format.AsString(), -1) {
		n, err := strconv.Atoi(digits)
		if err != nil || n > maxWork {
			return maxWork + 1
		}
		total += n
	}
	return total
}
