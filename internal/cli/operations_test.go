package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"larder/internal/services/larder"
)

// everyState are operations of every state that a list shows, as the engine answers.
func everyState() []larder.Operation {
	began := time.Date(2026, 12, 1, 4, 0, 0, 0, time.UTC).UnixNano()
	at := func(after time.Duration) int64 { return began + after.Nanoseconds() }
	const me = "arn:aws:iam::000000000000:user/larder"
	return []larder.Operation{
		{ID: "shop/9", ReplicationGroupId: "shop", Kind: "snapshot", To: "kept", By: me, Began: began, Unit: "bytes",
			Stage: "copying the data", Done: 3 << 20},
		{ID: "shop/8", ReplicationGroupId: "shop", Kind: "restore", To: "kept", By: "larder", Began: began, Unit: "bytes",
			Stage: "loading the data", Done: 1 << 20, Total: 4 << 20},
		{ID: "bakery/2", ReplicationGroupId: "bakery", Kind: "scale-node-type", From: "cache.t3.micro",
			To: "cache.t3.small", By: me, Began: began, Stage: "updating nodes", Done: 1, Total: 3, Unit: "nodes",
			LastError: "redis-server 7.0.15, which runs this group, is no longer installed"},
		{ID: "shop/7", ReplicationGroupId: "shop", Kind: "scale-node-type", From: "cache.t3.small", To: "cache.t3.micro",
			By: me, Began: began, Ended: at(95 * time.Second), Outcome: "failed", Reason: "Failed to scale down to cache " +
				"node type Replication Group [shop] because the node has insufficient memory."},
		{ID: "shop/6", ReplicationGroupId: "shop", Kind: "switchover", NodeGroupId: "0001",
			CacheClusterIds: []string{"shop-002"}, From: "shop-001", To: "shop-002", Began: began,
			Ended: at(1200 * time.Millisecond), Outcome: "succeeded"},
	}
}

func statusesOf(all []larder.Operation) (out []operationStatus) {
	for _, o := range all {
		out = append(out, newOperationStatus("us-east-1", o))
	}
	return out
}

func TestOperationLines(t *testing.T) {
	t.Parallel()
	all := statusesOf(everyState())
	now := all[0].Began.Add(12 * time.Second)
	const at80 = `
  OPERATION  WHAT             STATE                             TOOK
  shop/9     snapshot         copying the data, 3.0 MiB         12 s
  shop/8     restore          loading the data, 25% of 4.0 MiB  12 s
  bakery/2   scale-node-type  updating nodes, 1 of 3            12 s
      redis-server 7.0.15, which runs this group, is no longer installed
  shop/7     scale-node-type  failed                            95 s
      Failed to scale down to cache node type Replication Group [shop] because
      the node has insufficient memory.
  shop/6     switchover       succeeded                         1.2 s`
	if diff := cmp.Diff(at80, "\n"+drawn(operationLines(all, true, now, 80), 80, false)); diff != "" {
		t.Errorf("at 80 columns (-want +got):\n%s", diff)
	}
	wide := drawn(operationLines(all, true, now, 0), 0, false)
	for _, part := range []string{"CHANGE", "cache.t3.micro → cache.t3.small", "2026-12-01 04:00", "user/larder",
		"unknown", "us-east-1", "shop-001 → shop-002"} {
		if !strings.Contains(wide, part) {
			t.Errorf("with room for all it lacks %s:\n%s", part, wide)
		}
	}
}

// TestOnlyTheLatestOperationsAreListed, with what shows the others; all that go on are.
func TestOnlyTheLatestOperationsAreListed(t *testing.T) {
	t.Parallel()
	var all []operationStatus
	for _, o := range statusesOf(everyState()) {
		for range latest + 3 {
			all = append(all, o)
		}
	}
	now := all[0].Began
	few, every := operationLines(all, false, now, 0), operationLines(all, true, now, 0)
	if got := few[len(few)-1].draw(0, false); got != "  26 earlier: larder operations --group GROUP" {
		t.Errorf("it ends with %q", got)
	}
	// The ones that go on, of which one kind has an error, and those that failed each with a reason.
	if want := 1 + 4*(latest+3) + 2*latest + 1; len(few) != want {
		t.Errorf("%d lines, want %d", len(few), want)
	}
	if want := 1 + 7*(latest+3); len(every) != want {
		t.Errorf("of all %d lines, want %d", len(every), want)
	}
}

func TestOperationDetails(t *testing.T) {
	t.Parallel()
	all := statusesOf(everyState())
	const want = `
shop/7  scale-node-type  failed
  change   cache.t3.small → cache.t3.micro
  region   us-east-1
  began    2026-12-01 04:00:00 UTC
  ended    2026-12-01 04:01:35 UTC
  took     95 s
  by       arn:aws:iam::000000000000:user/larder
  reason   Failed to scale down to cache node type Replication Group [shop]
           because the node has insufficient memory.`
	if diff := cmp.Diff(want, "\n"+drawn(all[3].details(time.Now(), 80), 80, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestHowLongOperationsTake(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]string{
		-time.Second: "0.0 s", 0: "0.0 s", 1234 * time.Millisecond: "1.2 s", 10 * time.Second: "10 s",
		119 * time.Second: "119 s", 2 * time.Minute: "2 min", 119 * time.Minute: "119 min", 2 * time.Hour: "2 h",
		47 * time.Hour: "47 h", 48 * time.Hour: "2 days",
	} {
		if got := (operationStatus{}).took(time.Time{}.Add(took)); got != want {
			t.Errorf("%s is %q, want %q", took, got, want)
		}
	}
}

// TestOperationsThatAreNotUnderstood end with 2 and say what is; without an engine it is 1.
func TestOperationsThatAreNotUnderstood(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		code int
		says string
	}{
		"shop":                {2, "want its group and number, such as shop/1; --group shop lists those of a group"},
		"shop/1 --group shop": {2, "--group is for the list"},
		"shop/1 shop/2":       {2, "accepts at most 1 arg"},
		"shop/1":              {1, "larder up"},
		"":                    {1, "larder up"},
	} {
		d := newHarness(t)
		code := Run(t.Context(), append([]string{"operations"}, strings.Fields(line)...), d.Environment)
		if said := d.stderr.String(); code != want.code || !strings.Contains(said, want.says) {
			t.Errorf("larder operations %s ends with %d, and says %s", line, code, said)
		}
	}
}
