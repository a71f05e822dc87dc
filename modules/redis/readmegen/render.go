package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// readmes lists the generated tables of each README, by its path from the module.
var readmes = map[string][]string{
	"README.md":       {"inputs", "outputs", "alarms"},
	"../../README.md": {"inputs", "outputs"},
}

// render returns the README with its generated tables replaced by current ones.
func render(dir, readme string, tables []string) (string, error) {
	inputs, err := parse(filepath.Join(dir, "variables.tf"), "variable")
	if err != nil {
		return "", err
	}
	outputs, err := parse(filepath.Join(dir, "outputs.tf"), "output")
	if err != nil {
		return "", err
	}
	alarms, err := alarmTable(filepath.Join(dir, "alarms.json"))
	if err != nil {
		return "", err
	}
	text := map[string]string{"inputs": inputTable(inputs), "outputs": outputTable(outputs), "alarms": alarms}
	for _, name := range tables {
		if readme, err = between(readme, name, text[name]); err != nil {
			return "", err
		}
	}
	return readme, nil
}

// between replaces what stands between the markers of that name.
func between(readme, name, text string) (string, error) {
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->"
	head, rest, opened := strings.Cut(readme, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !opened || !closed {
		return "", fmt.Errorf("it has no lines %q and %q", strings.TrimSpace(begin), end)
	}
	return head + begin + text + end + tail, nil
}

func inputTable(blocks []block) string {
	var b strings.Builder
	section := ""
	for _, v := range blocks {
		if v.section != section {
			section = v.section
			fmt.Fprintf(&b,
				"\n**%s**\n\n| Name | Description | Type | Default |\n|------|-------------|------|---------|\n",
				section)
		}
		def := "required"
		if v.def != "" {
			def = "`" + v.def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", v.name, cell(v.description), cell(v.typ), cell(def))
	}
	return b.String() + "\n"
}

func outputTable(blocks []block) string {
	var b strings.Builder
	section := ""
	for _, o := range blocks {
		if o.section != section {
			section = o.section
			fmt.Fprintf(&b, "\n**%s**\n\n| Name | Description |\n|------|-------------|\n", section)
		}
		description := o.description
		if o.sensitive {
			description += " (sensitive)"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.name, cell(description))
	}
	return b.String() + "\n"
}

func alarmTable(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var rows []struct {
		Slug, Metric, Statistic, Unit, Comparison, Expression string
		Threshold, Period                                     int
		EvaluationPeriods                                     int  `json:"evaluation_periods"`
		DatapointsToAlarm                                     int  `json:"datapoints_to_alarm"`
		NeedsReplicas                                         bool `json:"needs_replicas"`
	}
	if err := json.Unmarshal(raw, &rows); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	var b strings.Builder
	b.WriteString("\n| Alarm | Metric | Alarms when | For |\n|-------|--------|-------------|-----|\n")
	for _, r := range rows {
		sign := map[string]string{"GreaterThanThreshold": ">", "LessThanThreshold": "<"}[r.Comparison]
		if sign == "" {
			return "", fmt.Errorf("%s: the comparison %q of %s has no sign here", path, r.Comparison, r.Slug)
		}
		statistic := r.Statistic
		if r.Expression != "" {
			statistic = "`" + r.Expression + "`"
		}
		note := ""
		if r.NeedsReplicas {
			note = "; with replicas only"
		}
		fmt.Fprintf(&b, "| `%s` | %s (%s) | %s %s %d | %d of %d periods of %d s%s |\n",
			r.Slug, r.Metric, r.Unit, statistic, sign, r.Threshold, r.DatapointsToAlarm, r.EvaluationPeriods, r.Period, note)
	}
	return b.String() + "\n", nil
}

// cell escapes what would end a cell of a Markdown table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
