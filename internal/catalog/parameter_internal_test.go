package catalog

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func loadParameters(t *testing.T) *Parameters {
	t.Helper()
	ps, err := LoadParameters()
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

// TestEveryDefaultIsAllowed holds the table to itself. Defaults that depend on the node type are empty there.
func TestEveryDefaultIsAllowed(t *testing.T) {
	families, err := LoadFamilies()
	if err != nil {
		t.Fatal(err)
	}
	for family, ps := range families {
		for _, p := range ps.All() {
			if p.NodeTypeSpecific && p.Default == "" || p.Name == "cluster-databases" { // AWS's guide has 0 of 1 to 10,000
				continue
			}
			if !p.allows(p.Default) {
				t.Errorf("%s, %s: its default %q is none of %s", family, p.Name, p.Default, p.allowedText())
			}
		}
	}
}

// TestEveryBoundIsReadAsWritten: each number in a range is allowed, its neighbour outside is not.
func TestEveryBoundIsReadAsWritten(t *testing.T) {
	for _, p := range loadParameters(t).All() {
		if p.DataType != "integer" {
			continue
		}
		for r := range strings.SplitSeq(p.ranges(), ",") {
			low, high, ok := bounds(t, r)
			if !ok {
				continue
			}
			for _, n := range []int64{low, high} {
				if !p.allows(strconv.FormatInt(n, 10)) {
					t.Errorf("%s: %d is in %q, and is refused", p.Name, n, r)
				}
			}
			if inRange(low-1, r) || high < high+1 && inRange(high+1, r) {
				t.Errorf("%s: %q holds a number beyond its ends", p.Name, r)
			}
		}
	}
}

// bounds reads a range in another way than the code under test: "5", "1-10", "20-", each with a sign or without.
func bounds(t *testing.T, r string) (low, high int64, ok bool) {
	const open = 1<<63 - 1
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatalf("cannot read the range %q: %v", r, err)
		}
		return n
	}
	if r == "" || r == "-" {
		return 0, 0, false
	}
	switch i := strings.LastIndexByte(r, '-'); {
	case i <= 0:
		return number(r), number(r), true
	case i == len(r)-1:
		return number(r[:i]), open, true
	default:
		return number(r[:i]), number(r[i+1:]), true
	}
}

func TestInRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Int64Range(-20, 20)
		low, high, n := small.Draw(t, "low"), rapid.Int64Range(0, 20).Draw(t, "high"), small.Draw(t, "n")
		l, h := strconv.FormatInt(low, 10), strconv.FormatInt(high, 10)
		for text, want := range map[string]bool{l: n == low, l + "-": n >= low, l + "-" + h: low <= n && n <= high,
			"": false, "x": false, l + "-x": false} {
			if got := inRange(n, text); got != want {
				t.Fatalf("%d in %q: %v", n, text, got)
			}
		}
	})
}

// TestNarrowerRangesLieInTheFamilys: what larder prints as allowed, the family allows.
func TestNarrowerRangesLieInTheFamilys(t *testing.T) {
	ps := loadParameters(t)
	for name, ranges := range served {
		p, ok := ps.Lookup(name)
		if !ok || p.DataType != "integer" {
			t.Errorf("%s is no integer parameter", name)
			continue
		}
		for r := range strings.SplitSeq(ranges, ",") {
			low, high, _ := bounds(t, r)
			for _, n := range []int64{low, high} {
				if !slices.ContainsFunc(strings.Split(p.Allowed, ","),
					func(r string) bool { return r == "-" || inRange(n, r) }) {
					t.Errorf("%s: %d is not in %q", name, n, p.Allowed)
				}
			}
		}
	}
}
