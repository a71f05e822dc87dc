// Package iampolicy decides by resource policies: the JSON documents that topics, keys and secrets have. It is pure:
// whose policy it is and what follows from a decision is for the services to know.
package iampolicy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"larder/internal/caller"
)

// Decision is what a policy says of a request.
type Decision int

// The decisions. Implicit is the one of a policy in which no statement matches.
const (
	Implicit Decision = iota
	Allow
	Deny
)

// Request is something that is to be done with the resource that has the policy.
type Request struct {
	Caller   caller.Caller
	Action   string            // kms:Decrypt
	Resource string            // an ARN
	Values   map[string]string // of condition keys, beside the caller's own; keys are in lower case
}

// Policy is a policy that was read.
type Policy struct{ statements []statement }

type statement struct {
	Effect                  string
	Principal, NotPrincipal *principals
	Action, NotAction       texts
	Resource, NotResource   texts
	Condition               map[string]map[string]texts

	conditions []condition
}

// texts is a text or a list of texts; numbers and truth values are texts too.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		list = []json.RawMessage{b}
	}
	for _, raw := range list {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			if !json.Valid(raw) || bytes.ContainsAny(raw[:1], `{[n`) {
				return fmt.Errorf("%s is neither a text nor a list of texts", raw)
			}
			text = string(raw)
		}
		*t = append(*t, text)
	}
	return nil
}

// Parse reads a policy. It refuses what AWS has no operator for, so that every policy that is read can be evaluated.
func Parse(text string) (*Policy, error) {
	var document struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("the policy is no JSON object: %w", err)
	}
	raw := bytes.TrimSpace(document.Statement)
	if len(raw) > 0 && raw[0] == '{' { // one statement needs no list
		raw = slices.Concat([]byte{'['}, raw, []byte{']'})
	}
	p := &Policy{}
	if err := json.Unmarshal(raw, &p.statements); err != nil {
		return nil, fmt.Errorf("the policy has no statement that can be read: %w", err)
	}
	for i := range p.statements {
		if err := p.statements[i].compile(); err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
	}
	return p, nil
}

// compile reads the statement's conditions.
func (s *statement) compile() error {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return fmt.Errorf("the Effect %q is neither Allow nor Deny", s.Effect)
	}
	for operator, keys := range s.Condition {
		for key, values := range keys {
			c, err := newCondition(operator, key, values)
			if err != nil {
				return err
			}
			s.conditions = append(s.conditions, c)
		}
	}
	return nil
}

// Decide says what the policy decides: Deny when a statement that denies matches, else Allow when one that allows does.
func (p *Policy) Decide(r Request) Decision {
	decision := Implicit
	for _, s := range p.statements {
		switch {
		case !s.matches(r):
		case s.Effect == "Deny":
			return Deny
		default:
			decision = Allow
		}
	}
	return decision
}

func (s *statement) matches(r Request) bool {
	switch {
	case s.NotPrincipal != nil && s.NotPrincipal.include(r.Caller):
		return false
	case s.NotPrincipal == nil && (s.Principal == nil || !s.Principal.include(r.Caller)):
		return false
	case !listed(s.Action, s.NotAction, r.Action, true), !listed(s.Resource, s.NotResource, r.Resource, false):
		return false
	}
	values := r.values()
	return !slices.ContainsFunc(s.conditions, func(c condition) bool { return !c.holds(values) })
}

// listed tells whether a statement is about something: it is in the one list, or not in the other. A statement that has
// neither list is about everything.
func listed(in, notIn texts, what string, fold bool) bool {
	list := in
	if in == nil {
		list = notIn
	}
	if fold {
		what = strings.ToLower(what)
	}
	found := slices.ContainsFunc(list, func(pattern string) bool {
		if fold {
			pattern = strings.ToLower(pattern)
		}
		return like(pattern, what)
	})
	return found == (in != nil) || in == nil && notIn == nil
}

// like tells whether a text is as a pattern says, in which * is any text and ? any character.
func like(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
