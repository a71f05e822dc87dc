package logfilter

import (
	"fmt"
	"regexp"
	"strings"
)

// expression parses a regular expression between percent signs. It allows less than Go does: no groups, and few
// symbols.
func (p *parser) expression() (*regexp.Regexp, error) {
	end := strings.IndexByte(p.rest[1:], '%')
	if end < 1 {
		return nil, fmt.Errorf("the regular expression that begins at %s must have an end, and something before it",
			clip(p.rest))
	}
	text := p.rest[1 : end+1]
	p.rest = p.rest[end+2:]
	p.expressions++
	if err := checkExpression(text); err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %%%s%%: %w", clip(text), err)
	}
	return compiled, nil
}

const (
	expressionSymbols = ` :_#=@/;,-^$?[]{}|\*+.`
	escapes           = `dDsSwWx`
)

func checkExpression(text string) error {
	for i := 0; i < len(text); i++ {
		c := rune(text[i])
		if !isAlphanumeric(c) && !strings.ContainsRune(expressionSymbols, c) {
			return fmt.Errorf("the regular expression %%%s%% has %q, which is not supported", clip(text), c)
		}
		if c != '\\' {
			continue
		}
		i++
		if i == len(text) || !strings.ContainsRune(escapes, rune(text[i])) &&
			!strings.ContainsRune(expressionSymbols, rune(text[i])) {
			return fmt.Errorf("the regular expression %%%s%% has a backslash before what it does not support",
				clip(text))
		}
	}
	return nil
}

func isAlphanumeric(c rune) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
