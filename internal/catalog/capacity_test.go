package catalog_test

import (
	"testing"

	"larder/internal/catalog"
)

func TestOverfull(t *testing.T) {
	type nodes = []catalog.NodeMemory
	for name, c := range map[string]struct {
		nodes nodes
		limit int64
		keep  int64
		fit   bool
	}{
		"nobody answers":                        {nil, 10, 0, true},
		"the data fit":                          {nodes{{Used: 9, Limit: 20}}, 10, 0, true},
		"to the byte":                           {nodes{{Used: 10, Limit: 20}}, 10, 0, true},
		"one byte too many":                     {nodes{{Used: 11, Limit: 20}}, 10, 20, false},
		"it has that limit already":             {nodes{{Used: 11, Limit: 10}}, 10, 0, false},
		"it gets more, and has too little":      {nodes{{Used: 11, Limit: 5}}, 10, 0, false},
		"it has no limit":                       {nodes{{Used: 11}}, 10, 11, false},
		"one of two, whose limit is the larger": {nodes{{Used: 11, Limit: 20}, {Used: 1, Limit: 30}}, 10, 20, false},
		"both, the larger limit is kept":        {nodes{{Used: 11, Limit: 20}, {Used: 12, Limit: 30}}, 10, 30, false},
	} {
		if got := catalog.Overfull(c.nodes, c.limit); got != c.keep {
			t.Errorf("%s: %d is kept, want %d", name, got, c.keep)
		}
		if got := catalog.Fit(c.nodes, c.limit); got != c.fit {
			t.Errorf("%s: they fit: %v", name, got)
		}
	}
}

func TestKeepMemory(t *testing.T) {
	for _, c := range []struct{ has, least, want string }{{"10", "0", "10"}, {"10", "10", "10"}, {"10", "11", "11"},
		{"10", "9", "10"}} {
		d := catalog.Directives{Live: map[string]string{"maxmemory": c.has}}
		least, err := catalog.Directives{Live: map[string]string{"maxmemory": c.least}}.MaxMemory()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.KeepMemory(least); err != nil || d.Live["maxmemory"] != c.want {
			t.Errorf("%s with at least %s is %s, %v; want %s", c.has, c.least, d.Live["maxmemory"], err, c.want)
		}
	}
	none := catalog.Directives{Live: map[string]string{}}
	if _, err := none.MaxMemory(); err == nil {
		t.Error("directives without maxmemory have one")
	}
	if err := none.KeepMemory(1); err == nil {
		t.Error("directives without maxmemory can keep one")
	}
}
