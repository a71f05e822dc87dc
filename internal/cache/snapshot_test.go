package cache_test

import (
	"strings"
	"testing"

	"larder/internal/cache"
)

func TestEveryEventIsHandledInEverySnapshotStatus(t *testing.T) {
	for _, status := range cache.SnapshotStatuses {
		for _, e := range cache.SnapshotEvents {
			s := cache.Snapshot{Name: "mine", Status: status}
			err := s.Fire(e)
			asked := e == cache.RestoreAsked || e == cache.SnapshotDeleteAsked
			switch {
			case err != nil && strings.HasPrefix(err.Error(), "no transition"):
				t.Errorf("%s, %s: missing in the table", status, e)
			case err != nil && s.Status != status:
				t.Errorf("%s, %s: refused, and yet the status becomes %s", status, e, s.Status)
			case err != nil && !asked:
				t.Errorf("%s, %s: only a request can be refused: %v", status, e, err)
			case err != nil && (!strings.Contains(err.Error(), "mine") ||
				!strings.Contains(err.Error(), string(status))):
				t.Errorf("%s, %s: %v does not say which and why", status, e, err)
			case err == nil && e == cache.SnapshotDeleteAsked && s.Status != cache.SnapshotDeleting:
				t.Errorf("%s, %s: becomes %s", status, e, s.Status)
			case err == nil && e == cache.SnapshotDeleteAsked && status != cache.SnapshotAvailable &&
				status != cache.SnapshotFailed:
				t.Errorf("%s, %s: somebody still needs it", status, e)
			case err == nil && e == cache.RestoreAsked && status != cache.SnapshotAvailable &&
				status != cache.SnapshotRestoring:
				t.Errorf("%s, %s: there is nothing to restore", status, e)
			case s.Status != status && status == cache.SnapshotDeleting:
				t.Errorf("%s, %s: a final status becomes %s", status, e, s.Status)
			}
		}
	}
}

func TestUnknownSnapshotEventsAreErrors(t *testing.T) {
	for _, c := range []struct {
		s cache.SnapshotStatus
		e cache.SnapshotEvent
	}{{"unheard of", cache.Taken}, {cache.SnapshotAvailable, "unheard of"}} {
		s := cache.Snapshot{Status: c.s}
		if err := s.Fire(c.e); err == nil || s.Status != c.s {
			t.Errorf("%s, %s: becomes %s, %v", c.s, c.e, s.Status, err)
		}
	}
}

func TestSnapshotOf(t *testing.T) {
	g := &cache.Shard{GroupID: "g", ID: cache.FirstShard, Group: &cache.ReplicationGroup{ID: "g"}}
	for n, zone := range []string{"a", "b", "a"} {
		g.Members = append(g.Members, cache.Member{ID: cache.MemberID("g", n+1), Zone: zone})
	}
	g.Group.KMSKeyID, g.Group.NodeType = "key", "cache.t3.micro"
	g.SetPrimary("g-002")
	g.Members[2].Removing = true
	s := cache.SnapshotOf(g, g.Members[0])
	if s.Member != "g-001" || s.Zone != "a" || strings.Join(s.Zones, "") != "ba" ||
		s.Status != cache.SnapshotCreating ||
		s.KMSKeyID != "key" || s.NodeType != "cache.t3.micro" || s.Group != "g" {
		t.Errorf("got %+v", s)
	}
}
