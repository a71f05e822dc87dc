package alarm

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// pointsOf parses the notation of AWS's examples: 0 does not breach, X breaches, - is missing; the newest is on the
// right.
func pointsOf(text string) (points []Point) {
	for i, mark := range strings.Fields(text) {
		p := Point{At: noon.Add(time.Duration(i) * time.Minute), Samples: 1, Missing: mark == "-"}
		if mark == "X" {
			p.Value = 90
		}
		points = append(points, p)
	}
	return points
}

func ruleOf(m, n int, missing Treatment) Rule {
	return Rule{Period: time.Minute, Periods: n, Datapoints: m, Threshold: 80, Comparison: "GreaterThanThreshold",
		Missing: missing, Statistic: "Average"}
}

const keep = "keep"

func outcome(r Rule, points []Point) string {
	v := Evaluate(r, points, "", noon)
	if v.Keep {
		return keep
	}
	return string(v.State)
}

// TestExamples runs the examples of the CloudWatch guide on missing data and on premature alarms.
func TestExamples(t *testing.T) {
	none, alarm, ok := string(Insufficient), string(Alarm), string(OK)
	for _, test := range []struct {
		m, n                                  int
		points                                string
		filled                                int
		missing, ignore, breaching, notBreach string
	}{
		{3, 3, "0 - X - X", 0, ok, ok, ok, ok},
		{3, 3, "0 - - - -", 2, ok, ok, ok, ok},
		{3, 3, "- - - - -", 3, none, keep, alarm, ok},
		{3, 3, "0 X X - X", 0, alarm, alarm, alarm, alarm},
		{3, 3, "- - X - -", 2, alarm, keep, alarm, ok},
		{2, 3, "0 - X - X", 0, alarm, alarm, alarm, alarm},
		{2, 3, "0 0 X 0 X", 0, alarm, alarm, alarm, alarm},
		{2, 3, "0 - X - -", 1, ok, ok, alarm, ok},
		{2, 3, "- - - - 0", 2, ok, ok, alarm, ok},
		{2, 3, "- - - X -", 2, alarm, keep, alarm, ok},
		{3, 3, "- - - - X", 2, keep, keep, alarm, ok},
		{3, 3, "- - - X -", 2, keep, keep, alarm, ok},
	} {
		for treatment, want := range map[Treatment]string{Missing: test.missing, "": test.missing, Ignore: test.ignore,
			Breaching: test.breaching, NotBreaching: test.notBreach} {
			r := ruleOf(test.m, test.n, treatment)
			if got := outcome(r, pointsOf(test.points)); got != want {
				t.Errorf("%d of %d, %s, %q: got %s, want %s", test.m, test.n, test.points, treatment, got, want)
			}
			if j := judge(r, pointsOf(test.points)); j.filled != test.filled {
				t.Errorf("%d of %d, %s, %q: %d filled, want %d", test.m, test.n, test.points, treatment, j.filled,
					test.filled)
			}
		}
	}
}

// reference follows the guide step by step, on the marks of its notation.
func reference(m, n int, treatment Treatment, marks []string) string {
	var newestFirst []string
	for _, mark := range marks {
		newestFirst = append([]string{mark}, newestFirst...)
	}
	var real []string
	for _, mark := range newestFirst {
		if mark != "-" {
			real = append(real, mark)
		}
	}
	count := func(list []string, mark string) (found int) {
		for _, other := range list {
			if other == mark {
				found++
			}
		}
		return found
	}
	decide := func(list []string) string {
		if count(list, "X") >= m {
			return string(Alarm)
		}
		return string(OK)
	}
	if len(real) >= n { // enough: missing points do not matter
		return decide(real[:n])
	}
	if treatment == Breaching || treatment == NotBreaching {
		fill := map[Treatment]string{Breaching: "X", NotBreaching: "0"}[treatment]
		for len(real) < n {
			real = append(real, fill)
		}
		return decide(real)
	}
	if len(real) == 0 {
		if treatment == Ignore {
			return keep
		}
		return string(Insufficient)
	}
	if count(real, "X") >= m {
		return string(Alarm)
	}
	if count(real, "0") > 0 {
		return string(OK)
	}
	// Fewer than M points, and all of them breach.
	if treatment == Ignore {
		return keep
	}
	for back := m; back <= len(newestFirst); back++ {
		if newestFirst[back-1] == "X" {
			return string(Alarm)
		}
	}
	return keep
}

func TestEvaluateLikeTheReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		m := rapid.IntRange(1, n).Draw(t, "m")
		marks := rapid.SliceOfN(rapid.SampledFrom([]string{"0", "X", "-", "-"}), n+2, n+2).Draw(t, "points")
		treatment := rapid.SampledFrom([]Treatment{Missing, Ignore, Breaching, NotBreaching}).Draw(t, "missing")
		got, want := outcome(ruleOf(m, n, treatment), pointsOf(strings.Join(marks, " "))), reference(m, n, treatment,
			marks)
		if got != want {
			t.Fatalf("%d of %d, %v, %s: got %s, want %s", m, n, marks, treatment, got, want)
		}
		if m == n {
			if got := outcome(ruleOf(0, n, treatment), pointsOf(strings.Join(marks, " "))); got != want {
				t.Fatalf("without DatapointsToAlarm: got %s, want %s", got, want)
			}
		}
	})
}

func TestPercentilesOfFewSamples(t *testing.T) {
	for p, want := range map[float64]float64{50: 20, 90: 100, 25: 40} {
		if got := significant(p); got < want-1e-9 || got > want+1e-9 {
			t.Errorf("p%v needs %v samples, want %v", p, got, want)
		}
	}
	r := ruleOf(1, 1, Missing)
	points := pointsOf("X")
	if r.LowSamples = 20; outcome(r, points) != keep {
		t.Error("one sample changed the state")
	}
	if points[0].Samples = 20; outcome(r, points) != string(Alarm) {
		t.Error("twenty samples did not")
	}
}

// TestReasons compares with captured texts that have other numbers.
func TestReasons(t *testing.T) {
	value := func(v float64) []Point {
		return []Point{{At: time.Date(2022, 7, 9, 2, 34, 0, 0, time.UTC), Value: v, Samples: 5}}
	}
	one := func(dta int, op Comparison, threshold float64, missing Treatment) Rule {
		return Rule{Period: time.Minute, Periods: 1, Datapoints: dta, Threshold: threshold, Comparison: op,
			Missing: missing}
	}
	many := func(n, dta int, missing Treatment) Rule { r := ruleOf(dta, n, missing); return r }
	for _, test := range []struct {
		rule   Rule
		points []Point
		want   string
	}{
		{one(1, "GreaterThanThreshold", 80, Missing), value(99.83274983791787),
			"Threshold Crossed: 1 out of the last 1 datapoints [99.83274983791787 (09/07/22 02:34:00)] was greater than the " +
				"threshold (80.0) (minimum 1 datapoint for OK -> ALARM transition)."},
		{one(1, "GreaterThanThreshold", 0.059, Missing), value(0.05),
			"Threshold Crossed: 1 out of the last 1 datapoints [0.05 (09/07/22 02:34:00)] was not greater than the threshold " +
				"(0.059) (minimum 1 datapoint for ALARM -> OK transition)."},
		{one(0, "LessThanThreshold", 20, Missing), value(0),
			"Threshold Crossed: 1 datapoint [0.0 (09/07/22 02:34:00)] was less than the threshold (20.0)."},
		{one(0, "LessThanThreshold", 20, Breaching), nil,
			"Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as " +
				"[Breaching]."},
		{one(0, "LessThanThreshold", 20, Missing), nil, "Insufficient Data: 1 datapoint was unknown."},
		{many(3, 3, Missing), pointsOf("X X X"),
			"Threshold Crossed: 3 out of the last 3 datapoints [90.0 (04/03/26 12:02:00), 90.0 (04/03/26 12:01:00), 90.0 " +
				"(04/03/26 12:00:00)] were greater than the threshold (80.0) (minimum 3 datapoints for OK -> ALARM transition)."},
		{many(20, 1, NotBreaching), pointsOf("X"),
			"Threshold Crossed: 1 out of the last 20 datapoints [90.0 (04/03/26 12:00:00)] was greater than the threshold " +
				"(80.0) and 19 missing datapoints were treated as [NonBreaching] (minimum 1 datapoint for OK -> ALARM " +
				"transition)."},
		{many(8, 0, Breaching), pointsOf("0"),
			"Threshold Crossed: 1 datapoint [0.0 (04/03/26 12:00:00)] was not greater than the threshold (80.0) and 7 " +
				"missing datapoints were treated as [Breaching]."},
		{many(3, 2, Breaching), pointsOf("0"),
			"Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as [Breaching]."},
		{many(2, 0, Breaching), nil,
			"Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as " +
				"[Breaching]."},
		{many(2, 0, Missing), nil, "Insufficient Data: 2 datapoints were unknown."},
	} {
		if got := Evaluate(test.rule, test.points, "", noon).Reason; got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestReasonData(t *testing.T) {
	r := ruleOf(2, 2, Missing)
	r.Unit = "Percent"
	got := Evaluate(r, pointsOf("0 X - X"), OK, noon.Add(1500*time.Millisecond)).Data
	const want = `{"version":"1.0","queryDate":"2026-03-04T12:00:01.500+0000",` +
		`"startDate":"2026-03-04T12:01:00.000+0000","unit":"Percent",` +
		`"statistic":"Average","period":60,"recentDatapoints":[90.0,90.0],"threshold":80.0,"evaluatedDatapoints":[` +
		`{"timestamp":"2026-03-04T12:03:00.000+0000","sampleCount":1.0,"value":90.0},` +
		`{"timestamp":"2026-03-04T12:01:00.000+0000","sampleCount":1.0,"value":90.0}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.Statistic, r.Unit = "", ""
	got = Evaluate(r, nil, OK, noon).Data
	if got != `{"version":"1.0","queryDate":"2026-03-04T12:00:00.000+0000","period":60,"recentDatapoints":[],`+
		`"threshold":80.0}` {
		t.Errorf("without data: %s", got)
	}
}

func TestJavaDoubles(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 80: "80.0", -1.5: "-1.5", 9999999: "9999999.0", 1e7: "1.0E7",
		123456789: "1.23456789E8", 0.001: "0.001", 0.00012: "1.2E-4", 1e21: "1.0E21"} {
		if got := javaDouble(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

func TestComposite(t *testing.T) {
	states := map[string]State{"a": Alarm, "b": OK, "c d": Insufficient}
	for rule, want := range map[string]bool{
		`ALARM(a)`: true, `ALARM("b")`: false, `OK("b") AND INSUFFICIENT_DATA("c d")`: true, `TRUE`: true,
		`NOT FALSE AND FALSE`:            false,
		`ALARM(b) AND FALSE OR ALARM(a)`: true, `ALARM(a) OR ALARM(b) AND FALSE`: true,
		`(ALARM(a) OR ALARM(b)) AND FALSE`: false,
		`NOT (ALARM(a) AND NOT OK(b))`:     true, `ALARM( "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a" )`: true,
	} {
		c, err := ParseComposite(rule)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
		} else if got := c.Holds(func(name string) State { return states[name] }); got != want {
			t.Errorf("%s: got %v", rule, got)
		}
	}
	for rule, want := range map[string]string{
		"":                          "AlarmRule must have 1 to 10240 characters; it has 0",
		"ALARM(a":                   "AlarmRule: ALARM must be followed by the name of an alarm in parentheses",
		"ALARM()":                   "AlarmRule: ALARM must be followed by the name of an alarm in parentheses",
		"ALARM(a) ALARM(b)":         `AlarmRule: there is "ALARM" where it should end`,
		"ALARM(a) AND":              "AlarmRule ends where an alarm's state should stand",
		"(ALARM(a)":                 "AlarmRule: the parentheses do not match",
		"RED(a)":                    `AlarmRule: "RED" is not ALARM, OK, INSUFFICIENT_DATA, NOT, TRUE or FALSE`,
		`ALARM("a)`:                 `AlarmRule: "\"a)" is not understood`,
		strings.Repeat("(", 1000):   "AlarmRule nests more than 200 deep",
		strings.Repeat("NOT ", 300): "AlarmRule nests more than 200 deep",
	} {
		if _, err := ParseComposite(rule); err == nil || err.Error() != want {
			t.Errorf("%.20s: got %v, want %s", rule, err, want)
		}
	}
}

func TestCycle(t *testing.T) {
	children := func(name string) []string {
		return map[string][]string{"a": {"b"}, "b": {"c"}, "x": {"x2"}, "x2": {"x"}}[name]
	}
	for name, want := range map[string]bool{"c": true, "b": true, "d": false} {
		if Cycle(name, []string{"a", "x"}, children) != want {
			t.Errorf("%s: a cycle is %v", name, !want)
		}
	}
}
