package exporter

import (
	"math"
	"strconv"
	"strings"

	"larder/internal/nodestats"
)

// Metrics of commands and of errors.
var (
	commandCalls    = metric{"redis_commands_total", counter, "Calls, by command."}
	commandTime     = metric{"redis_commands_duration_seconds_total", counter, "Processor time, by command."}
	commandRejected = metric{"redis_commands_rejected_calls_total", counter, "Calls that were not begun, by command."}
	commandFailed   = metric{"redis_commands_failed_calls_total", counter, "Calls that ended in an error, by command."}
	commandLatency  = metric{"redis_latency_percentiles_usec", summary, "Microseconds that calls took, by command."}
	errorReplies    = metric{"redis_errors_total", counter, "Errors that clients got, by their first word."}
)

// command puts a field of INFO's commandstats, latencystats or errorstats on the page.
func command(p *page, l labels, name, value string) {
	if cmd, ok := strings.CutPrefix(name, "cmdstat_"); ok {
		calls(p, l.with("cmd", cmd), split(value))
	} else if cmd, ok := strings.CutPrefix(name, "latency_percentiles_usec_"); ok {
		percentiles(p, l.with("cmd", cmd), value)
	} else if word, ok := strings.CutPrefix(name, "errorstat_"); ok {
		p.add(errorReplies, l.with("err", word), split(value).number("count"))
	}
}

func calls(p *page, l labels, stat parts) {
	p.add(commandCalls, l, stat.number("calls"))
	p.add(commandTime, l, stat.number("usec")/1e6)
	p.add(commandRejected, l, stat.number("rejected_calls"))
	p.add(commandFailed, l, stat.number("failed_calls"))
	// The sum and count of the summary are those of the calls.
	p.addTo(commandLatency, "_sum", l, stat.number("usec"))
	p.addTo(commandLatency, "_count", l, stat.number("calls"))
}

// percentiles reads "p50=6.015,p99=6.015,p99.9=6.015".
func percentiles(p *page, l labels, value string) {
	for percentile, usec := range split(value) {
		percent, err := strconv.ParseFloat(strings.TrimPrefix(percentile, "p"), 64)
		n, ok := nodestats.Number(usec)
		if err == nil && ok {
			quantile := math.Round(percent*1e6) / 1e8 // 99.9 / 100 is no 0.999
			p.add(commandLatency, l.with("quantile", strconv.FormatFloat(quantile, 'g', -1, 64)), n)
		}
	}
}

// parts are the parts of a value such as "calls=2,usec=10".
type parts map[string]string

func split(value string) parts {
	all := parts{}
	for part := range strings.SplitSeq(value, ",") {
		if name, value, ok := strings.Cut(part, "="); ok {
			all[name] = value
		}
	}
	return all
}

// number is a part's value; a part that a version of redis-server lacks is none.
func (p parts) number(name string) float64 {
	n, _ := nodestats.Number(p[name])
	return n
}
