package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Row is what one fault did.
type Row struct {
	Fault
	Recovery time.Duration // until the group was whole, the fault's own time included
	Gap      time.Duration // the longest between two acknowledged writes
	ReadGap  time.Duration // the longest between two answers of the reader endpoint
	Stale    time.Duration // by how much the reader endpoint was behind at most
	Lag      int64         // bytes that no replica had when the fault came
	Acked    int           // acknowledged writes
	Missing  int           // of them
	Broken   error         // the promises that did not hold
	at       time.Duration
	start    time.Duration // how long engines took to start
}

// judge fills in what the clients saw, and which promises were broken.
func (r *Row) judge(o Outcome, seen record, lists map[int][]int, earlier []Write) {
	missing, err := Missing(seen.writes, lists)
	o.Missing = missing
	r.Missing = len(missing)
	for _, w := range seen.writes {
		if w.Acked {
			r.Acked++
		}
	}
	r.Gap = LongestGap(seen.writes, r.at)
	r.ReadGap, r.Stale = readGap(seen.reads, r.at), staleness(seen)
	r.Broken = errors.Join(err, o.Judge(), TwoPrimaries(append(slices.Clone(earlier), seen.writes...)))
	if o.Class == Planned || o.Class == Unaffected {
		r.Broken = errors.Join(r.Broken, Linearizable(seen.registers, linearPatience))
	}
	r.Broken = errors.Join(r.Broken, r.tooLong())
}

// What clients may have to bear. The bounds are wide, for machines that have other work to do; the benchmarks measure.
// An engine that dies in the middle of a move leaves writes held until the next one has started, which a busy machine
// may take long for.
const (
	mostGap   = 2 * time.Second // without a write, where the primary moves by plan or nothing happens to it
	mostStale = 5 * time.Second // that the reader endpoint is behind
)

// tooLong is an error when clients had to wait for longer than can be explained, or were shown what was long past.
func (r *Row) tooLong() error {
	var all []error
	if c, most := r.class(), mostGap+r.start; r.Gap > most && (c == Planned || c == Unaffected) {
		all = append(all, fmt.Errorf("no write was acknowledged for %s, more than %s", r.Gap, most))
	}
	if r.Stale > mostStale {
		all = append(all, fmt.Errorf("the reader endpoint was %s behind, more than %s", r.Stale, mostStale))
	}
	return errors.Join(all...)
}

func readGap(reads []read, from time.Duration) time.Duration {
	var longest time.Duration
	for i := 1; i < len(reads); i++ {
		if reads[i].answered > from {
			longest = max(longest, reads[i].answered-reads[i-1].answered)
		}
	}
	return longest
}

// staleness is the longest time that an acknowledged write of writer 0 had been there when a read did not show it.
func staleness(seen record) time.Duration {
	var acked []Write // of writer 0, in order
	for _, w := range seen.writes {
		if w.Writer == 0 && w.Acked {
			acked = append(acked, w)
		}
	}
	var longest time.Duration
	for _, r := range seen.reads {
		unseen, _ := slices.BinarySearchFunc(acked, r.number+1,
			func(w Write, n int) int { return cmp.Compare(w.Number, n) })
		if unseen < len(acked) && acked[unseen].Answered < r.invoked {
			longest = max(longest, r.invoked-acked[unseen].Answered)
		}
	}
	return longest
}

func (r Row) String() string {
	s := fmt.Sprintf("%-36s whole after %5d ms, write gap %5d ms, read gap %5d ms, lag %d bytes, %d acknowledged, %d "+
		"missing",
		r.Kind, r.Recovery.Milliseconds(), r.Gap.Milliseconds(), r.ReadGap.Milliseconds(), r.Lag, r.Acked, r.Missing)
	if r.Broken != nil {
		s += "\n    BROKEN: " + r.Broken.Error()
	}
	return s
}

// Report is what a run showed.
type Report struct{ Rows []Row }

// Broken joins every promise that did not hold.
func (r *Report) Broken() error {
	var all []error
	for i, row := range r.Rows {
		if row.Broken != nil {
			all = append(all, fmt.Errorf("fault %d, %s: %w", i+1, row.Fault, row.Broken))
		}
	}
	return errors.Join(all...)
}

// Print writes a table with a line for each kind of fault, and one for all.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t,
		"fault\tclass\tcount\tlongest write gap\tmedian\tlongest read gap\tstalest read\twhole after\tgreatest "+
			"lag\tacknowledged\tmissing\t")
	for _, trait := range traits {
		printLine(t, string(trait.kind), string(trait.class),
			slices.DeleteFunc(slices.Clone(r.Rows), func(row Row) bool { return row.Kind != trait.kind }))
	}
	printLine(t, "all", "", r.Rows)
	return t.Flush()
}

func printLine(w io.Writer, name, class string, rows []Row) {
	if len(rows) == 0 {
		return
	}
	rows = slices.SortedFunc(slices.Values(rows), func(a, b Row) int { return cmp.Compare(a.Gap, b.Gap) })
	most := Row{Gap: rows[len(rows)-1].Gap}
	for _, r := range rows {
		most.ReadGap, most.Stale = max(most.ReadGap, r.ReadGap), max(most.Stale, r.Stale)
		most.Recovery, most.Lag = max(most.Recovery, r.Recovery), max(most.Lag, r.Lag)
		most.Acked, most.Missing = most.Acked+r.Acked, most.Missing+r.Missing
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%d ms\t%d ms\t%d ms\t%d ms\t%d ms\t%d B\t%d\t%d\t\n", name, class, len(rows),
		most.Gap.Milliseconds(),
		rows[len(rows)/2].Gap.Milliseconds(), most.ReadGap.Milliseconds(), most.Stale.Milliseconds(),
		most.Recovery.Milliseconds(), most.Lag, most.Acked, most.Missing)
}
