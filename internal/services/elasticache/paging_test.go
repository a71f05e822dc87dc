package elasticache_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"pgregory.net/rapid"

	"larder/internal/event"
	"larder/internal/operation"
	"larder/internal/servicetest"
	"larder/internal/state"
	"larder/internal/store"
)

// Whatever comes and goes between two pages: what was there all the time is shown, nothing twice, and in order.
func TestPagesSurviveChanges(t *testing.T) {
	s := newServer(t)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("g-%03d",
				rapid.IntRange(0, 199).Draw(t, "n"))
		})
		kept := rapid.SliceOfNDistinct(id, 0, 90, rapid.ID[string]).Draw(t, "kept")
		s.change(t, clearGroups)
		s.change(t, putGroups(kept))
		var shown []string
		in := &sdk.DescribeReplicationGroupsInput{MaxRecords: new(int32(rapid.IntRange(20, 40).Draw(t, "size")))}
		for {
			out := must(s.DescribeReplicationGroups(t.Context(), in))(t)
			if len(out.ReplicationGroups) > int(*in.MaxRecords) {
				t.Fatalf("a page of %d has %d groups", *in.MaxRecords, len(out.ReplicationGroups))
			}
			for _, g := range out.ReplicationGroups {
				shown = append(shown, *g.ReplicationGroupId)
			}
			if in.Marker = out.Marker; in.Marker == nil {
				break
			}
			some := rapid.SliceOfN(id, 0, 5)
			s.change(t, putGroups(some.Draw(t, "come")))
			gone := append(some.Draw(t, "go"), shown[len(shown)-1]) // the last is the one that the marker names
			s.change(t, dropGroups(gone))
			kept = slices.DeleteFunc(kept, func(id string) bool { return slices.Contains(gone, id) })
		}
		if !slices.IsSorted(shown) || len(slices.Compact(slices.Clone(shown))) != len(shown) {
			t.Fatalf("not in order, or twice: %v", shown)
		}
		for _, id := range kept {
			if !slices.Contains(shown, id) {
				t.Fatalf("%s is not shown: %v", id, shown)
			}
		}
	})
}

func putGroups(ids []string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		for _, id := range ids {
			if err := state.PutGroup(tx, groupOf(id, 1), operation.Origin{At: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	}
}

func dropGroups(ids []string) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		for _, id := range ids {
			if err := state.DeleteGroup(tx, id, time.Now()); err != nil {
				return err
			}
		}
		return nil
	}
}

func clearGroups(tx *store.Tx) error {
	groups, err := state.AllGroups(tx)
	if err != nil {
		return err
	}
	var ids []string
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return dropGroups(ids)(tx)
}

// Parameters keep the API's order over pages.
func TestPagesOfParameters(t *testing.T) {
	s := newServer(t)
	in := &sdk.DescribeCacheParametersInput{CacheParameterGroupName: new("default.redis7")}
	var whole, paged []string
	for _, p := range must(s.DescribeCacheParameters(t.Context(), in))(t).Parameters {
		whole = append(whole, *p.ParameterName)
	}
	in.MaxRecords = new(int32(20))
	pages := sdk.NewDescribeCacheParametersPaginator(s, in)
	for pages.HasMorePages() {
		for _, p := range must(pages.NextPage(t.Context()))(t).Parameters {
			paged = append(paged, *p.ParameterName)
		}
	}
	if !slices.Equal(whole, paged) || len(whole) < 50 {
		t.Errorf("at once %v\nin pages %v", whole, paged)
	}
}

func TestPagesOfEvents(t *testing.T) {
	s := newServer(t)
	for i := range 50 {
		s.addNotice(t, time.Duration(i)*time.Second, event.SourceGroup, "mine", fmt.Sprint(i))
	}
	pages := sdk.NewDescribeEventsPaginator(s, &sdk.DescribeEventsInput{MaxRecords: new(int32(20))})
	next := 0
	for pages.HasMorePages() {
		for _, e := range must(pages.NextPage(t.Context()))(t).Events {
			if *e.Message != fmt.Sprint(next) {
				t.Fatalf("got event %s, want %d", *e.Message, next)
			}
			next++
		}
		s.now = s.now.Add(time.Second)
		s.addNotice(t, 0, event.SourceGroup, "mine", "new") // which is on no later page
	}
	if next != 50 {
		t.Errorf("got %d events", next)
	}
}

func TestPagingRefusals(t *testing.T) {
	s := newServer(t)
	for _, n := range []int32{-1, 0, 19, 101} {
		_, err := s.DescribeReplicationGroups(t.Context(), &sdk.DescribeReplicationGroupsInput{MaxRecords: &n})
		servicetest.WantError(t, err, value,
			fmt.Sprintf("Invalid value %d for MaxRecords. Must be between 20 and 100", n))
	}
	_, err := s.DescribeReplicationGroups(t.Context(), &sdk.DescribeReplicationGroupsInput{Marker: new("not a marker")})
	servicetest.WantError(t, err, value,
		`The parameter Marker is not valid: "not a marker" is not a marker of an earlier answer.`)
}
