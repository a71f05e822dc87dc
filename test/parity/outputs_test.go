package parity

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// notCompared are outputs about what larder up makes nothing of yet, and of which it prints null; and a name that each
// makes up.
var notCompared = []string{"user_group_id", "final_snapshot_identifier"}

// A command gets the token in one of two ways: larder's own, and AWS's. Node.js trusts larder's CA by a flag.
var (
	tokenSource = regexp.MustCompile(`\$\((larder outputs --deployment [^ ]+ auth_token|aws secretsmanager ` +
		`get-secret-value --secret-id '[^']+' --query SecretString --output text \| jq -r \.auth_token)\)`)
	nodeFlag = "node --use-openssl-ca "
	asJSON   = regexp.MustCompile(`(larder outputs --deployment [^ ]+ auth_token \| jq -R '\{AuthToken: \.\}'|aws ` +
		`secretsmanager get-secret-value --secret-id '[^']+' --query SecretString --output text \| jq '\{AuthToken: ` +
		`\.auth_token\}')`)
)

// outputs reads the outputs that a command prints, plainly. Terraform keeps none that is null.
func (s *site) outputs(name string, args ...string) map[string]any {
	s.t.Helper()
	var printed map[string]struct{ Type, Value any }
	if err := json.Unmarshal(s.must(name, args...), &printed); err != nil {
		s.t.Fatal(err)
	}
	token, ok := printed["auth_token"].Value.(string)
	if !ok || len(token) != 64 {
		s.t.Errorf("%s prints no token of 64 characters", name)
	}
	for _, name := range notCompared {
		delete(printed, name)
	}
	all := map[string]any{}
	for name, o := range printed {
		if o.Value == nil {
			continue
		}
		if text, ok := o.Value.(string); ok {
			text = strings.NewReplacer(token, "TOKEN", url.QueryEscape(token), "TOKEN", nodeFlag, "node ").Replace(text)
			o.Value = asJSON.ReplaceAllString(tokenSource.ReplaceAllString(text, "TOKEN"), "TOKEN")
		}
		all[name] = plain(s.t, o)
	}
	return all
}
