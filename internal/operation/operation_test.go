package operation_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"larder/internal/cache"
	"larder/internal/operation"
)

// TestEveryKindIsKnown: each constant has a row in the table, and each row's stages are named once.
func TestEveryKindIsKnown(t *testing.T) {
	t.Parallel()
	declared := constants(t, "Kind")
	for _, k := range declared {
		if !operation.Kind(k).Known() {
			t.Errorf("%s has no row in the table", k)
		}
	}
	if len(declared) != len(operation.Kinds()) {
		t.Errorf("%d kinds are declared, and the table has %v", len(declared), operation.Kinds())
	}
	stages := constants(t, "Stage")
	var used []string
	for _, k := range operation.Kinds() {
		for _, s := range k.Stages() {
			used = append(used, string(s))
		}
	}
	for _, s := range stages {
		if !slices.Contains(used, s) {
			t.Errorf("no kind of operation has the stage %q", s)
		}
	}
}

// TestEveryKindIsDocumented: docs/OPERATIONS.md says what begins it.
func TestEveryKindIsDocumented(t *testing.T) {
	t.Parallel()
	docs, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range operation.Kinds() {
		row := regexp.MustCompile("(?m)^\\|[^|]*`" + regexp.QuoteMeta(string(k)) + "`[^|]*\\| .+ \\|$")
		if !row.Match(docs) {
			t.Errorf("docs/OPERATIONS.md has no row of %s", k)
		}
	}
}

// constants are the values of the package's constants of a type.
func constants(t *testing.T, typ string) (values []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, is := n.(*ast.ValueSpec); is && len(spec.Values) == 1 {
			if name, is := spec.Type.(*ast.Ident); is && name.Name == typ {
				value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, value)
			}
		}
		return true
	})
	if len(values) == 0 {
		t.Fatalf("no constants of the type %s are found", typ)
	}
	return values
}

func some[T any](t *rapid.T, what string, of ...T) T { return rapid.SampledFrom(of).Draw(t, what) }

// topology is any group that records may show.
func topology(t *rapid.T) cache.Topology {
	g := &cache.ReplicationGroup{
		ID: "g", Status: some(t, "status", cache.Statuses...), NodeType: some(t, "node type", "small", "large"),
		EngineVersion: some(t, "version", "7.0.15", "7.2.4"), ParameterGroup: some(t, "parameters", "default", "own"),
		AutomaticFailover: rapid.Bool().Draw(t, "failover"), MultiAZ: rapid.Bool().Draw(t, "Multi-AZ"),
		TransitEncryption: rapid.Bool().Draw(t, "TLS"), PlainClients: rapid.Bool().Draw(t, "plain"),
		Scaling: some(t, "scaling", "", "small", "large"), Restore: some(t, "restore", "", "s"),
	}
	if rapid.Bool().Draw(t, "switched") {
		g.TransitBefore = new(some(t, "mode before", cache.TransitOff, cache.TransitPreferred, cache.TransitRequired))
	}
	if rapid.Bool().Draw(t, "snapshot") {
		g.Snapshot = &cache.Backup{Name: some(t, "snapshot's name", "s", "s2")}
	}
	if rapid.Bool().Draw(t, "deferred") {
		g.Deferred = &cache.Deferred{NodeType: some(t, "later type", "", "small", "large"),
			EngineVersion:  some(t, "later version", "", "7.0.15", "7.2.4"),
			ParameterGroup: some(t, "later parameters", "", "default", "own"),
			Primary:        some(t, "later primary", "", "g-001", "g-002", "g-009")}
		if rapid.Bool().Draw(t, "later failover") {
			g.Deferred.AutomaticFailover = new(rapid.Bool().Draw(t, "on"))
		}
		if rapid.Bool().Draw(t, "later Multi-AZ") {
			g.Deferred.MultiAZ = new(rapid.Bool().Draw(t, "on"))
		}
	}
	rg := cache.Topology{ReplicationGroup: g}
	for n := range rapid.IntRange(1, 3).Draw(t, "shards") {
		s := cache.Shard{GroupID: "g", ID: fmt.Sprintf("%04d", n+1), Group: g,
			Promote: some(t, "promote", "", "g-001", "g-002", "g-009")}
		for i := range rapid.IntRange(1, 4).Draw(t, "members") {
			s.Members = append(s.Members, member(t, cache.MemberID("g", i+1)))
		}
		s.SetPrimary(s.Members[rapid.IntRange(0, len(s.Members)-1).Draw(t, "primary")].ID)
		rg.Shards = append(rg.Shards, s)
	}
	return rg
}

func member(t *rapid.T, id string) cache.Member {
	m := cache.Member{ID: id, Spec: some(t, "spec", "", "small 7.0.15", "large 7.2.4"), Access: some(t, "access", "", "a"),
		Removing:    some(t, "leaving", false, false, true),
		Status:      some(t, "member's status", cache.MemberAvailable, cache.MemberModifying, cache.MemberCreating),
		Replacement: some(t, "reason", "", "", cache.Rebooting, cache.FailedOver, cache.Detached)}
	if rapid.Bool().Draw(t, "there") {
		m.Created = time.Unix(1, 0)
	}
	return m
}

// TestWhatIsPendingGoesOn: an operation that records show to be asked for is open by the same records, in a stage of
// its kind, and covers itself. A row for each is thus begun once, and not again.
func TestWhatIsPendingGoesOn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rg := topology(t)
		facts := operation.Facts{Topology: rg, Snapshots: map[string]cache.Snapshot{
			"s": {Name: "s", Status: cache.SnapshotCreating}}}
		pending := operation.Pending(rg)
		for i, o := range pending {
			s := o.Look(facts)
			if s.Outcome != "" || !slices.Contains(o.Kind.Stages(), s.Stage) {
				t.Fatalf("%+v is %+v", o, s)
			}
			if s.Total < s.Done && s.Total > 0 || s.Done < 0 {
				t.Fatalf("%+v has done %d of %d", o, s.Done, s.Total)
			}
			if o.Group != "g" || !o.Covers(o) {
				t.Fatalf("%+v does not cover itself", o)
			}
			for _, other := range pending[:i] {
				if other.Covers(o) {
					t.Fatalf("%+v is pending twice", o)
				}
			}
		}
	})
}

// TestEveryLookHasAStageOrAnOutcome: of any operation and any records.
func TestEveryLookHasAStageOrAnOutcome(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := operation.Operation{Group: "g", Kind: some(t, "kind", operation.Kinds()...),
			Shard: some(t, "shard", "", "0001", "0009"), To: some(t, "to", "", "small", "g-001", "s", "on")}
		o.Members = some(t, "members", nil, []string{"g-001"}, []string{"g-002", "g-009"})
		facts := operation.Facts{Topology: topology(t)}
		if rapid.Bool().Draw(t, "gone") {
			facts.Topology = cache.Topology{}
		}
		s := o.Look(facts)
		if (s.Outcome == "") == (s.Stage == "") || s.Outcome == "" && !slices.Contains(o.Kind.Stages(), s.Stage) ||
			s.Outcome != "" && !slices.Contains(operation.Outcomes, s.Outcome) {
			t.Fatalf("%+v is %+v", o, s)
		}
		if facts.ReplicationGroup == nil && s.Outcome == "" {
			t.Fatalf("%+v goes on without its group: %+v", o, s)
		}
	})
}

func TestAnotherKindIsNoMoreThanThat(t *testing.T) {
	t.Parallel()
	o := operation.Operation{Kind: "of a later larder"}
	if s := o.Look(operation.Facts{}); s.Outcome != operation.Cancelled || s.Reason == "" {
		t.Errorf("%+v", s)
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	young, old := operation.Operation{Ended: now}, operation.Operation{Ended: now.AddDate(0, 0, -91)}
	for _, c := range []struct {
		o     operation.Operation
		newer int
		want  bool
	}{{young, 0, false}, {young, 4, false}, {young, 5, true}, {old, 0, true}} {
		if got := c.o.Expired(c.newer, 5, now); got != c.want {
			t.Errorf("%+v with %d newer: %t", c.o, c.newer, got)
		}
	}
}
