package main

import (
	"fmt"
	"strings"
)

// rules are the module's alarms as rules of Prometheus, in YAML.
func rules(all []alarm) (string, error) {
	var b strings.Builder
	b.WriteString("# The alarms of modules/redis, with its thresholds, for Prometheus. Made from " +
		"modules/redis/alarms.json by `go generate ./...`.\n" +
		"groups:\n  - name: redis-alarms\n    rules:\n")
	for _, a := range all {
		breach, err := a.breach()
		if err != nil {
			return "", err
		}
		expression, wait := lasting(a, breach)
		rule(&b, measures[a.Slug].alert, expression, wait, a.Slug, "{{ $labels.instance }}: "+a.text())
	}
	b.WriteString("  - name: larder\n    rules:\n")
	rule(&b, "RedisDown", "redis_up == 0", "1m", "", "{{ $labels.instance }} does not answer")
	rule(&b, "RedisGroupNotAvailable", `larder_group_status{status="available"} == 0`, "5m", "",
		"{{ $labels.namespace }} has not been available for 5 minutes")
	return b.String(), nil
}

// lasting is the expression of an alarm, and for how long it has to hold. M of N periods are counted where M is not N:
// at the ends of the last N periods, the first of which is a second less than N periods ago.
func lasting(a alarm, breach string) (expression, wait string) {
	switch {
	case a.EvaluationPeriods == 1:
		return breach, ""
	case a.DatapointsToAlarm == a.EvaluationPeriods:
		return breach, duration(a.Period * (a.EvaluationPeriods - 1))
	}
	return fmt.Sprintf("count_over_time((%s)[%s:%s]) >= %d", breach, duration(a.Period*a.EvaluationPeriods-1),
		duration(a.Period), a.DatapointsToAlarm), ""
}

func rule(b *strings.Builder, alert, expression, wait, slug, summary string) {
	fmt.Fprintf(b, "      - alert: %s\n        expr: %s\n", alert, quoted(expression))
	if wait != "" {
		fmt.Fprintf(b, "        for: %s\n", wait)
	}
	b.WriteString("        labels:\n          severity: warning\n")
	if slug != "" {
		fmt.Fprintf(b, "          alarm: %s\n", slug)
	}
	fmt.Fprintf(b, "        annotations:\n          summary: %s\n", quoted(summary))
}

// quoted is a YAML string in single quotes, in which only those are special.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
