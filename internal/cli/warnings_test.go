package cli

import (
	"strings"
	"testing"
	"time"

	"larder/internal/doctor"
	"larder/internal/event"
	"larder/internal/state"
	"larder/internal/store"
)

// A loss is that of the group whose node it names, and not of an earlier one of the same name.
func TestWhoseLoss(t *testing.T) {
	g := pair()
	g.made = noon
	before, after, later := noon.Add(-time.Hour), noon.Add(time.Hour), noon.Add(2*time.Hour)
	for name, c := range map[string]struct {
		losses []loss
		want   time.Time
	}{
		"none":        {nil, time.Time{}},
		"the newest":  {[]loss{{later, "shop-002", "w"}, {after, "shop-001", "w"}}, later},
		"of another":  {[]loss{{after, "shopping-001", "w"}}, time.Time{}},
		"of a former": {[]loss{{before, "shop-001", "w"}}, time.Time{}},
	} {
		if got := g.deployed(c.losses); !got.Lost.Equal(c.want) {
			t.Errorf("%s: lost at %v, want %v", name, got.Lost, c.want)
		}
	}
}

// What there is to know of a group stands before it: in status, in what up says, and in its JSON.
func TestTheWorstComesFirst(t *testing.T) {
	c := newCloud(t)
	d := newHarness(t)
	const lost = "All data of uex-payments-prod-redis are lost"
	if err := c.up(d, &wire{}, "../module/testdata/seed/production.tf"); err != nil {
		t.Fatal(err)
	}
	if out := d.stdout.String(); !strings.HasPrefix(out, "warning: Nothing of uex-payments-prod-redis is backed up") ||
		strings.Contains(out, lost) {
		t.Errorf("up says\n%s", out)
	}
	if said := d.stderr.String(); strings.Contains(said, "snapshot_retention_limit") {
		t.Errorf("up says once more in a note what the warning says:\n%s", said)
	}
	err := c.store.Update(func(tx *store.Tx) error {
		return state.AddNotice(tx, event.New(event.AllDataLost, time.Now(), "uex-payments-prod-redis-001",
			"uex-payments-prod-redis-001"))
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := c.client(&wire{})
	groups := checked(engine.allStatuses(t.Context()))(t)
	warnings := checked(engine.warnings(t.Context(), groups))(t)
	if len(warnings) != 3 || warnings[0].Check != doctor.DataLost {
		t.Fatalf("got %+v", warnings)
	}
	d.stdout.Reset()
	if err := d.printWarnings(warnings); err != nil {
		t.Fatal(err)
	}
	if out := d.stdout.String(); !strings.HasPrefix(out, "warning: "+lost) || strings.Count(out, "\n   next: ") != 3 {
		t.Errorf("it prints\n%s", out)
	}
}
