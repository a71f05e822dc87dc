package iampolicy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"larder/internal/caller"
)

// Refusal says that a policy does not allow something: by a statement that denies it, or for want of one that allows
// it.
func Refusal(d Decision, by caller.Caller, action, resource string) string {
	why := "because no resource-based policy allows the " + action + " action"
	if d == Deny {
		why = "with an explicit deny in a resource-based policy"
	}
	return fmt.Sprintf("%s is not authorized to perform: %s on resource: %s %s", by, action, resource, why)
}

// ElastiCache is the service that publishes the events of replication groups.
const ElastiCache = "elasticache.amazonaws.com"

// values are those of the condition keys: the caller's and the request's own. Clients reach AWS over TLS, so policies
// that ask for it let larder's pass: its endpoint is on loopback alone.
func (r Request) values() map[string]string {
	c := r.Caller
	values := map[string]string{"aws:securetransport": "true", "aws:sourceowner": c.Account}
	if c.Service != "" {
		values["aws:principalisawsservice"], values["aws:principalservicename"] = "true", c.Service
		if c.Service != ElastiCache { // AWS's guide: it publishes to no topic whose policy asks for the key
			values["aws:sourceaccount"] = c.Account
		}
		if c.SourceARN != "" {
			values["aws:sourcearn"] = c.SourceARN
		}
	} else {
		values["aws:principalisawsservice"], values["aws:principalarn"] = "false", c.ARN
		values["aws:principalaccount"], values["aws:principaltype"] = c.Account, "User"
		values["aws:username"] = c.UserName()
	}
	maps.Copy(values, r.Values)
	return values
}

// principals are who a statement is about.
type principals struct {
	everybody     bool
	AWS, Services texts
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *principals) UnmarshalJSON(b []byte) error {
	var all string
	if err := json.Unmarshal(b, &all); err == nil {
		if all != "*" {
			return fmt.Errorf("the principal %q is neither * nor an object", all)
		}
		p.everybody = true
		return nil
	}
	var by map[string]texts
	if err := json.Unmarshal(b, &by); err != nil {
		return fmt.Errorf("the principal %s cannot be read: %w", b, err)
	}
	p.AWS, p.Services = by["AWS"], by["Service"]
	p.everybody = slices.Contains(p.AWS, "*")
	return nil
}

// include tells whether a caller is one of the principals. An account, by its number or its root, is all of its users.
func (p *principals) include(c caller.Caller) bool {
	if p.everybody {
		return true
	}
	if c.Service != "" {
		return slices.Contains(p.Services, c.Service) || slices.Contains(p.Services, "*")
	}
	return slices.ContainsFunc(p.AWS, func(name string) bool {
		return name == c.ARN || name == c.Account || name == "arn:aws:iam::"+c.Account+":root"
	})
}
