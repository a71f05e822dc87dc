package series

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// TestRoomForNewNodes creates and ends groups all day. Groups that run must have metrics. To make room, the series that
// ended longest ago are evicted, and never a user's own.
func TestRoomForNewNodes(t *testing.T) {
	now := start.Add(12 * time.Hour)
	config := Config{Dir: t.TempDir(), Now: func() time.Time { return now }, MaxSeries: 100, Reserved: 50,
		ReservedFor: "own"}
	s := opened(t, config)
	defer func() { s.Close() }()
	add := func(namespace, name string) error {
		k := key(name)
		k.Namespace = namespace
		return s.Add(Sample{Key: k, Cell: Single(now.Unix(), 1)})
	}
	has := func(namespace, name string) bool {
		k := key(name)
		k.Namespace = namespace
		cells, err := s.Cells(k, 0, always)
		if err != nil {
			t.Fatal(err)
		}
		return len(cells) > 0
	}
	for i := range 40 {
		if err := add("N", fmt.Sprint("user-", i)); err != nil {
			t.Fatal(err)
		}
	}
	const groups, each = 60, 5
	for g := range groups {
		for range 3 { // minutes
			for m := range each {
				if err := errors.Join(add("own", fmt.Sprint("group-", g, "-", m)),
					add("own", fmt.Sprint("stays-", m))); err != nil {
					t.Fatalf("group %d: %v", g, err)
				}
			}
			if err := s.Maintain(); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Minute)
		}
		now = now.Add(10 * time.Minute)
		if g == groups/2 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = opened(t, config)
		}
	}
	for m := range each {
		for _, name := range []string{"stays-", "group-59-", "group-55-"} {
			if name = fmt.Sprint(name, m); !has("own", name) {
				t.Errorf("%s is gone", name)
			}
		}
	}
	if has("own", "group-0-0") {
		t.Error("the group that ended first is there")
	}
	for i := range 40 {
		if !has("N", fmt.Sprint("user-", i)) {
			t.Errorf("user-%d is gone", i)
		}
	}
	stays := key("stays-0")
	stays.Namespace = "own"
	if cells, err := s.Cells(stays, 0, always); err != nil || len(cells) != 3*groups {
		t.Errorf("what stays has %d cells, %v; want %d", len(cells), err, 3*groups)
	}
}
