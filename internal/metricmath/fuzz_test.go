package metricmath_test

import (
	"math"
	"testing"

	"larder/internal/metricmath"
)

// FuzzExpression tests that any expression is refused or results in series of finite numbers, and that an expression of
// one series has one.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"m1 / 0", "m1 / (m1 - m1)", "0 / 0", "SUM([])", "AVG(METRICS())", "nobody + 1", "FILL(m1, REPEAT)",
		"IF(m1 > 1, m1, m2)", "FIRST([m1, m2])",
		"MAX([m1, m2]) * 1e308 * 1e308", "TIME_SERIES(1)", "RATE(m1)", "-m1", "((((m1))))", "m1[",
		"SORT(METRICS(), MAX, DESC, 1)", "e1", "\xff", "1e999",
		"SLICE([m1, m2], 5)", "REMOVE_EMPTY([m2])", "LOG(m1 - 100)", "m1 ^ 1e9", "PERIOD(m2)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		program, err := metricmath.Compile([]metricmath.Query{{ID: "m1"}, {ID: "m2"}, {ID: "e1", Expression: text},
			{ID: "e2", Expression: "m1 * 2"}})
		if text == "" || err != nil {
			return
		}
		data := map[string]metricmath.Series{
			"m1": {Period: 60, Points: []metricmath.Point{{At: 0, Value: 1}, {At: 60, Value: math.MaxFloat64},
				{At: 180, Value: -3}}}, "m2": {Period: 60},
		}
		results, err := program.Eval(metricmath.Range{From: 0, To: 3600, Period: 60}, data)
		if err != nil {
			return
		}
		r := results["e1"]
		if program.Kind("e1") == metricmath.Single && len(r.Series) != 1 {
			t.Fatalf("%q gives %d series, not one", text, len(r.Series))
		}
		for _, s := range r.Series {
			for _, p := range s.Points {
				if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
					t.Fatalf("%q gives %v", text, p)
				}
			}
		}
		if n := len(results["e2"].Series[0].Points); n == 0 {
			t.Fatalf("%q takes the points of another", text)
		}
	})
}
