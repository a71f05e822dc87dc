package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// What keeping samples, and deciding on them, may take.
const (
	perSampleWanted = 1.5  // bytes
	alarmsWanted    = 10.0 // ms
)

// keeping measures the store of samples and the evaluation of alarms by their own benchmarks: neither is behind an API
// that could be asked to hurry through fifteen days.
func (b *bench) keeping(ctx context.Context) (section, error) {
	b.say("metrics: fifteen days on disk")
	disk, err := goBenchmark(ctx, "./internal/series", "BenchmarkDisk", 1)
	if err != nil {
		return section{}, err
	}
	var alarms, reads sample // ms
	for round := range b.rounds {
		b.say("metrics: a thousand alarms, round %d of %d", round+1, b.rounds)
		for name, times := range map[string]*sample{"BenchmarkThousandAlarms": &alarms,
			"BenchmarkThousandReads": &reads} {
			found, err := goBenchmark(ctx, "./internal/alarm", name, 50)
			if err != nil {
				return section{}, err
			}
			*times = append(*times, found["ns/op"]/1e6)
		}
	}
	size := disk["B/sample"]
	return section{
		title: "Keeping metrics, and deciding on them",
		how: "Fifteen days of nodes' 92 metrics, sample by sample as the engine writes them, with a day's load in them; " +
			"200 nodes take 100 times what the 2 do that are written. Beside it the same\n" +
			"samples as plain floats, series by series, in gzip, which finds none of them again. Alarms: 1,000 that are all " +
			"due, each on 4 points of five minutes of its own metric. Beside it\n" +
			"reading those points, and no more.",
		goals: []string{
			goal(size < perSampleWanted, "less than %.1f bytes a sample", perSampleWanted),
			goal(alarms.median() < alarmsWanted, "1,000 alarms in less than %.0f ms", alarmsWanted),
		},
		table: table{
			{"", "larder", "beside it", "÷"},
			{"bytes a sample", decimals(2)(size), decimals(2)(disk["gzip-B/sample"]),
				decimals(2)(size / disk["gzip-B/sample"])},
			{"15 days of 200 nodes, MB", whole(disk["MB/200nodes"]),
				whole(disk["MB/200nodes"] / size * disk["gzip-B/sample"]), decimals(2)(size / disk["gzip-B/sample"])},
			{"1,000 alarms, ms", alarms.show(decimals(2)), reads.show(decimals(2)), decimals(2)(ratio(alarms, reads))},
		},
	}, nil
}

// goBenchmark runs one of this repository's own benchmarks, and returns its figures by their units.
func goBenchmark(ctx context.Context, directory, name string, times int) (map[string]float64, error) {
	out, err := output(exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+name+"$", "-benchtime",
		strconv.Itoa(times)+"x", directory))
	if err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", name, err)
	}
	return parseBenchmark(out, name)
}

// parseBenchmark reads the line of a benchmark: its name, how often it ran, and pairs of a figure and a unit.
func parseBenchmark(out []byte, name string) (map[string]float64, error) {
	lines := bufio.NewScanner(bytes.NewReader(out))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], name) {
			continue
		}
		found := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("cannot read the figures of %q: %w", lines.Text(), err)
			}
			found[fields[i+1]] = value
		}
		return found, nil
	}
	return nil, fmt.Errorf("%s said nothing of itself:\n%s", name, out)
}
