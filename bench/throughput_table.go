package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// ratioWanted is how much of a bare server's throughput the primary endpoint shall give.
const ratioWanted = 0.97

// row is what a contest showed: the first of the results is larder's.
type row struct {
	what    string
	load    workload
	results []result
	others  float64 // the most that others took from a load
}

func (r row) name() string {
	return fmt.Sprintf("%s, %s, pipeline %d", strings.ToUpper(r.load.command), r.what, r.load.pipeline)
}

// disturbance says how quiet the machine was.
func disturbance(rows []row) string {
	most := slices.MaxFunc(rows, func(a, b row) int { return cmp.Compare(a.others, b.others) })
	return fmt.Sprintf("Other processes took at most %.0f %% of the two cores during a load (%s).", 100*most.others,
		most.name())
}

// primarySection has results of larder, a bare server, and another bare server.
func primarySection(rows []row) section {
	s := section{
		title: "Throughput through the primary endpoint",
		how: fmt.Sprintf("redis-benchmark with %d clients, %s keys and values of %d bytes, on a group's primary endpoint "+
			"and, in turn with it, on two bare redis-servers: started with the same\n"+
			"configuration, a certificate of the same kind and the same token, one address, and no engine. The ratio is that "+
			"of the medians, bare being the mean of both servers in each round;\n"+
			"in parentheses the least and the greatest ratio of a single round. The last but one column is one bare server "+
			"over the other: what noise makes of 1.000. The last is CPU time that the\n"+
			"redis-servers themselves spent on a request.\n%s", loadClients, whole(loadKeys), loadValue,
			disturbance(rows)),
		table: table{{"", "larder, requests/s", "bare, requests/s", "larder ÷ bare", "target", "bare ÷ bare",
			"CPU per request, larder ÷ bare"}},
	}
	for _, r := range rows {
		larder, one, other := r.results[0], r.results[1], r.results[2]
		decided := verdict(r.share() >= ratioWanted)
		if r.others > quietEnough {
			decided = "undecided"
		}
		bare := pooled(one.rates, other.rates)
		s.table.add(r.name(), larder.rates.show(whole), bare.show(whole), showRatio(larder.rates, bare), decided,
			showRatio(other.rates, one.rates), decimals(3)(larder.cpu.mean()/pooled(one.cpu, other.cpu).mean()))
	}
	s.goals = []string{primaryGoal(rows)}
	return s
}

// share is how much of a bare server's throughput larder gave.
func (r row) share() float64 {
	return ratio(r.results[0].rates, pooled(r.results[1].rates, r.results[2].rates))
}

// primaryGoal is met when every row meets it, and cannot be told when others disturbed one.
func primaryGoal(rows []row) string {
	undecided := 0
	for _, r := range rows {
		if r.others > quietEnough {
			undecided++
		}
	}
	if undecided > 0 {
		return fmt.Sprintf("at least %.2f of a bare server in every row: **undecided** in %d of %d, as other processes "+
			"took more than %.0f %% of the cores: run it again on a quieter machine, or with more -patience",
			ratioWanted, undecided, len(rows), 100*quietEnough)
	}
	worst := slices.MinFunc(rows, func(a, b row) int { return cmp.Compare(a.share(), b.share()) })
	return goal(worst.share() >= ratioWanted,
		"at least %.2f of a bare server in every row (the least is %.3f: %s; bare servers among themselves: %.3f)",
		ratioWanted, worst.share(), worst.name(), ratio(worst.results[2].rates, worst.results[1].rates))
}

// pooled takes the mean of both in each round.
func pooled(a, b sample) sample {
	var both sample
	for i := range a {
		both = append(both, (a[i]+b[i])/2)
	}
	return both
}

// readerSection has results of the reader endpoint and of one replica.
func readerSection(rows []row) section {
	s := section{
		title: "Throughput through the reader endpoint",
		how: "The reader endpoint of the production example has two replicas behind a relay process, which copies " +
			"encrypted bytes; beside it one of these replicas, reached at\n" +
			"its own address. Relay and replicas are on one core here, so the relay's work shows in full. There is no target: " +
			"a client that wants all of a replica connects to it directly.\n" +
			disturbance(rows),
		table: table{{"", "reader endpoint, requests/s", "replica, requests/s", "reader ÷ replica",
			"CPU per request, µs, reader endpoint", "replica"}},
	}
	for _, r := range rows {
		reader, replica := r.results[0], r.results[1]
		s.table.add(r.name(), reader.rates.show(whole), replica.rates.show(whole),
			showRatio(reader.rates, replica.rates),
			decimals(1)(reader.cpu.mean()), decimals(1)(replica.cpu.mean()))
	}
	return s
}
