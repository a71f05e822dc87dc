package logfilter

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// terms is a pattern of terms, which match anywhere in a message and are case-sensitive.
type terms struct {
	all, any, none [][]byte
	expressions    []*regexp.Regexp
}

func parseTerms(p *parser) (*Pattern, error) {
	var t terms
	for p.space(); p.rest != ""; p.space() {
		if p.rest[0] == '%' {
			e, err := p.expression()
			if err != nil {
				return nil, err
			}
			t.expressions = append(t.expressions, e)
			continue
		}
		into := &t.all
		switch p.rest[0] {
		case '?':
			into = &t.any
		case '-':
			into = &t.none
		}
		if into != &t.all {
			p.rest = p.rest[1:]
		}
		term, err := p.term()
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(term) != "" || into != &t.all { // blanks in quotes match everything
			*into = append(*into, []byte(term))
		}
	}
	if len(t.all)+len(t.none)+len(t.expressions) > 0 {
		t.any = nil // terms with question marks are ignored beside other terms
	}
	out := &Pattern{matcher: t}
	for _, term := range t.all {
		out.Contains = append(out.Contains, string(term))
	}
	return out, nil
}

// term parses a word or a phrase in quotes.
func (p *parser) term() (string, error) {
	if strings.HasPrefix(p.rest, `"`) {
		return p.quoted()
	}
	term := p.until(" \t\r\n")
	if term == "" {
		return "", errors.New("a question mark or minus sign has no term behind it")
	}
	for _, c := range term {
		if !isWord(c) {
			return "", fmt.Errorf("invalid character(s) in term '%s': terms with other than letters, digits and _ "+
				"have to be in double quotes", clip(term))
		}
	}
	return term, nil
}

func isWord(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) }

func (t terms) match(message []byte) bool {
	for _, term := range t.all {
		if !bytes.Contains(message, term) {
			return false
		}
	}
	for _, e := range t.expressions {
		if !e.Match(message) {
			return false
		}
	}
	for _, term := range t.none {
		if bytes.Contains(message, term) {
			return false
		}
	}
	for _, term := range t.any {
		if bytes.Contains(message, term) {
			return true
		}
	}
	return len(t.any) == 0
}

func (terms) values([]byte) map[string]string              { return nil }
func (terms) value([]byte, string) (value string, ok bool) { return "", false }
func (terms) names(string) bool                            { return false }
