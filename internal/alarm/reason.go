package alarm

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Unchecked is the reason for the state of an alarm that has not been evaluated yet.
const Unchecked = "Unchecked: Initial alarm creation"

const pointTime = "02/01/06 15:04:05"

// counted returns a number with its noun in singular or plural.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprint(n, " ", noun, "s")
}

func was(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// reason returns the reason in AWS's words.
func (j judgement) reason(r Rule) string {
	if j.state == Insufficient {
		return fmt.Sprintf("Insufficient Data: %s %s unknown.", counted(r.Periods, "datapoint"), was(r.Periods))
	}
	deciding := slices.DeleteFunc(slices.Clone(j.real),
		func(p Point) bool { return r.breaches(p) != (j.state == Alarm) })
	if len(deciding) == 0 {
		received := "no datapoints were"
		if n := len(j.real); n > 0 {
			received = counted(n, "datapoint") + " " + was(n)
		}
		return fmt.Sprintf("Threshold Crossed: %s received for %s%s.", received, counted(r.Periods, "period"),
			j.fills(r))
	}
	of := counted(len(deciding), "datapoint")
	if r.Datapoints > 0 {
		of = fmt.Sprintf("%d out of the last %d datapoints", len(deciding), r.Periods)
	}
	var list []string
	for _, p := range deciding {
		list = append(list, fmt.Sprintf("%s (%s)", javaDouble(p.Value), p.At.UTC().Format(pointTime)))
	}
	not, least, transition := "", r.needed(), "OK -> ALARM"
	if j.state == OK {
		not, least, transition = "not ", r.Periods-r.needed()+1, "ALARM -> OK"
	}
	text := fmt.Sprintf("Threshold Crossed: %s [%s] %s %s%s the threshold (%s)%s", of, strings.Join(list, ", "),
		was(len(deciding)), not,
		comparisons[r.Comparison].words, javaDouble(r.Threshold), j.fills(r))
	if r.Datapoints > 0 {
		text += fmt.Sprintf(" (minimum %s for %s transition)", counted(least, "datapoint"), transition)
	}
	return text + "."
}

// fills describes the points that were filled in, if they affected the result.
func (j judgement) fills(r Rule) string {
	words := map[Treatment]string{Breaching: "Breaching", NotBreaching: "NonBreaching"}
	if j.filled == 0 || words[r.Missing] == "" {
		return ""
	}
	return fmt.Sprintf(" and %s %s treated as [%s]", counted(j.filled, "missing datapoint"), was(j.filled),
		words[r.Missing])
}

// stamp is a time that marshals as in AWS's JSON.
type stamp time.Time

const stampLayout = "2006-01-02T15:04:05.000-0700"

func (s stamp) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(s).UTC().Format(stampLayout))
}

// double is a number that marshals as Java writes it.
type double float64

func (d double) MarshalJSON() ([]byte, error) {
	if !finite(float64(d)) {
		return nil, fmt.Errorf("%v has no form in JSON", float64(d))
	}
	return []byte(javaDouble(float64(d))), nil
}

// javaDouble formats a number like Java's Double.toString: always with a decimal point, and with an exponent from 10^7
// on and below 10^-3.
func javaDouble(v float64) string {
	if a := math.Abs(v); a != 0 && (a >= 1e7 || a < 1e-3) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent) // FormatFloat wrote a valid number
		return fmt.Sprintf("%sE%d", mantissa, n)
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

type evaluated struct {
	Timestamp   stamp  `json:"timestamp"`
	SampleCount double `json:"sampleCount"`
	Value       double `json:"value"`
}

// data returns the reason as JSON.
func (j judgement) data(r Rule, now time.Time) string {
	d := struct {
		Version   string      `json:"version"`
		QueryDate stamp       `json:"queryDate"`
		StartDate *stamp      `json:"startDate,omitempty"`
		Unit      string      `json:"unit,omitempty"`
		Statistic string      `json:"statistic,omitempty"`
		Period    int64       `json:"period"`
		Recent    []double    `json:"recentDatapoints"`
		Threshold double      `json:"threshold"`
		Evaluated []evaluated `json:"evaluatedDatapoints,omitempty"`
	}{
		Version: "1.0", QueryDate: stamp(now), Unit: r.Unit, Statistic: r.Statistic,
		Period: int64(r.Period / time.Second),
		Recent: []double{}, Threshold: double(r.Threshold),
	}
	for _, p := range j.real {
		start := stamp(p.At)
		d.StartDate = &start
		d.Recent = append(d.Recent, double(p.Value))
		d.Evaluated = append(d.Evaluated, evaluated{stamp(p.At), double(p.Samples), double(p.Value)})
	}
	slices.Reverse(d.Recent)
	return mustJSON(d)
}

// mustJSON marshals values for which marshalling cannot fail: they have no map and no NaN or infinity.
func mustJSON(v any) string {
	var text strings.Builder
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("alarm: " + err.Error())
	}
	return strings.TrimSuffix(text.String(), "\n")
}
