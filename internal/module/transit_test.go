package module

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestTransitSteps takes a call from one way of encryption in transit to another: what is asked for of the API, or why
// nothing is.
func TestTransitSteps(t *testing.T) {
	const (
		bare      = `auth_token_enabled = false`
		off       = `transit_encryption_enabled = false`
		preferred = `transit_encryption_mode = "preferred"`
		required  = `transit_encryption_mode = "required"`
		later     = `apply_immediately = false`
		first     = `first set transit_encryption_mode = "preferred"`
	)
	for name, c := range map[string]struct {
		before, after []string
		want          string // TransitEncryptionEnabled and TransitEncryptionMode of ModifyReplicationGroup
		refused       string // part of it
	}{
		"off to both":               {[]string{bare, off}, []string{bare, preferred}, "true preferred", ""},
		"both to required":          {[]string{bare, preferred}, []string{bare, required}, "- required", ""},
		"both to required, a token": {[]string{bare, preferred}, []string{required}, "- required", ""},
		"required to both":          {[]string{bare}, []string{bare, preferred}, "- preferred", ""},
		"both to off":               {[]string{bare, preferred}, []string{bare, off}, "false ", ""},
		"both stays without a mode": {[]string{bare, preferred}, []string{bare}, "", ""},
		"off to required":           {[]string{bare, off}, []string{bare}, "", first},
		"off to required, by name":  {[]string{bare, off}, []string{bare, required}, "", first},
		"required to off":           {[]string{bare}, []string{bare, off}, "", "and take both back"},
		"a token, to both":          {nil, []string{bare, preferred}, "", "while the group has a token"},
		"a token, to off":           {nil, []string{bare, off}, "", "while the group has a token"},
		"in the maintenance window": {[]string{bare, off, later}, []string{bare, preferred, later}, "",
			"set apply_immediately = true"},
		"nothing, whatever the time": {[]string{bare, later}, []string{bare, required, later}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := mustLoad(t, block(c.before...)).Resources(Known{})
			observed := observe(before)
			after := mustLoad(t, block(c.after...)).Resources(observed.Known())
			changes := Diff(after, observed)
			var refused []string
			for _, change := range changes {
				if strings.HasPrefix(change.Field, "TransitEncryption") && change.Refused != "" {
					refused = append(refused, change.Refused)
				}
			}
			all := strings.Join(refused, "; ")
			if (all != "") != (c.refused != "") || !strings.Contains(all, c.refused) {
				t.Fatalf("refused: %q", all)
			}
			if c.refused != "" {
				return
			}
			got := ""
			if m := after.Modification(observed, changes).Modify; m != nil {
				enabled := "-"
				if m.TransitEncryptionEnabled != nil {
					enabled = boolText(m.TransitEncryptionEnabled)
				}
				got = enabled + " " + string(m.TransitEncryptionMode)
				if !aws.ToBool(m.ApplyImmediately) {
					t.Error("it waits for the maintenance window")
				}
			}
			if got != c.want {
				t.Errorf("asked for: %q, want %q", got, c.want)
			}
		})
	}
}
