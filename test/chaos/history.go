package chaos

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Term is a server's time as primary: its process, and the replication history that began when it was promoted.
type Term struct{ Run, History string }

func (t Term) String() string { return fmt.Sprintf("%.6s/%.6s", t.Run, t.History) }

// Write is an attempt of a writer to append the next number to its list. Times count from the start of the run.
type Write struct {
	Writer, Number    int
	Invoked, Answered time.Duration
	Acked             bool // otherwise it is unknown whether it was done
	By                Term // the server that the writer was connected to
}

// Missing compares what writers were told with what the lists of the recovered group hold, and returns the acknowledged
// writes that are not there. Numbers that nobody wrote, or acknowledged ones out of order, are an error.
func Missing(writes []Write, lists map[int][]int) ([]Write, error) {
	type id struct{ writer, number int }
	position, sent, acked := map[id]int{}, map[id]bool{}, map[id]bool{}
	for w, list := range lists {
		for i, n := range list {
			if _, twice := position[id{w, n}]; twice {
				return nil, fmt.Errorf("the list of writer %d holds %d twice", w, n)
			}
			position[id{w, n}] = i
		}
	}
	var missing []Write
	for _, w := range writes {
		key := id{w.Writer, w.Number}
		sent[key], acked[key] = true, w.Acked
		if _, there := position[key]; w.Acked && !there {
			missing = append(missing, w)
		}
	}
	for w, list := range lists {
		last := 0
		for _, n := range list {
			switch {
			case !sent[id{w, n}]:
				return missing, fmt.Errorf("the list of writer %d holds %d, which it never wrote", w, n)
			case acked[id{w, n}] && n < last:
				return missing, fmt.Errorf("the list of writer %d has %d, acknowledged later, before %d", w, last, n)
			case acked[id{w, n}]:
				last = n
			}
		}
	}
	return missing, nil
}

// tenure bounds when a server took writes: it had taken one by first, and took another no sooner than last.
type tenure struct {
	Term
	first, last time.Duration
}

// tenures sorts acknowledged writes by the server that took them.
func tenures(writes []Write) []tenure {
	all := map[Term]*tenure{}
	for _, w := range writes {
		switch t := all[w.By]; {
		case !w.Acked:
		case t == nil:
			all[w.By] = &tenure{w.By, w.Answered, w.Invoked}
		default:
			t.first, t.last = min(t.first, w.Answered), max(t.last, w.Invoked)
		}
	}
	var out []tenure
	for _, t := range all {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b tenure) int {
		return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.Run+a.History, b.Run+b.History))
	})
	return out
}

// TwoPrimaries is an error when two processes must have taken writes through the endpoint in turns: neither can have
// taken its last before the other took its first.
func TwoPrimaries(writes []Write) error {
	var found []error
	all := tenures(writes)
	for i, a := range all {
		for _, b := range all[i+1:] {
			if a.Run != b.Run && a.last > b.first && b.last > a.first {
				found = append(found,
					fmt.Errorf("two primaries took writes at once: %s from %s to %s, %s from %s to %s",
						a.Term, a.first, a.last, b.Term, b.first, b.last))
			}
		}
	}
	return errors.Join(found...)
}

// LongestGap is the longest time between two acknowledgements, of which the second came after from.
func LongestGap(writes []Write, from time.Duration) time.Duration {
	var at []time.Duration
	for _, w := range writes {
		if w.Acked {
			at = append(at, w.Answered)
		}
	}
	slices.Sort(at)
	var longest time.Duration
	for i := 1; i < len(at); i++ {
		if at[i] > from {
			longest = max(longest, at[i]-at[i-1])
		}
	}
	return longest
}

// lossWindow is how far back an unplanned loss may reach. Replicas that follow are behind by milliseconds, on one
// machine by less.
const lossWindow = time.Second

// Outcome is what is known of the group after a fault.
type Outcome struct {
	Class         Class
	Before, After Term          // the primary's when the fault came, and when the group had recovered
	Struck        time.Duration // when the last blow fell
	Missing       []Write
	Announced     bool // an event says that a node restarted without data
}

// Judge tells which promise was broken.
func (o Outcome) Judge() error {
	if len(o.Missing) > 0 && (o.Class == Planned || o.Class == Unaffected) {
		return fmt.Errorf("%d acknowledged writes are missing, the first is %+v, and nothing may be lost",
			len(o.Missing), o.Missing[0])
	}
	if o.Class == Unaffected && o.Before != o.After {
		return fmt.Errorf("the primary was %s and is %s, and nothing had happened to it", o.Before, o.After)
	}
	for _, w := range o.Missing {
		if w.By == o.After {
			return fmt.Errorf("the primary that took over, %s, acknowledged %+v and does not have it", o.After, w)
		}
		if o.Class == Unplanned && w.By != o.Before {
			return fmt.Errorf("%+v is missing, and the primary that died was another one, %s", w, o.Before)
		}
		if o.Class != Total && w.Answered < o.Struck-lossWindow {
			return fmt.Errorf("%+v is missing, and was acknowledged %s before the primary died: a replica with it was left",
				w, o.Struck-w.Answered)
		}
	}
	if o.Class == Total && len(o.Missing) > 0 && !o.Announced {
		return fmt.Errorf("%d acknowledged writes are missing and no event says that data were lost", len(o.Missing))
	}
	if o.Announced && o.Class != Total {
		return errors.New("an event says that data were lost, while a node that had them was left")
	}
	return nil
}
