package chaos

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func every(t interface {
	Helper()
	Fatal(...any)
}) []Kind {
	t.Helper()
	kinds, err := Kinds("")
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

func TestTheSameSeedGivesTheSameSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, n, more := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 100).Draw(t, "faults"), rapid.IntRange(0,
			100).Draw(t, "more")
		short, long := Schedule(seed, n, every(t)), Schedule(seed, n+more, every(t))
		if len(short) != n || !slices.Equal(short, long[:n]) {
			t.Fatalf("%v\nis not how this begins:\n%v", short, long)
		}
	})
}

func TestSchedulesDiffer(t *testing.T) {
	if slices.Equal(Schedule(1, 30, every(t)), Schedule(2, 30, every(t))) {
		t.Error("seeds 1 and 2 give the same schedule")
	}
}

// The short run shows every kind, and each within its bounds.
func TestEveryKindComes(t *testing.T) {
	seen := map[Kind]int{}
	for _, f := range Schedule(shortSeed, shortFaults, every(t)) {
		seen[f.Kind]++
		if hold := traitOf(f.Kind).hold; f.Hold < hold[0] || f.Hold > hold[1] || f.Pause < leastPause ||
			f.Pause > mostPause {
			t.Errorf("%s is out of its bounds", f)
		}
	}
	for _, k := range every(t) {
		if seen[k] == 0 {
			t.Errorf("%q does not come", k)
		}
		if injections[k] == nil {
			t.Errorf("nothing does %q", k)
		}
	}
}

func TestKindsAreChosenByName(t *testing.T) {
	got, err := Kinds("promote a replica; kill -9 primary")
	if err != nil || !slices.Equal(got, []Kind{Promote, KillPrimary}) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := Kinds("earthquake"); err == nil {
		t.Error("an unknown kind was taken")
	}
}
