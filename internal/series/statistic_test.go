package series

import (
	"math"
	"testing"
)

func cellOf(values ...float64) Cell {
	c := Single(0, values[0])
	for _, v := range values[1:] {
		c.merge(Single(0, v))
	}
	return c
}

func TestStatistics(t *testing.T) {
	ten := cellOf(10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
	for _, test := range []struct {
		text string
		want float64
	}{
		{"SampleCount", 10}, {"Sum", 550}, {"Average", 55}, {"Minimum", 10}, {"Maximum", 100},
		{"p0", 10}, {"p10", 10}, {"p10.1", 20}, {"p50", 50}, {"p99.9", 100}, {"p100", 100},
		{"tm90", 50}, {"TM(10%:90%)", 55}, {"TM(20:40)", 35}, {"TM(:30)", 20}, {"TM(90:)", 100}, {"IQM", 55},
		{"tc90", 9}, {"TC(20:40)", 2}, {"ts50", 150}, {"TS(20:40)", 70}, {"TS(80%:)", 190},
		{"wm80", 52}, {"WM(20:80)", 53}, {"PR(:30)", 30}, {"PR(30:)", 70}, {"PR(30:50)", 20},
	} {
		t.Run(test.text, func(t *testing.T) {
			s, err := ParseStatistic(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := s.Of(ten); !ok || math.Abs(got-test.want) > 1e-9 {
				t.Errorf("got %v %v, want %v", got, ok, test.want)
			}
		})
	}
	for _, text := range []string{"", "average", "p101", "p100.1", "p-1", "tm", "TM()", "TM(:)", "TM(1:50%)",
		"TM(50%:10%)", "TM(x:)", "PR(1%:2%)", "TM(-1%:5%)", "pr90", "TM(NaN:2)"} {
		if _, err := ParseStatistic(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// TestStatisticsThatAreNot tests that a statistic set has no percentiles unless all its values are equal, and that
// negative values have none.
func TestStatisticsThatAreNot(t *testing.T) {
	p90, err := ParseStatistic("p90")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what string
		cell Cell
		want bool
	}{
		{"one value", Single(0, 3), true},
		{"a set of one value", Cell{Count: 5, Sum: 15, Min: 3, Max: 3}, true},
		{"a set", Cell{Count: 2, Sum: 3, Min: 1, Max: 2}, false},
		{"negative", cellOf(-1, 2), false},
	} {
		if v, ok := p90.Of(test.cell); ok != test.want || ok && v != 3 {
			t.Errorf("%s: %v %v", test.what, v, ok)
		}
	}
}

func TestManyValuesAreRounded(t *testing.T) {
	c := Single(0, 1)
	for i := 2; i <= 10_000; i++ {
		c.merge(Single(0, float64(i)))
	}
	if len(c.Values) > 14*128 || c.Count != 10_000 || c.Sum != 50_005_000 || c.Max != 10_000 {
		t.Errorf("%d values, count %v, sum %v, maximum %v", len(c.Values), c.Count, c.Sum, c.Max)
	}
	for _, p := range []struct {
		text string
		want float64
	}{{"p50", 5000}, {"p99", 9900}, {"p100", 10_000}} {
		s, _ := ParseStatistic(p.text)
		if got, _ := s.Of(c); math.Abs(got-p.want) > p.want*0.005 {
			t.Errorf("%s is %v", p.text, got)
		}
	}
}

func TestAggregate(t *testing.T) {
	cells := []Cell{Single(0, 1), Single(60, 2), Single(299, 6), Single(300, 4)}
	for _, values := range []bool{true, false} {
		got := Aggregate(cells, 300, 0, values)
		if len(got) != 2 || got[0].At != 0 || got[0].Count != 3 || got[0].Sum != 9 || got[0].Min != 1 ||
			got[0].Max != 6 || got[1].At != 300 {
			t.Errorf("got %+v", got)
		}
		if (len(got[0].Values) == 3) != values {
			t.Errorf("values: %v", got[0].Values)
		}
	}
}
