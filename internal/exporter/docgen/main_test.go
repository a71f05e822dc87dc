package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocsAreUpToDate(t *testing.T) {
	want, err := files()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join("..", docs, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Errorf("docs/%s is stale: run `go generate ./...`\n%s", name, diff)
		}
	}
}

func TestEveryAlarmHasARule(t *testing.T) {
	all, err := alarms()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 9 || len(measures) != 9 {
		t.Errorf("%d alarms and %d expressions, want nine of each", len(all), len(measures))
	}
	text, err := rules(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if n := strings.Count(text, " alarm: "+a.Slug+"\n"); n != 1 {
			t.Errorf("%d rules for %s", n, a.Slug)
		}
	}
}

// A rule must not stay as it is when the module's alarm comes to watch something else.
func TestARuleIsOnWhatTheAlarmIsOn(t *testing.T) {
	all, err := alarms()
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*alarm){
		"statistic":  func(a *alarm) { a.Statistic = "Minimum" },
		"metric":     func(a *alarm) { a.Metric = "SwapUsage" },
		"comparison": func(a *alarm) { a.Comparison = "LessThanLowerThreshold" },
		"expression": func(a *alarm) { a.Expression = "hits" },
	} {
		changed := all[0]
		change(&changed)
		if _, err := rules([]alarm{changed}); err == nil {
			t.Errorf("another %s makes the same rule", name)
		}
	}
}

func TestLasting(t *testing.T) {
	for name, c := range map[string]struct {
		alarm      alarm
		expression string
		wait       string
	}{
		"one period":   {alarm{Period: 300, EvaluationPeriods: 1, DatapointsToAlarm: 1}, "up > 1", ""},
		"every period": {alarm{Period: 300, EvaluationPeriods: 3, DatapointsToAlarm: 3}, "up > 1", "10m"},
		"an hour":      {alarm{Period: 1800, EvaluationPeriods: 3, DatapointsToAlarm: 3}, "up > 1", "1h"},
		"some of them": {alarm{Period: 60, EvaluationPeriods: 5, DatapointsToAlarm: 3},
			"count_over_time((up > 1)[4m59s:1m]) >= 3", ""},
		"of short periods": {alarm{Period: 10, EvaluationPeriods: 2, DatapointsToAlarm: 1},
			"count_over_time((up > 1)[19s:10s]) >= 1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			expression, wait := lasting(c.alarm, "up > 1")
			if expression != c.expression || wait != c.wait {
				t.Errorf("got %s for %q, want %s for %q", expression, wait, c.expression, c.wait)
			}
		})
	}
}
