package metricmath_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"larder/internal/metricmath"
)

var begin = time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC).Unix() // a Wednesday

const gap = math.MaxFloat64

// line makes a series with one value per minute; gap is a missing one.
func line(values ...float64) metricmath.Series {
	s := metricmath.Series{Period: 60}
	for i, v := range values {
		if v != gap {
			s.Points = append(s.Points, metricmath.Point{At: begin + int64(i)*60, Value: v})
		}
	}
	return s
}

func eval(t interface{ Fatal(...any) }, expression string, others ...metricmath.Query) metricmath.Result {
	program, err := metricmath.Compile(append(others, metricmath.Query{ID: "e", Expression: expression},
		metricmath.Query{ID: "m1"}, metricmath.Query{ID: "m2"}, metricmath.Query{ID: "m3"}))
	if err != nil {
		t.Fatal(expression, err)
	}
	results, err := program.Eval(metricmath.Range{From: begin, To: begin + 240, Period: 60},
		map[string]metricmath.Series{
			"m1": line(1, 2, 3, 4), "m2": line(2, gap, 0, 8), "m3": {Period: 60},
		})
	if err != nil {
		t.Fatal(expression, err)
	}
	result := results["e"]
	if result.Kind != program.Kind("e") {
		t.Fatal(expression, "was to be", program.Kind("e"), "and is", result.Kind)
	}
	return result
}

func TestSeries(t *testing.T) {
	for _, test := range []struct {
		expression string
		want       []float64
	}{
		{"m1", []float64{1, 2, 3, 4}},
		{"m1 + m2", []float64{3, gap, 3, 12}},
		{"m1/m2", []float64{0.5, gap, gap, 0.5}}, // no point where the divisor is zero
		{"m1/(m1+m2)*100", []float64{100.0 / 3, gap, 100, 100.0 / 3}},
		{"-m1 + 2^3^0*1e1", []float64{19, 18, 17, 16}},
		{"2 - 1 - m1", []float64{0, -1, -2, -3}},
		{"m1 > 2", []float64{0, 0, 1, 1}},
		{"m1 >= 2 AND m2 != 0 || m1 == 1", []float64{1, gap, 0, 1}},
		{"ABS(0-m1)", []float64{1, 2, 3, 4}},
		{"LOG10(m2*0)", []float64{gap, gap, gap, gap}},
		{"CEIL(m1/2)+FLOOR(m1/2)", []float64{1, 2, 3, 4}},
		{"DIFF(m1*m1)", []float64{gap, 3, 5, 7}},
		{"DIFF_TIME(m2)", []float64{gap, gap, 120, 60}},
		{"RATE(m2)*60", []float64{gap, gap, -1, 8}},
		{"RUNNING_SUM(m2)", []float64{2, gap, 2, 10}},
		{"EPOCH(m1) - " + "1772600400", []float64{0, 60, 120, 180}},
		{"MINUTE(m1) + HOUR(m1)*100", []float64{500, 501, 502, 503}},
		{"DAY(m1)", []float64{3, 3, 3, 3}},
		{"DATE(m1)+MONTH(m1)*100+YEAR(m1)*10000", []float64{20260304, 20260304, 20260304, 20260304}},
		{"m1 - AVG(m1)", []float64{-1.5, -0.5, 0.5, 1.5}},
		{"m1*0 + MAX(m2) + MIN(m2) + SUM(m2)", []float64{18, 18, 18, 18}},
		{"m1*0 + STDDEV(m1)^2", []float64{1.25, 1.25, 1.25, 1.25}},
		{"m1*0 + DATAPOINT_COUNT(m2) + PERIOD(m1) + METRIC_COUNT(METRICS())", []float64{66, 66, 66, 66}},
		{"m1 + AVG(m3)", []float64{gap, gap, gap, gap}},
		{"SUM(METRICS())", []float64{3, 2, 3, 12}},
		{"SUM([m1, m1, m2])", []float64{4, 4, 6, 16}},
		{"AVG([m1,m2])", []float64{1.5, 1, 1.5, 6}}, // a missing value is zero
		{"MAX([m1,m2])", []float64{2, 2, 3, 8}},
		{"MIN(METRICS('m1'))", []float64{1, 2, 3, 4}},
		{"DATAPOINT_COUNT([m1,m2])", []float64{2, 1, 2, 2}},
		{"FIRST([m2,m1]) + LAST([m2,m1])", []float64{3, gap, 3, 12}},
		{"FILL(m2, 7)", []float64{2, 7, 0, 8}},
		{"FILL(m2, m1)", []float64{2, 2, 0, 8}},
		{"FILL(m2, REPEAT)", []float64{2, 2, 0, 8}},
		{"FILL(m2, LINEAR)", []float64{2, 1, 0, 8}},
		{"FILL(m3, 0)", []float64{0, 0, 0, 0}},
		{"FILL(m3, LINEAR)", []float64{gap, gap, gap, gap}},
		{"IF(m1 > 2, m1, 0)", []float64{0, 0, 3, 4}},
		{"IF(m1 > 2, m1)", []float64{gap, gap, 3, 4}},
		{"IF(1, 5, m1)", []float64{5, 5, 5, 5}},
		{"SUM(REMOVE_EMPTY([m3, m1]))", []float64{1, 2, 3, 4}},
		{"SLICE(SORT([m1,m3,m2], MAX, DESC), 0)", []float64{2, gap, 0, 8}},
		{"SUM(SLICE([m1,m2,m1], 1, 2))", []float64{2, gap, 0, 8}},
		{"SUM(SORT([m1,m2], SUM, ASC, 1))", []float64{1, 2, 3, 4}},
		{"TIME_SERIES(3)", []float64{3, 3, 3, 3}},
	} {
		t.Run(test.expression, func(t *testing.T) {
			got := eval(t, test.expression)
			if len(got.Series) != 1 {
				t.Fatalf("got %d series, a result of %v", len(got.Series), got.Kind)
			}
			if diff := cmp.Diff(line(test.want...).Points, got.Series[0].Points,
				cmpopts.EquateApprox(1e-12, 0)); diff != "" &&
				len(got.Series[0].Points)+len(line(test.want...).Points) > 0 {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestArraysAndReferences(t *testing.T) {
	got := eval(t, "e2 * 2", metricmath.Query{ID: "e2", Expression: "[m2, m1]"})
	if got.Kind != metricmath.Array || len(got.Series) != 2 || got.Series[0].Name != "m2" ||
		got.Series[1].Points[3].Value != 8 {
		t.Errorf("got %+v", got)
	}
	got = eval(t, "10 / e2", metricmath.Query{ID: "e2", Expression: "[m2, m1]"})
	if got.Series[1].Name != "m1" || got.Series[1].Points[0].Value != 10 {
		t.Errorf("got %+v", got)
	}
}

func TestMistakes(t *testing.T) {
	for expression, want := range map[string]string{
		"SUM(m1":                     "the parentheses do not match",
		"m1)":                        "the parentheses do not match",
		"m1 m2":                      `there is "m2" where the expression should end`,
		"m1 +":                       "it ends where a value should stand",
		"m1 + ]":                     `there is "]" where a value should stand`,
		"m1 $ 2":                     `"$ 2" is not understood`,
		"'m1":                        `"'m1" is not understood`,
		"m9":                         "there is no metric of the Id m9",
		"e + 1":                      "it refers to itself",
		"b":                          "it refers to itself by way of b",
		"AVERAGE(m1)":                "there is no function AVERAGE",
		"AVG(m1, 2)":                 "AVG takes 1 to 1 parameters, not 2",
		"AVG(3)":                     "AVG does not take a number",
		"[m1] + [m2]":                "+ does not take an array of time series and an array of time series",
		"[1]":                        "an array has time series, not numbers",
		"RATE(3)":                    "RATE does not take a number",
		"FILL(m1, NEXT)":             "NEXT is not known here",
		"SORT([m1], ASC, 1)":         "ASC is not known here",
		"'text'":                     "a text cannot stand here",
		"IF([m1], 1, 2)":             "IF does not take an array of time series and a number and a number",
		"SEARCH('x', 'Sum')":         "larder does not serve SEARCH: name the metrics",
		"ANOMALY_DETECTION_BAND(m1)": "larder does not serve ANOMALY_DETECTION_BAND: there are no models of metrics",
	} {
		_, err := metricmath.Compile([]metricmath.Query{{ID: "e", Expression: expression}, {ID: "b", Expression: "e"},
			{ID: "m1"}, {ID: "m2"}})
		var mistake *metricmath.Error
		if !errors.As(err, &mistake) || mistake.ID != "e" || mistake.Reason != want {
			t.Errorf("%s: got %v, want %s", expression, err, want)
		}
	}
	deep := ""
	for range 1000 {
		deep += "("
	}
	if _, err := metricmath.Compile([]metricmath.Query{{ID: "e", Expression: deep}}); err == nil {
		t.Error("a thousand parentheses were read")
	}
}

func TestNeeds(t *testing.T) {
	program, err := metricmath.Compile([]metricmath.Query{{ID: "a", Expression: "b + m1"},
		{ID: "b", Expression: "m2*2"}, {ID: "all", Expression: "SUM(METRICS())"}, {ID: "m1"}, {ID: "m2"}, {ID: "m3"}})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]string{"a": {"m1", "m2"}, "b": {"m2"}, "m3": {"m3"}, "all": {"m1", "m2", "m3"}} {
		if diff := cmp.Diff(want, program.Needs(id)); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
}

// TestNeedsOfManyReferences tests that each of four expressions is visited once, although each refers 300 times to the
// one before.
func TestNeedsOfManyReferences(t *testing.T) {
	queries := []metricmath.Query{{ID: "e0"}}
	for i := range 5 {
		before := fmt.Sprintf("e%d", i)
		queries = append(queries, metricmath.Query{ID: fmt.Sprintf("e%d", i+1),
			Expression: strings.Repeat(before+"+", 300) + before})
	}
	program, err := metricmath.Compile(queries)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"e0"}, program.Needs("e5")); diff != "" {
		t.Error(diff)
	}
}

// TestTooMuch tests that an expression that would need too much memory is refused, with an error that names it.
func TestTooMuch(t *testing.T) {
	const year9999 = 253402300800
	whole := metricmath.Range{From: begin, To: begin + 240, Period: 60}
	for _, test := range []struct {
		what        string
		r           metricmath.Range
		expressions []string // e0, e1, ...
	}{
		{"time series", metricmath.Range{From: begin, To: year9999, Period: 1}, []string{"TIME_SERIES(1)"}},
		{"fill", metricmath.Range{From: begin, To: year9999, Period: 60}, []string{"FILL(m1, 0)"}},
		{"if", metricmath.Range{From: begin, To: year9999, Period: 1}, []string{"IF(1, 5, m1)"}},
		{"arrays", whole, []string{"[m1]", many("e0", 250), many("e1", 250), many("e2", 250), many("e3", 250)}},
		{"aggregates", whole, []string{many("m1", 250), many("e0", 250), "SUM(e1)+" + strings.Repeat("SUM(e1)+", 100) +
			"m1"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			queries := []metricmath.Query{{ID: "m1"}}
			for i, e := range test.expressions {
				queries = append(queries, metricmath.Query{ID: fmt.Sprintf("e%d", i), Expression: e})
			}
			program, err := metricmath.Compile(queries)
			if err != nil {
				t.Fatal(err)
			}
			_, err = program.Eval(test.r, map[string]metricmath.Series{"m1": line(1, 2, 3, 4)})
			var mistake *metricmath.Error
			if !errors.As(err, &mistake) ||
				!strings.HasPrefix(mistake.Reason, "more than 3000000 points are to be worked out") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func many(id string, n int) string { return "[" + strings.Repeat(id+",", n) + id + "]" }

// TestFillOfLongerPeriods tests that filled points keep the times of their series' periods, which begin at the origin
// and at multiples of the period from it.
func TestFillOfLongerPeriods(t *testing.T) {
	program, err := metricmath.Compile([]metricmath.Query{{ID: "m1"}, {ID: "e", Expression: "FILL(m1, 0)"}})
	if err != nil {
		t.Fatal(err)
	}
	type points = []metricmath.Point
	for _, test := range []struct {
		what        string
		r           metricmath.Range
		given, want points
	}{
		{"a minute late", metricmath.Range{From: begin + 60, To: begin + 900, Period: 60},
			points{{begin, 7}, {begin + 600, 8}}, points{{begin, 7}, {begin + 300, 0}, {begin + 600, 8}}},
		{"nothing there", metricmath.Range{From: begin + 60, To: begin + 900, Period: 60}, nil,
			points{{begin, 0}, {begin + 300, 0}, {begin + 600, 0}}},
		{"of an alarm", metricmath.Range{From: begin + 60, To: begin + 660, Period: 300, Origin: begin + 660},
			points{{begin + 60, 7}}, points{{begin + 60, 7}, {begin + 360, 0}}},
	} {
		results, err := program.Eval(test.r, map[string]metricmath.Series{"m1": {Period: 300, Points: test.given}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, results["e"].Series[0].Points); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.what, diff)
		}
	}
}

// TestWhatIsCompiledIsEvaluated tests that an expression that Compile accepts results in the kind that Compile
// returned, for any data and without a panic.
func TestWhatIsCompiledIsEvaluated(t *testing.T) {
	atoms := rapid.SampledFrom([]string{"m1", "m2", "m3", "1", "0.5", "REPEAT", "ASC", "SUM", "'m'", "[m1,m2]",
		"METRICS()"})
	var expression func(depth int) *rapid.Generator[string]
	expression = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			if depth == 0 || rapid.IntRange(0, 3).Draw(t, "atom") == 0 {
				return atoms.Draw(t, "atom")
			}
			part := func() string { return expression(depth-1).Draw(t, "part") }
			if rapid.Bool().Draw(t, "operator") {
				return "(" + part() + rapid.SampledFrom([]string{"+", "-", "*", "/", "^", "==", "<", " AND ",
					"||"}).Draw(t, "sign") + part() + ")"
			}
			name := rapid.SampledFrom([]string{"ABS", "AVG", "SUM", "STDDEV", "RATE", "FILL", "IF", "SLICE", "SORT",
				"FIRST", "LAST", "PERIOD", "REMOVE_EMPTY", "TIME_SERIES", "DATAPOINT_COUNT"}).Draw(t, "name")
			call := name + "(" + part()
			for range rapid.IntRange(0, 3).Draw(t, "more") {
				call += "," + part()
			}
			return call + ")"
		})
	}
	served := 0
	rapid.Check(t, func(t *rapid.T) {
		text := expression(3).Draw(t, "expression")
		if _, err := metricmath.Compile([]metricmath.Query{{ID: "e", Expression: text}, {ID: "m1"}, {ID: "m2"},
			{ID: "m3"}}); err != nil {
			return
		}
		served++
		for _, s := range eval(t, text).Series {
			for i, p := range s.Points {
				if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || i > 0 && p.At <= s.Points[i-1].At {
					t.Fatalf("%s gave %v", text, s.Points)
				}
			}
		}
	})
	if served < 10 {
		t.Errorf("only %d expressions were taken", served)
	}
}
