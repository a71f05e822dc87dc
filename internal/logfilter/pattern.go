// Package logfilter is CloudWatch Logs' filter patterns: what they mean, and which messages they match. It has no I/O.
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

// maxPattern is the API's bound of a pattern, in bytes.
const maxPattern = 1024

// maxExpressions is how many regular expressions one pattern may have.
const maxExpressions = 2

// Pattern is a filter pattern that was understood.
type Pattern struct {
	matcher
	// Contains are texts that every matching message has: a quick way to tell that it does not match.
	Contains []string
}

// matcher is one of the kinds of patterns.
type matcher interface {
	match(message []byte) bool
	// values are what a message that matches has under the names that the pattern gives.
	values(message []byte) map[string]string
	// value is what a matching message has under one name, such as "$.ms" or "$bytes".
	value(message []byte, name string) (string, bool)
	// names tells whether the pattern can have a value under that name.
	names(name string) bool
}

// Parse understands a pattern, or says what is wrong with it.
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

// Match tells whether a message matches. It may be called from several goroutines, and does not keep the message.
func (p *Pattern) Match(message []byte) bool { return p.match(message) }

// Values are what a message that matches has under the names of the pattern's fields.
func (p *Pattern) Values(message string) map[string]string { return p.values([]byte(message)) }

// Value is what a message that matches has under a name: "$.a.b" of a JSON message, "$name" or "$3" of a line's fields.
func (p *Pattern) Value(message, name string) (string, bool) { return p.value([]byte(message), name) }

// Names tells whether messages that match can have a value under that name.
func (p *Pattern) Names(name string) bool { return p.names(name) }

// parser takes a pattern apart from its beginning.
type parser struct {
	rest        string
	expressions int
}

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

// accept takes a token off the beginning, if it is there.
func (p *parser) accept(token string) bool {
	p.space()
	after, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = after
	}
	return ok
}

// word takes a word off, in capitals or not.
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

// until takes off what comes before any of the characters.
func (p *parser) until(any string) string {
	end := strings.IndexAny(p.rest, any)
	if end < 0 {
		end = len(p.rest)
	}
	out := p.rest[:end]
	p.rest = p.rest[end:]
	return out
}

// quoted takes off what is between double quotes, where a backslash stands before a quote or a backslash.
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

// clip bounds how much of a pattern an error repeats, in bytes.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
