package redisnode_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/internal/catalog"
	"larder/internal/redisnode"
)

// sameButSpelled lists the directives that redis-server returns in another spelling, and those that larder bounds
// before it sets them.
var sameButSpelled = []string{"client-output-buffer-limit", "maxclients", "notify-keyspace-events",
	"proto-max-bulk-len"}

// TestEveryDirectiveIsTaken starts redis-server with every parameter's default, for small and large node types, with
// and without TLS. The server has the given values, and Configure has nothing to change.
func TestEveryDirectiveIsTaken(t *testing.T) {
	f := newField(t)
	for nodeType, change := range map[string]func(*redisnode.Config){
		"cache.t2.micro": nil, "cache.t3.medium": withTLS, "cache.m6g.large": nil, "cache.r6gd.16xlarge": withTLS,
		"cache.r5.24xlarge": nil,
	} {
		d := directives(t, nodeType, nil)
		s := f.start(func(c *redisnode.Config) {
			c.Directives = all(d)
			if change != nil {
				change(c)
			}
		})
		for name, want := range all(d) {
			if got := s.get(name); got != want && !slices.Contains(sameButSpelled, name) {
				t.Errorf("%s: %s is %q, want %q", nodeType, name, got, want)
			}
		}
		if changed, err := s.Configure(t.Context(), d.Live); len(changed) > 0 || err != nil {
			t.Errorf("%s: configured again, %v change, %v", nodeType, changed, err)
		}
	}
}

// TestEveryBootParameterIsTaken covers the parameters that take effect only at the next start.
func TestEveryBootParameterIsTaken(t *testing.T) {
	f := newField(t)
	set := map[string]string{"acl-pubsub-default": "resetchannels", "databases": "1", "activerehashing": "no"}
	s := f.start(func(c *redisnode.Config) { c.Directives = all(directives(t, "cache.t3.micro", set)) })
	for name, want := range set {
		if got := s.get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	rights := s.do("ACL", "GETUSER", "default").([]any)
	if i := slices.Index(rights, any("channels")); i < 0 || rights[i+1] != "" {
		t.Errorf("with resetchannels, the clients' channels are %v", rights)
	}
}

// TestWhatCheckAllowsIsTaken: every node accepts each value that a parameter group accepts, up to the ends of its
// range.
func TestWhatCheckAllowsIsTaken(t *testing.T) {
	families, err := catalog.LoadFamilies()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range []string{"redis6.x", catalog.Family} {
		t.Run(family, func(t *testing.T) { testAllowedIsTaken(t, families[family]) })
	}
}

func testAllowedIsTaken(t *testing.T, parameters *catalog.Parameters) {
	s := newField(t).start(nil)
	types := must(catalog.LoadNodeTypes())
	live := func(set map[string]string) map[string]string {
		return must(parameters.Directives(set, types["cache.t3.micro"])).Live
	}
	usual := live(nil)
	if _, err := s.Configure(t.Context(), usual); err != nil {
		t.Fatal(err)
	}
	for _, p := range parameters.All() {
		if p.RequiresReboot {
			continue
		}
		for _, value := range candidates(p) {
			if parameters.Check(p.Name, value, true) != nil {
				continue
			}
			d := live(map[string]string{p.Name: value})
			maps.DeleteFunc(d, func(name, value string) bool { return usual[name] == value })
			if len(d) == 0 {
				continue
			}
			err := patiently(func() error {
				_, err := s.Configure(t.Context(), d)
				return err
			})
			if err != nil {
				t.Errorf("%s = %s: %v", p.Name, value, err)
			}
		}
	}
}

// candidates returns values inside a parameter's range, at its ends, and outside.
func candidates(p catalog.Parameter) []string {
	if p.DataType == "string" {
		return append(strings.Split(p.Allowed, ","), "", "Kg$lshzxetdmnAE")
	}
	out := []string{"-1", "0", "1", "2147483647", "2147483648", "4294967296", "9223372036854775807",
		"-9223372036854775808"}
	for _, number := range strings.FieldsFunc(p.Allowed, func(c rune) bool { return c == ',' || c == '-' }) {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			continue
		}
		for near := n - 1; near <= n+1; near++ {
			out = append(out, strconv.FormatInt(near, 10), strconv.FormatInt(-near, 10))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestSecretsAreReadAsWritten: redis-server parses the configuration file correctly, whatever a password contains.
func TestSecretsAreReadAsWritten(t *testing.T) {
	f := newField(t)
	for _, secret := range []string{
		"plain", "", " ", "two words", `"quoted"`, "'single'", `back\slash\n`, "# no comment", "a#b", "line\nbreak",
		"tab\tbell\a", "\v\f",
		"nul\x00inside", "\x00", "\xff\xfe", "schlüssel", `"`, `\`, `\x41`, "${HOME}", strings.Repeat("long ", 2000),
	} {
		s := f.start(func(c *redisnode.Config) { c.ReplicationPassword, c.AdminPassword = secret, secret+"!" })
		if got := s.get("masterauth"); got != secret {
			t.Errorf("%q is read as %q", secret, got)
		}
	}
}

// TestNothingServesBeforeServe: a server that starts or restarts has no port.
func TestNothingServesBeforeServe(t *testing.T) {
	f := newField(t)
	for _, change := range []func(*redisnode.Config){nil, withTLS} {
		s := f.start(change)
		if st := s.state(); len(st.Serves) > 0 || !st.Primary || st.Follows.IsValid() || st.Offset != 0 {
			t.Errorf("%+v", st)
		}
		if open(s.at()) {
			t.Error("a port is open")
		}
	}
}
