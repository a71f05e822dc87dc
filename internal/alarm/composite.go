package alarm

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Composite is a parsed rule over the states of other alarms.
type Composite struct {
	root     term
	children []string
}

// term is a part of a rule: the state of an alarm, a constant, or terms under AND, OR or NOT.
type term struct {
	state State  // ALARM("name"), OK("name"), INSUFFICIENT_DATA("name")
	alarm string // name of the child alarm
	sign  string // TRUE, FALSE, AND, OR, NOT
	terms []term
}

// Limits of a rule. Source: PutCompositeAlarm.
const (
	maxRule     = 10_240 // characters
	maxChildren = 100
	maxNesting  = 200
)

var ruleToken = regexp.MustCompile(`^(?:[()]|"[^"]*"|[^\s()"]+)`)

// ParseComposite parses an alarm rule. An ARN in it stands for the alarm's name.
func ParseComposite(rule string) (*Composite, error) {
	if n := len([]rune(rule)); n < 1 || n > maxRule {
		return nil, fmt.Errorf("AlarmRule must have 1 to %d characters; it has %d", maxRule, n)
	}
	p := &ruleParser{}
	for rest := strings.TrimSpace(rule); rest != ""; rest = strings.TrimSpace(rest) {
		token := ruleToken.FindString(rest)
		if token == "" {
			return nil, fmt.Errorf("AlarmRule: %q is not understood", rest)
		}
		p.tokens, rest = append(p.tokens, token), rest[len(token):]
	}
	root, err := p.either()
	if err == nil && len(p.tokens) > 0 {
		err = fmt.Errorf("AlarmRule: there is %q where it should end", p.tokens[0])
	}
	if err == nil && len(p.children) > maxChildren {
		err = fmt.Errorf("AlarmRule names %d alarms; it can name %d", len(p.children), maxChildren)
	}
	return &Composite{root, p.children}, err
}

// Children returns the names of the alarms in the rule.
func (c *Composite) Children() []string { return c.children }

// Holds reports whether the rule is true. state returns the state of a child.
func (c *Composite) Holds(state func(name string) State) bool { return c.root.holds(state) }

func (t term) holds(state func(string) State) bool {
	holds := func(t term) bool { return t.holds(state) }
	switch t.sign {
	case "TRUE":
		return true
	case "FALSE":
		return false
	case "NOT":
		return !t.terms[0].holds(state)
	case "AND":
		return !slices.ContainsFunc(t.terms, func(t term) bool { return !holds(t) })
	case "OR":
		return slices.ContainsFunc(t.terms, holds)
	}
	return state(t.alarm) == t.state
}

type ruleParser struct {
	tokens   []string
	children []string
	depth    int
}

func (p *ruleParser) next(token string) bool {
	if len(p.tokens) == 0 || p.tokens[0] != token {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

// either parses terms joined by OR. Each consists of terms joined by AND.
func (p *ruleParser) either() (term, error) {
	return p.joined("OR", func() (term, error) { return p.joined("AND", p.one) })
}

func (p *ruleParser) joined(sign string, part func() (term, error)) (term, error) {
	t := term{sign: sign}
	for {
		one, err := part()
		if err != nil {
			return term{}, err
		}
		t.terms = append(t.terms, one)
		if !p.next(sign) {
			return t, nil
		}
	}
}

var errRuleEnd = errors.New("AlarmRule ends where an alarm's state should stand")

func (p *ruleParser) one() (term, error) {
	if p.depth++; p.depth > maxNesting {
		return term{}, fmt.Errorf("AlarmRule nests more than %d deep", maxNesting)
	}
	defer func() { p.depth-- }()
	switch {
	case len(p.tokens) == 0:
		return term{}, errRuleEnd
	case p.next("TRUE"):
		return term{sign: "TRUE"}, nil
	case p.next("FALSE"):
		return term{sign: "FALSE"}, nil
	case p.next("NOT"):
		t, err := p.one()
		return term{sign: "NOT", terms: []term{t}}, err
	case p.next("("):
		t, err := p.either()
		if err == nil && !p.next(")") {
			err = errors.New("AlarmRule: the parentheses do not match")
		}
		return t, err
	}
	state := State(p.tokens[0])
	if !slices.Contains([]State{OK, Alarm, Insufficient}, state) {
		return term{}, fmt.Errorf("AlarmRule: %q is not ALARM, OK, INSUFFICIENT_DATA, NOT, TRUE or FALSE", state)
	}
	if len(p.tokens) < 4 || p.tokens[1] != "(" || p.tokens[3] != ")" || strings.Trim(p.tokens[2], `"`) == "" {
		return term{}, fmt.Errorf("AlarmRule: %s must be followed by the name of an alarm in parentheses", state)
	}
	name := strings.Trim(p.tokens[2], `"`)
	if strings.HasPrefix(name, "arn:") {
		_, name, _ = strings.Cut(name, ":alarm:")
	}
	p.tokens = p.tokens[4:]
	if !slices.Contains(p.children, name) {
		p.children = append(p.children, name)
	}
	return term{state: state, alarm: name}, nil
}

// Cycle reports whether the alarm name can be reached from its children, which are in from. children returns the
// children of any other alarm.
func Cycle(name string, from []string, children func(string) []string) bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		next := from[0]
		from = from[1:]
		if next == name {
			return true
		}
		if !seen[next] {
			seen[next] = true
			from = append(slices.Clone(from), children(next)...)
		}
	}
	return false
}
