package metricmath

import (
	"math"
	"slices"
	"time"
)

// function is a function of metric math.
type function struct {
	least, most int // number of parameters
	// words reports whether a parameter is a word, not a value.
	words func(i int, arg node) bool
	// kind returns the result's kind for the parameters' kinds; zero if they do not fit.
	kind func([]Kind) Kind
	// makes returns how many points at most the result has that the parameters do not have.
	makes func(e *evaluation, values []Result) int
	eval  func(e *evaluation, args []node, values []Result) Result
}

// refused lists the functions that need what larder does not have.
var refused = map[string]string{
	"SEARCH":                 "name the metrics",
	"ANOMALY_DETECTION_BAND": "there are no models of metrics",
	"SERVICE_QUOTA":          "there are no quotas of usage metrics",
	"LAMBDA":                 "there are no other data sources",
	"INSIGHT_RULE_METRIC":    "there are no Contributor Insights rules",
	"DB_PERF_INSIGHTS":       "there are no databases",
}

var functions = map[string]function{}

func init() {
	for name, f := range binary {
		functions[name] = function{least: 2, most: 2, kind: pairKind,
			eval: func(_ *evaluation, _ []node, v []Result) Result { return pairwise(f, v[0], v[1]) }}
	}
	for name, f := range elementwise {
		functions[name] = function{least: 1, most: 1, kind: same,
			eval: func(_ *evaluation, _ []node, v []Result) Result {
				if v[0].Kind == Scalar {
					return scalar(f(v[0].Number))
				}
				return v[0].mapped(func(s Series) Series {
					return s.points(func(_ int,
						p Point) float64 {
						return f(p.Value)
					})
				})
			}}
	}
	for name, f := range timeBased {
		functions[name] = function{least: 1, most: 1, kind: sameSeries,
			eval: func(_ *evaluation, _ []node, v []Result) Result {
				return v[0].mapped(func(s Series) Series { return s.points(f(s.Points)) })
			}}
	}
	for name, f := range aggregates {
		functions[name] = function{least: 1, most: 1, kind: aggregateKind,
			eval: func(_ *evaluation, _ []node, v []Result) Result {
				if v[0].Kind == Single {
					values := v[0].Series[0].values()
					return scalar(f(values, len(values)))
				}
				return single(v[0].across(func(values []float64) float64 { return f(values, len(v[0].Series)) }))
			}}
	}
	for name, f := range others {
		functions[name] = f
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

var binary = map[string]func(a, b float64) float64{
	"+":  func(a, b float64) float64 { return a + b },
	"-":  func(a, b float64) float64 { return a - b },
	"*":  func(a, b float64) float64 { return a * b },
	"/":  func(a, b float64) float64 { return a / b },
	"^":  math.Pow,
	"==": func(a, b float64) float64 { return truth(a == b) },
	"!=": func(a, b float64) float64 { return truth(a != b) },
	"<=": func(a, b float64) float64 { return truth(a <= b) },
	">=": func(a, b float64) float64 { return truth(a >= b) },
	"<":  func(a, b float64) float64 { return truth(a < b) },
	">":  func(a, b float64) float64 { return truth(a > b) },
	"&&": func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"||": func(a, b float64) float64 { return truth(a != 0 || b != 0) },
}

var elementwise = map[string]func(float64) float64{
	"ABS": math.Abs, "CEIL": math.Ceil, "FLOOR": math.Floor, "LOG": math.Log, "LOG10": math.Log10,
}

// clock makes a function of each point's time, in UTC.
func clock(f func(time.Time) int) func([]Point) func(int, Point) float64 {
	return func([]Point) func(int, Point) float64 {
		return func(_ int, p Point) float64 { return float64(f(time.Unix(p.At, 0).UTC())) }
	}
}

// steps makes a function of each point and the previous one. The first point has no result.
func steps(f func(value, seconds float64) float64) func([]Point) func(int, Point) float64 {
	return func(points []Point) func(int, Point) float64 {
		return func(i int, p Point) float64 {
			if i == 0 {
				return math.NaN()
			}
			return f(p.Value-points[i-1].Value, float64(p.At-points[i-1].At))
		}
	}
}

var timeBased = map[string]func([]Point) func(int, Point) float64{
	"DIFF":      steps(func(value, _ float64) float64 { return value }),
	"DIFF_TIME": steps(func(_, seconds float64) float64 { return seconds }),
	"RATE":      steps(func(value, seconds float64) float64 { return value / seconds }),
	"RUNNING_SUM": func([]Point) func(int, Point) float64 {
		sum := 0.0
		return func(_ int, p Point) float64 { sum += p.Value; return sum }
	},
	"EPOCH":  clock(func(t time.Time) int { return int(t.Unix()) }),
	"MINUTE": clock(time.Time.Minute),
	"HOUR":   clock(time.Time.Hour),
	"DAY":    clock(func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }), // 1 is Monday
	"DATE":   clock(time.Time.Day),
	"MONTH":  clock(func(t time.Time) int { return int(t.Month()) }),
	"YEAR":   clock(time.Time.Year),
}

func sum(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// aggregates combine the values of one series, or those of an array at one time; n is how many values there could be.
// Without values, all but counts return NaN.
var aggregates = map[string]func(values []float64, n int) float64{
	"SUM": func(values []float64, _ int) float64 {
		if len(values) == 0 {
			return math.NaN()
		}
		return sum(values)
	},
	// The average of an array counts a missing value as zero.
	"AVG":             func(values []float64, n int) float64 { return sum(values) / float64(n) },
	"MIN":             extreme(slices.Min[[]float64]),
	"MAX":             extreme(slices.Max[[]float64]),
	"STDDEV":          stddev,
	"DATAPOINT_COUNT": func(values []float64, _ int) float64 { return float64(len(values)) },
}

func extreme(of func([]float64) float64) func([]float64, int) float64 {
	return func(values []float64, _ int) float64 {
		if len(values) == 0 {
			return math.NaN()
		}
		return of(values)
	}
}

// stddev returns the standard deviation of a population.
func stddev(values []float64, _ int) float64 {
	mean, squares := sum(values)/float64(len(values)), 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}

// same and the functions below return the kinds of results.
func same(k []Kind) Kind { return k[0] }

func sameSeries(k []Kind) Kind {
	if k[0] == Scalar {
		return 0
	}
	return k[0]
}

func aggregateKind(k []Kind) Kind { return max(k[0]-1, 0) }

// pairKind returns the wider of the two kinds. Two arrays do not fit: their elements do not correspond to each other.
func pairKind(k []Kind) Kind {
	if k[0] == Array && k[1] == Array {
		return 0
	}
	return max(k[0], k[1])
}

// fits makes a kind function that returns result if the parameters have the kinds want.
func fits(result Kind, want ...Kind) func([]Kind) Kind {
	return func(k []Kind) Kind {
		for i, kind := range k {
			if kind != want[i] {
				return 0
			}
		}
		return result
	}
}
