package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// contest makes a row in which larder and the two bare servers had these rates, and others took a part of the cores.
func contest(larder, one, other, others float64) row {
	var all []result
	for _, rate := range []float64{larder, one, other} {
		all = append(all, result{rates: sample{rate, rate}, cpu: sample{10, 10}})
	}
	return row{what: "1 node, TLS", load: workload{"get", 16}, results: all, others: others}
}

func TestTargetOfThePrimaryEndpoint(t *testing.T) {
	for name, c := range map[string]struct {
		rows []row
		want string
	}{
		"all above": {[]row{contest(1000, 1000, 1000, 0.05), contest(970, 990, 1010, 0.05)},
			"the least is 0.970: GET, 1 node, TLS, pipeline 16; bare servers among themselves: 1.020): **met**"},
		"one is below": {[]row{contest(1000, 1000, 1000, 0.05), contest(960, 1000, 1000, 0.05)},
			"the least is 0.960: GET, 1 node, TLS, pipeline 16; bare servers among themselves: 1.000): **not met**"},
		"one cannot be told": {[]row{contest(1000, 1000, 1000, 0.05), contest(960, 1000, 1000, 0.5)},
			"**undecided** in 1 of 2, as other processes took more than 8 % of the cores: run it again on a quieter " +
				"machine, or with more -patience"},
	} {
		t.Run(name, func(t *testing.T) {
			s := primarySection(c.rows)
			if len(s.goals) != 1 || !strings.HasSuffix(s.goals[0], c.want) {
				t.Errorf("got %q, want an end of %q", s.goals, c.want)
			}
			if len(s.table) != 3 {
				t.Errorf("2 rows became %q", s.table)
			}
		})
	}
}

func TestReport(t *testing.T) {
	m := machine{date: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), took: 61 * time.Second, processor: "P", kernel: "K",
		platform: "G", redis: "R", tools: "L", cores: cores{0, 3, 4}}
	var out bytes.Buffer
	sections := []section{{title: "One", how: "So.", goals: []string{goal(false, "less than %d", 2)},
		table: table{{"", "a"}, {"x", "1"}}}}
	if err := writeReport(&out, m, &bench{rounds: 3}, sections); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"on 2 January 2030, 03:04 UTC, in 1m1s.", "the median of 3 rounds",
		"- P, 4 cores; API, memory and throughput: servers on core 3 and loads on core 0\n",
		"\n## 1. One\n\nSo.\n\n- Target: less than 2: **not met**\n\n|  | a |\n|---|---:|\n| x | 1 |\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestProcessorName(t *testing.T) {
	if got := processorName("processor\t: 0\nmodel name\t: Some: CPU\n"); got != "Some: CPU" {
		t.Errorf("got %q", got)
	}
	if got := processorName("processor\t: 0\n"); !strings.Contains(got, "unknown") {
		t.Errorf("got %q", got)
	}
}
