package catalog_test

import (
	"strings"
	"testing"

	"larder/internal/catalog"
)

func parameters(t *testing.T) *catalog.Parameters {
	t.Helper()
	ps, err := catalog.LoadParameters()
	if err != nil {
		t.Fatal(err)
	}
	return ps
}

func TestParameterTable(t *testing.T) {
	all := parameters(t).All()
	if len(all) < 60 || all[0].Name != "acllog-max-len" {
		t.Errorf("%d parameters, the first is %s", len(all), all[0].Name)
	}
	seen := map[string]bool{}
	for _, p := range all {
		if seen[p.Name] {
			t.Errorf("%s: there twice", p.Name)
		}
		seen[p.Name] = true
		if p.DataType != "integer" && p.DataType != "string" {
			t.Errorf("%s: data type %q", p.Name, p.DataType)
		}
		if p.MinimumVersion == "" || p.Description == "" {
			t.Errorf("%s: no minimum version or no description", p.Name)
		}
		if got, ok := parameters(t).Lookup(p.Name); !ok || got != p {
			t.Errorf("%s: Lookup gives %+v, %v", p.Name, got, ok)
		}
	}
}

func TestModifiableDefaultsMayBeSet(t *testing.T) {
	ps := parameters(t)
	for _, p := range ps.All() {
		err := ps.Check(p.Name, p.Default, true)
		if p.Modifiable && err != nil {
			t.Error(err)
		}
		if !p.Modifiable && (err == nil || !strings.Contains(err.Error(), "cannot be modified")) {
			t.Errorf("%s cannot be modified, and Check says %v", p.Name, err)
		}
	}
}

func TestCheckParameter(t *testing.T) {
	const invalid = "has an invalid value"
	ps := parameters(t)
	for _, c := range []struct{ name, value, refusal string }{
		{"timeout", "0", ""}, {"timeout", "20", ""}, {"timeout", "2147483647", ""},
		{"timeout", "19", invalid}, {"timeout", "-1", invalid}, {"timeout", "", invalid}, {"timeout", "20.5", invalid},
		{"timeout", "twenty", invalid},
		{"timeout", "2147483648", "Allowed values: 0,20-2147483647"},
		{"timeout", "+30", invalid}, {"timeout", "030", invalid}, {"timeout", " 30", invalid},
		{"slowlog-log-slower-than", "-1", ""}, {"slowlog-log-slower-than", "-2", invalid},
		{"slowlog-max-len", "9223372036854775807", ""}, {"slowlog-max-len", "9223372036854775808", invalid},
		{"reserved-memory-percent", "100", ""}, {"reserved-memory-percent", "101", invalid},
		{"maxmemory-policy", "allkeys-lru", ""}, {"maxmemory-policy", "ALLKEYS-LRU", invalid},
		{"maxmemory-policy", "allkeys-lru,noeviction", invalid},
		{"maxmemory-policy", "", invalid},
		{"notify-keyspace-events", "", ""}, {"notify-keyspace-events", "KEg$lshzxetdmnA", ""},
		{"notify-keyspace-events", "KQ", "letters from"},
		{"acl-pubsub-default", "resetchannels", ""},
		{"activedefrag", "no", ""}, {"activedefrag", "yes", "larder serves activedefrag = \"no\" only"},
		{"close-on-replica-write", "yes", "larder serves"}, {"rename-commands", "GET blocked", "larder serves"},
		{"appendonly", "yes", "cannot be modified"}, {"lua-time-limit", "5000", "cannot be modified"},
		{"maxmemory", "1", "cannot be modified"},
		{"maxmemory-clients", "1", "Parameter maxmemory-clients doesn't exist"}, {"", "", "doesn't exist"},
	} {
		err := ps.Check(c.name, c.value, true)
		if (err == nil) != (c.refusal == "") || err != nil && !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s = %q: %v, want %q", c.name, c.value, err, c.refusal)
		}
	}
}
