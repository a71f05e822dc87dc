package main

import (
	"fmt"
	"time"
)

// What a failover may take, as a client sees it.
const (
	killWanted     = 20 * time.Millisecond // median
	killMostWanted = 100 * time.Millisecond
	hungWanted     = 1500 * time.Millisecond // every one
	plannedWanted  = 30 * time.Millisecond   // median
)

// gaps are those of trials, in milliseconds.
func (t trials) gaps() (s sample) {
	for _, o := range t.outcomes {
		s = append(s, float64(o.gap)/float64(time.Millisecond))
	}
	return s
}

// lost counts acknowledged writes that were lost, the trials in which any were, and all that were acknowledged.
func (t trials) lost() (writes, times, of int) {
	for _, o := range t.outcomes {
		writes, of = writes+o.lost, of+o.of
		if o.lost > 0 {
			times++
		}
	}
	return writes, times, of
}

// failoverSection shows trials by kind, larder's first.
func failoverSection(all []trials) section {
	s := section{
		title: "Failover, as a client sees it",
		how: fmt.Sprintf("One client writes over TLS, a number every %s, and tries again every %s when it is refused or "+
			"has no answer for %s. The time is the longest between two acknowledged writes, detection included;\n"+
			"then every acknowledged write is looked for. larder's client knows one address, the primary endpoint. Sentinel's "+
			"asks three sentinels for the primary at each try and leaves a primary as soon as one of them\n"+
			"announces a switch, as client libraries do. A primary and two replicas on either side: the same redis-server, "+
			"configuration and kind of certificate. Sentinel's fastest stable setting is down-after-milliseconds %d\n"+
			"and failover-timeout %d, its default %d and %d. %d sets of sentinels are tried side by side, as they wait most "+
			"of the time. larder's planned move is ModifyReplicationGroup with PrimaryClusterId; TestFailover, which\n"+
			"makes the same move, has AWS's limit for a day.", writePace, retryPause, answerLimit,
			fastest.downAfter.Milliseconds(), fastest.timeout.Milliseconds(),
			defaults.downAfter.Milliseconds(), defaults.timeout.Milliseconds(), lanes),
		table: table{{"", "trials", "median, ms", "p99, ms", "longest, ms", "median ÷ larder",
			"acknowledged writes lost"}},
	}
	for _, kind := range []string{killed, hung, planned} {
		var own sample
		for _, t := range all {
			if t.kind != kind || len(t.outcomes) == 0 {
				continue
			}
			gaps := t.gaps()
			if own == nil {
				own = gaps
				s.goals = append(s.goals, failoverGoals(kind, gaps, t)...)
			}
			s.table.add(kind+": "+t.who, fmt.Sprint(len(gaps)), decimals(1)(gaps.median()),
				decimals(1)(gaps.quantile(0.99)), decimals(1)(gaps.quantile(1)),
				decimals(1)(ratio(gaps, own)), lostCell(t))
		}
	}
	return s
}

func failoverGoals(kind string, gaps sample, t trials) []string {
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	switch kind {
	case killed:
		return []string{goal(gaps.median() < milliseconds(killWanted) &&
			gaps.quantile(0.99) < milliseconds(killMostWanted),
			"kill -9: median under %s, 99th percentile under %s", killWanted, killMostWanted)}
	case hung:
		return []string{goal(gaps.quantile(1) < milliseconds(hungWanted), "hung primary: each under %s", hungWanted)}
	}
	writes, _, _ := t.lost()
	return []string{
		goal(gaps.median() < milliseconds(plannedWanted), "planned: median under %s", plannedWanted),
		goal(writes == 0, "planned: no acknowledged write is lost"),
	}
}

func lostCell(t trials) string {
	writes, times, of := t.lost()
	if writes == 0 {
		return fmt.Sprintf("0 of %s", whole(float64(of)))
	}
	return fmt.Sprintf("%s of %s, in %d trials", whole(float64(writes)), whole(float64(of)), times)
}
