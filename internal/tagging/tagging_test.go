package tagging_test

import (
	"strings"
	"testing"

	"larder/internal/tagging"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct{ key, value, want string }{
		{"team", "", ""},
		{strings.Repeat("ä", 128), strings.Repeat("ä", 256), ""}, // characters count, not bytes
		{"", "x", `The tag key "" must have 1 to 128 characters`},
		{strings.Repeat("k", 129), "x", `The tag key "` + strings.Repeat("k", 129) + `" must have 1 to 128 characters`},
		{"team", strings.Repeat("v", 257), `The value of the tag "team" must have at most 256 characters`},
		{"AWS:team", "x", `The tag key "AWS:team" must not begin with aws:, which is kept for AWS's own tags`},
	} {
		if got := tagging.Check(c.key, c.value); got != c.want {
			t.Errorf("Check(%q, %q)\n  = %q\nwant %q", c.key, c.value, got, c.want)
		}
	}
}
