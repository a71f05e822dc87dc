// Package logfilter implements CloudWatch Logs' filter patterns: how they are parsed, and which messages they match. It
// has no I/O.
//
// A pattern is one of: terms ("ERROR -timeout", "?WARN ?ERROR", `"exact phrase"`, "%regular expression%"), conditions
// on a JSON message ("{ $.level = "ERROR" && $.ms > 100 }"), or conditions on the fields of a line ("[ip, ..., status =
// 4*, bytes]"). Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live
// Tail".
package logfilter

import (
	"fmt"
	"strings"
)

// maxPattern is the API's limit for a pattern, in bytes.
const maxPattern = 1024

// maxExpressions is how many regular expressions one pattern may have.
const maxExpressions = 2

// Pattern is a parsed filter pattern.
type Pattern struct {
	matcher
	// Contains are texts that every matching message contains. They are a quick way to exclude messages.
	Contains []string
}

// matcher is one of the kinds of patterns.
type matcher interface {
	match(message []byte) bool
	// values returns the values of a matching message by the names that the pattern gives.
	values(message []byte) map[string]string
	// value returns a matching message's value of one name, such as "$.ms" or "$bytes".
	value(message []byte, name string) (string, bool)
	// names reports whether the pattern can have a value of that name.
	names(name string) bool
}

// Parse parses a pattern. Its error says what is wrong with the pattern.
func Parse(text string) (*Pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("the pattern has %d bytes; it must have at most %d", len(text), maxPattern)
	}
	p := &parser{rest: strings.TrimSpace(text)}
	var out *Pattern
	var err error
	switch {
	case strings.HasPrefix(p.rest, "{"):
		out, err = parseJSON(p)
	case strings.HasPrefix(p.rest, "["):
		out, err = parseFields(p)
	default:
		out, err = parseTerms(p)
	}
	if err != nil {
		return nil, err
	}
	if p.expressions > maxExpressions {
		return nil, fmt.Errorf("the pattern has %d regular expressions; it must have at most %d", p.expressions,
			maxExpressions)
	}
	return out, nil
}

// Match reports whether a message matches. It may be called from several goroutines, and does not keep the message.
func (p *Pattern) Match(message []byte) bool { return p.match(message) }

// Values returns the values of a matching message by the names of the pattern's fields.
func (p *Pattern) Values(message string) map[string]string { return p.values([]byte(message)) }

// Value returns a matching message's value of a name: "$.a.b" for a JSON message, "$name" or "$3" for a line's fields.
// It returns false if the message has no such value.
func (p *Pattern) Value(message, name string) (string, bool) { return p.value([]byte(message), name) }

// Names reports whether matching messages can have a value of that name.
func (p *Pattern) Names(name string) bool { return p.names(name) }

// parser parses a pattern from its beginning; rest is what is left.
type parser struct {
	rest        string
	expressions int
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept consumes token if it comes next.
func (p *parser) accept(token string) bool {
	p.space()
	after, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = after
	}
	return ok
}

// word consumes a word if it comes next. It ignores case.
func (p *parser) word(word string) bool {
	p.space()
	if len(p.rest) < len(word) || !strings.EqualFold(p.rest[:len(word)], word) {
		return false
	}
	if after := p.rest[len(word):]; after != "" && isWord(rune(after[0])) {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

// until consumes and returns what comes before any of the characters.
func (p *parser) until(any string) string {
	end := strings.IndexAny(p.rest, any)
	if end < 0 {
		end = len(p.rest)
	}
	out := p.rest[:end]
	p.rest = p.rest[end:]
	return out
}

// quoted parses a text in double quotes, in which a backslash escapes a quote or a backslash.
func (p *parser) quoted() (string, error) {
	var out strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return out.String(), nil
		case c == '\\' && i+1 < len(p.rest):
			i++
			out.WriteByte(p.rest[i])
		default:
			out.WriteByte(c)
		}
	}
	return "", fmt.Errorf("the quotation that begins at %s has no end", clip(p.rest))
}

// clip limits how much of a pattern an error repeats, in bytes.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
